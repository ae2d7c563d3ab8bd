import { z } from 'zod';
import { hmacSha256 } from '../../shared/crypto.ts';
import { hex } from '../../shared/encoding.ts';
import { ProviderError } from './errors.ts';
import { fetchProviderJson, type ProviderCall } from './fetch.ts';
import type { ProviderClient } from './providers.ts';

/** A person as a provider knows them. `subject` names them there for good; all else may change. */
export interface ProviderProfile {
  readonly subject: string;
  readonly email: string | undefined;
  /** The provider answers for the address being this person's now. */
  readonly emailVerified: boolean;
  readonly name: string | undefined;
  readonly username: string | undefined;
}

const text = z.string().min(1).max(512);
// Missing, empty or odd words about a person are no reason to refuse a login.
const optional = <S extends z.ZodType>(schema: S) => schema.optional().catch(undefined);
const email = optional(z.email().max(254));

const googleClaims = z.object({
  email,
  email_verified: optional(z.boolean()),
  hd: optional(text),
  name: optional(text),
});

/**
 * Google answers for its own mailboxes and those of Workspace domains; any other address was verified once and may belong to
 * someone else by now (https://developers.google.com/identity/gsi/web/guides/verify-google-id-token).
 */
export function googleProfile(claims: { readonly sub: string }): ProviderProfile {
  const { email: address, email_verified, hd, name } = googleClaims.parse(claims);
  const hosted = hd !== undefined || /@(gmail|googlemail)\.com$/i.test(address ?? '');
  return {
    subject: claims.sub,
    email: address,
    emailVerified: address !== undefined && email_verified === true && hosted,
    name,
    username: undefined,
  };
}

const appleClaims = z.object({
  email,
  email_verified: optional(z.union([z.boolean(), z.enum(['true', 'false'])])),
});
const appleUser = z.object({
  name: z.object({ firstName: optional(text), lastName: optional(text) }).optional(),
});

/** `user` is the JSON Apple posts beside the code the first time only; the browser carried it, so only the name is read. */
export function appleProfile(claims: { readonly sub: string }, user: string | undefined): ProviderProfile {
  const { email: address, email_verified } = appleClaims.parse(claims);
  return {
    subject: claims.sub,
    email: address,
    emailVerified: address !== undefined && (email_verified === true || email_verified === 'true'),
    name: appleNameOf(user),
    username: undefined,
  };
}

function appleNameOf(user: string | undefined): string | undefined {
  if (user === undefined) return undefined;
  try {
    const { name } = appleUser.parse(JSON.parse(user));
    const full = [name?.firstName, name?.lastName].filter((part) => part !== undefined).join(' ');
    return full === '' ? undefined : full;
  } catch {
    // Of the browser's making, and only a suggestion.
    return undefined;
  }
}

const githubUser = z.object({ id: z.int().positive(), login: text, name: optional(text.nullable()) });
const githubEmails = z.array(z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }));
const facebookUser = z.object({ id: z.string().regex(/^\d{1,64}$/), name: optional(text), email });
const xUser = z.object({
  data: z.object({
    id: z.string().regex(/^\d{1,64}$/),
    username: text,
    name: optional(text),
    confirmed_email: email,
  }),
});

/**
 * Asks the API of a provider that has no id tokens.
 * @throws ProviderError.
 */
export async function fetchProfile(
  call: ProviderCall,
  { provider, clientSecret }: ProviderClient,
  accessToken: string,
): Promise<ProviderProfile> {
  const base = provider.apiBase ?? '';
  const bearer = { authorization: `Bearer ${accessToken}` };
  const read = async <S extends z.ZodType>(
    schema: S,
    url: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<z.output<S>> => {
    const parsed = schema.safeParse(await fetchProviderJson(call, url, headers));
    if (!parsed.success) throw new ProviderError(call.provider, 'answer_invalid', 'profile', parsed.error);
    return parsed.data;
  };
  switch (provider.name) {
    case 'github': {
      const headers = { ...bearer, accept: 'application/vnd.github+json' };
      const user = await read(githubUser, `${base}/user`, headers);
      const emails = await read(githubEmails, `${base}/user/emails`, headers);
      const primary = emails.find((entry) => entry.primary && entry.verified)?.email;
      const address = z.email().max(254).safeParse(primary).data;
      return {
        subject: String(user.id),
        email: address,
        emailVerified: address !== undefined,
        name: user.name ?? undefined,
        username: user.login,
      };
    }
    case 'facebook': {
      // https://developers.facebook.com/docs/graph-api/guides/secure-requests: a stolen token alone reads nothing.
      const proof = hex(await hmacSha256(clientSecret, accessToken));
      const query = new URLSearchParams({ fields: 'id,name,email', appsecret_proof: proof });
      const user = await read(facebookUser, `${base}/me?${query}`, bearer);
      // Facebook does not say whether an address is confirmed.
      return {
        subject: user.id,
        email: user.email,
        emailVerified: false,
        name: user.name,
        username: undefined,
      };
    }
    case 'x': {
      const { data } = await read(xUser, `${base}/users/me?user.fields=confirmed_email`, bearer);
      return {
        subject: data.id,
        email: data.confirmed_email,
        emailVerified: data.confirmed_email !== undefined,
        name: data.name,
        username: data.username,
      };
    }
    default:
      throw new ProviderError(call.provider, 'answer_invalid', 'no profile API');
  }
}
