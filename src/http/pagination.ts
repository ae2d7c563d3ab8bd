import { z } from '@hono/zod-openapi';
import { hmacSha256 } from '../shared/crypto.ts';
import { base64Url, fromBase64Url, fromUtf8, utf8 } from '../shared/encoding.ts';
import { invalidCursor } from './errors.ts';

/** What a cursor is good for. It opens no other list, no other filter and no other viewer's list. */
export interface CursorScope {
  /** For example `feed:home`. */
  readonly list: string;
  /** Everything that changes which rows the list has or how they are sorted. */
  readonly filters?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Whose list it is; omitted for lists that are the same for everyone. */
  readonly userId?: string | undefined;
}

const tagBytes = 16;
const maxCursorLength = 1_024;

/** Query parameters of every list. Extend it with the list's filters. */
export const pageQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, 'must be a whole number from 1 to 100')
    .transform(Number)
    .pipe(z.number().int().min(1).max(100))
    .default(20)
    .openapi({ type: 'integer', minimum: 1, maximum: 100, default: 20, description: 'Items on a page.' }),
  cursor: z
    .string()
    .min(1)
    .max(maxCursorLength)
    .optional()
    .openapi({ description: '`next_cursor` of the page before; omit it for the first page.' }),
});

/** The same in the body, for lists whose filters must not stand in an address. Extend it with them. */
export const pageBody = z.strictObject({
  limit: z.int().min(1).max(100).default(20).openapi({ description: 'Items on a page.' }),
  cursor: pageQuery.shape.cursor,
});

/**
 * An opaque cursor: where to go on in a list, signed with HMAC-SHA-256 (truncated to 128 bits) over the position and its
 * scope. The position is not encrypted: put nothing secret into it. It must be JSON.
 */
export async function encodeCursor(
  secret: string,
  { position, ...scope }: CursorScope & { readonly position: unknown },
): Promise<string> {
  const payload = utf8(JSON.stringify(position));
  const tag = await tagOf(secret, scope, payload);
  const bytes = new Uint8Array(tag.length + payload.length);
  bytes.set(tag);
  bytes.set(payload, tag.length);
  return base64Url(bytes);
}

/**
 * The position in a cursor, or undefined when there is no cursor: the first page.
 * @throws request.invalid_cursor for a cursor that was changed, or given out for another list, filter or viewer.
 */
export async function decodeCursor<T>(
  secret: string,
  cursor: string | undefined,
  scope: CursorScope,
  positionSchema: z.ZodType<T>,
): Promise<T | undefined> {
  if (cursor === undefined) return undefined;
  const bytes = cursor.length > maxCursorLength ? undefined : fromBase64Url(cursor);
  // Base64 has several spellings of the same bytes; only ours is accepted.
  if (bytes === undefined || bytes.length <= tagBytes || base64Url(bytes) !== cursor) throw invalidCursor();
  const payload = bytes.subarray(tagBytes);
  if (!equalBytes(bytes.subarray(0, tagBytes), await tagOf(secret, scope, payload))) throw invalidCursor();
  const position = positionSchema.safeParse(JSON.parse(fromUtf8(payload)));
  if (!position.success) throw invalidCursor({ cause: position.error });
  return position.data;
}

/**
 * Cuts a page out of rows that were asked for with `limit + 1`: the row too many tells that there is more.
 * `nextPosition` is undefined on the last page.
 */
export function page<T, P>(
  rows: readonly T[],
  limit: number,
  positionOf: (item: T) => P,
): { readonly items: readonly T[]; readonly nextPosition: P | undefined } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items, nextPosition: more ? positionOf(last) : undefined };
}

/** `next_cursor` of an answer: null when there is no next page. */
export const nextCursor = async (
  secret: string,
  scope: CursorScope,
  nextPosition: unknown,
): Promise<string | null> =>
  nextPosition === undefined ? null : encodeCursor(secret, { ...scope, position: nextPosition });

/** Schema of a list answer: `{data: [...], next_cursor}`. */
export const pageOf = <S extends z.ZodType>(item: S) =>
  z.strictObject({
    data: z.array(item),
    next_cursor: z.string().nullable().openapi({ description: 'Null on the last page.' }),
  });

async function tagOf(secret: string, scope: CursorScope, payload: Uint8Array): Promise<Uint8Array> {
  const filters = Object.entries(scope.filters ?? {})
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  // JSON keeps the parts apart: no list name can be mistaken for another list with a filter.
  const context = utf8(JSON.stringify(['cursor.v1', scope.list, filters, scope.userId ?? null]));
  const message = new Uint8Array(context.length + 1 + payload.length);
  message.set(context);
  message.set(payload, context.length + 1);
  return (await hmacSha256(secret, message)).subarray(0, tagBytes);
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let index = 0; index < a.length; index += 1) difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
  return difference === 0;
}
