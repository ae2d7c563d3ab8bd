export { type BlockReader, blockBytes, createBlockReader, ReadBudgetExceeded } from './block-reader.ts';
export { type CodedSize, codedSizeOf } from './coded-size.ts';
export { type ContainerFacts, probeContainer } from './container-probe.ts';
export { isDisguised } from './disguise.ts';
export { ebmlStructure } from './ebml-structure.ts';
export { isoStructure } from './iso-structure.ts';
export type { Structure } from './structure.ts';
