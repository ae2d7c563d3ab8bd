import type { z } from 'zod';

/** One setting: where it comes from, what it may be, and the sentence the generated reference prints. */
export interface Setting<S extends z.ZodType = z.ZodType> {
  readonly env: string;
  readonly schema: S;
  /** Omitted for settings every deployment must provide itself. Written as it would stand in the environment. */
  readonly default?: string;
  readonly unit?: string;
  readonly doc: string;
  readonly secret?: boolean;
}

export type SectionDefinition = Readonly<Record<string, Setting>>;

export type SectionValues<D extends SectionDefinition> = {
  readonly [K in keyof D]: z.output<D[K]['schema']>;
};

export interface Section<D extends SectionDefinition = SectionDefinition> {
  readonly title: string;
  readonly settings: D;
}

/** Declares a section of the configuration. Keys become the names code reads. */
export function defineSection<const D extends SectionDefinition>(title: string, settings: D): Section<D> {
  return { title, settings };
}
