const maxLength = 255;
const printable = /^[\x20-\x7e]+$/;
const quoted = /^"((?:[^"\\]|\\["\\])*)"$/;

/**
 * The key of an `Idempotency-Key` field: a quoted structured-field string (RFC 9651 §3.3.3, as
 * draft-ietf-httpapi-idempotency-key-header asks) or the bare text most clients send. Undefined when it is neither.
 */
export function parseIdempotencyKey(field: string): string | undefined {
  const text = field.trim();
  if (!printable.test(text)) return undefined;
  const inner = quoted.exec(text)?.[1];
  if (inner === undefined && text.startsWith('"')) return undefined;
  const key = inner === undefined ? text : inner.replaceAll(/\\(["\\])/g, '$1');
  return key.length >= 1 && key.length <= maxLength ? key : undefined;
}
