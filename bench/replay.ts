import type { RecordedStatement } from './record.ts';

/** A parameter of a replayed statement: a constant, or what the peer fills in for each request. */
export type ReplayParameter =
  | { readonly constant: unknown }
  | { readonly from: 'viewer' | 'video' | 'skeleton' | 'floor' };

/** A statement the Worker sends, for the peer to send too. */
export interface ReplayStatement {
  readonly text: string;
  readonly parameters: readonly ReplayParameter[];
}

/** What the recorded request was about, to find it among the parameters. */
export interface RecordedSubject {
  readonly viewer: string;
  readonly video?: string;
  /** Ids the first statement returned, in order. */
  readonly skeleton?: readonly string[];
}

/**
 * Turns a recorded statement into one for any viewer and video: parameters that equal the recorded subject's are marked, all
 * others stay as they were.
 */
export function replayOf(recorded: RecordedStatement, subject: RecordedSubject): ReplayStatement {
  const parameters = recorded.params.map((value): ReplayParameter => {
    if (value === subject.viewer) return { from: 'viewer' };
    if (value === subject.video) return { from: 'video' };
    if (subject.skeleton !== undefined && value === arrayLiteral(subject.skeleton))
      return { from: 'skeleton' };
    if (value !== undefined && value === subject.skeleton?.at(-1)) return { from: 'floor' };
    return { constant: value };
  });
  return { text: recorded.text, parameters };
}

/** The values to send for a request. */
export const replayValues = (
  statement: ReplayStatement,
  subject: { readonly viewer: string; readonly video?: string; readonly skeleton?: readonly string[] },
): unknown[] =>
  statement.parameters.map((parameter) => {
    if ('constant' in parameter) return parameter.constant;
    switch (parameter.from) {
      case 'viewer':
        return subject.viewer;
      case 'video':
        return subject.video;
      case 'skeleton':
        return arrayLiteral(subject.skeleton ?? []);
      default:
        return subject.skeleton?.at(-1);
    }
  });

const arrayLiteral = (ids: readonly string[]): string => `{${ids.map((id) => `"${id}"`).join(',')}}`;
