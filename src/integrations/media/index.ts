export { type BlockReader, blockBytes, createBlockReader, ReadBudgetExceeded } from './block-reader.ts';
export { type ContainerFacts, probeContainer } from './container-probe.ts';
