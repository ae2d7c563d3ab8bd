import { z } from '@hono/zod-openapi';

// Control characters but tab and newline; the two bidirectional overrides, which make text lie about its order.
const forbidden = /(?![\t\n])\p{Cc}|[\u202d\u202e\ufeff]/u;

/** Length in code points, as Postgres' char_length counts. */
export const codePoints = (text: string): number => {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
};

/** Whether a text shows nothing: empty, or only spaces and invisible characters. */
export const isBlank = (text: string): boolean => !/[^\s\p{Z}\p{Cf}\p{DI}]/u.test(text);

/**
 * Text people write: NFC, CRLF made LF, trimmed at the ends, no control characters, `min` to `max` code points.
 * Everything else (emoji, right-to-left, markup, SQL) is kept as typed: it is data here and is encoded where it is shown.
 */
export const plainText = (options: {
  readonly min: number;
  readonly max: number;
  readonly multiline?: boolean;
}) =>
  z
    .string()
    .max(options.max * 8)
    .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
    .transform((text) => text.replaceAll('\r\n', '\n').normalize('NFC').trim())
    .refine((text) => !forbidden.test(text), 'must not contain control or direction-override characters')
    .refine((text) => options.multiline === true || !/[\n\t]/.test(text), 'must be one line')
    .refine(
      (text) => options.min === 0 || (!isBlank(text) && codePoints(text) >= options.min),
      `must have at least ${options.min} visible characters`,
    )
    .refine((text) => codePoints(text) <= options.max, `must have at most ${options.max} characters`)
    .openapi({ type: 'string', minLength: options.min, maxLength: options.max });

/**
 * The form under which words are the same: NFKC, case-folded, without invisible characters
 * (Unicode §3.13 R4). JavaScript has no case folding, but lower, upper and lower case in turn come to the same.
 */
export const foldText = (text: string): string =>
  text
    .normalize('NFKC')
    .replace(/\p{DI}/gu, '')
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .replaceAll('ς', 'σ')
    .normalize('NFKC');
