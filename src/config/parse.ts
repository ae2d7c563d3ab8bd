import type { Section, SectionDefinition, SectionValues } from './section.ts';

export interface ConfigProblem {
  readonly env: string;
  readonly message: string;
}

/** The environment cannot be used. The message names each setting and what is wrong with it, never a secret. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map((problem) => `  ${problem.env}: ${problem.message}`);
    super(`The configuration cannot be used. Correct these settings:\n${lines.join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** Parses one section, adding what is wrong to `problems` instead of stopping at the first. */
export function parseSection<D extends SectionDefinition>(
  section: Section<D>,
  environment: Readonly<Record<string, unknown>>,
  problems: ConfigProblem[],
): SectionValues<D> {
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(section.settings)) {
    const raw = environment[setting.env] ?? setting.default;
    if (raw === undefined) {
      problems.push({ env: setting.env, message: `is required: ${setting.doc}` });
      continue;
    }
    const parsed = setting.schema.safeParse(raw);
    if (parsed.success) values[key] = parsed.data;
    else
      problems.push({
        env: setting.env,
        // Of settings that are JSON, which part of it.
        message: parsed.error.issues
          .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
          .join('; '),
      });
  }
  // Only reached by readers when `problems` stayed empty, so every key is present.
  return values as SectionValues<D>;
}
