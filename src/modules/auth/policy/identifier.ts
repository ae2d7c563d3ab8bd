/** What a person typed to say who they are at login. */
export type Identifier =
  | { readonly kind: 'username'; readonly username: string }
  | { readonly kind: 'email'; readonly email: string };

/** Reads a username or an e-mail address; undefined when it can be neither, and so names nobody. */
export function parseIdentifier(text: string): Identifier | undefined {
  if (/^[A-Za-z0-9_]{3,30}$/.test(text)) return { kind: 'username', username: text };
  // As strict as storing needs; an address that was never accepted simply is not found.
  if (/^[\x21-\x7e]+@[\x21-\x7e]+$/.test(text) && text.length <= 254) return { kind: 'email', email: text };
  return undefined;
}
