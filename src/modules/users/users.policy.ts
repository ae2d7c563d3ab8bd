import { decodeId, idPrefixes } from '../../shared/ids.ts';

const usernamePattern = /^[A-Za-z0-9_]{3,30}$/;

// Names that would pass for the platform itself.
const reservedUsernames = new Set(
  `about abuse account admin administrator anonymous api billing contact deleted everyone help legal login logout
   moderator news null official owner payments postmaster press privacy register root safety security settings social_flow
   socialflow staff status superuser support sysadmin system team terms trust undefined user users verified webmaster`.split(
    /\s+/,
  ),
);

const idLike = new RegExp(
  `^(${idPrefixes.user}_.*|(${Object.values(idPrefixes).join('|')})_[0-9a-z]{26})$`,
  'i',
);

// What deleted accounts are called.
const tombstone = /^deleted_/i;

/**
 * Whether nobody may take this username: it belongs to the platform, could be mistaken for a public id, or looks like what is
 * left of a deleted account.
 */
export const isReservedUsername = (username: string): boolean =>
  reservedUsernames.has(username.toLowerCase()) || idLike.test(username) || tombstone.test(username);

export type UserReference =
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'username'; readonly username: string };

/** Reads `usr_...` or a username; undefined when it can be neither. No username looks like an id. */
export function parseUserReference(text: string): UserReference | undefined {
  const id = decodeId('user', text);
  if (id !== undefined) return { kind: 'id', id };
  return usernamePattern.test(text) && !idLike.test(text) ? { kind: 'username', username: text } : undefined;
}

/**
 * A link people may follow from a profile, normalised by the WHATWG URL parser; undefined when it is not http(s), carries
 * credentials, or is longer than 2,048 characters.
 */
export function normaliseWebsite(text: string): string | undefined {
  if (text.length > 2_048 || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined;
  if (url.username !== '' || url.password !== '') return undefined;
  return url.href.length <= 2_048 ? url.href : undefined;
}
