import { base64Url, fromBase64Url } from '../../../shared/encoding.ts';

export interface ScryptParameters {
  /** log2 of N, the CPU and memory cost. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
  /** Which pepper was mixed in. */
  readonly pepperVersion: number;
}

export interface PasswordHash extends ScryptParameters {
  readonly salt: Uint8Array;
  readonly key: Uint8Array;
}

/** The cost of new hashes: the p >= 3 row of scrypt in OWASP ASVS 5.0 appendix C. 32 MiB. */
export const currentCost = { ln: 15, r: 8, p: 3 } as const;

// workerd refuses N*r*p above 2^20 (limit-enforcer.h); the memory bound is ours, since an isolate has 128 MB for everything.
const maxCost = 2 ** 20;
const maxMemoryBytes = 2 ** 25;

const pattern =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2}),pv=(\d{1,3})\$([A-Za-z0-9+/]{22,86})\$([A-Za-z0-9+/]{43,86})$/;

/** `$scrypt$ln=15,r=8,p=3,pv=1$salt$hash`: the PHC string format, with the pepper's version as a parameter. */
export const formatPasswordHash = (hash: PasswordHash): string =>
  `$scrypt$ln=${hash.ln},r=${hash.r},p=${hash.p},pv=${hash.pepperVersion}$${base64(hash.salt)}$${base64(hash.key)}`;

/** Reads a stored hash; undefined when it is not one or would cost more than this platform allows. */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const [, ln, r, p, pv, salt, key] = pattern.exec(text) ?? [];
  const saltBytes = fromBase64(salt);
  const keyBytes = fromBase64(key);
  if (saltBytes === undefined || keyBytes === undefined) return undefined;
  const hash = {
    ln: Number(ln),
    r: Number(r),
    p: Number(p),
    pepperVersion: Number(pv),
    salt: saltBytes,
    key: keyBytes,
  };
  if (hash.ln < 1 || hash.r < 1 || hash.p < 1) return undefined;
  const cost = 2 ** hash.ln * hash.r * hash.p;
  return cost <= maxCost && 128 * 2 ** hash.ln * hash.r <= maxMemoryBytes ? hash : undefined;
}

/** Whether a hash was made with other parameters or another pepper than new ones are, so that it is made anew at the next login. */
export const isOutdated = (hash: ScryptParameters, pepperVersion: number): boolean =>
  hash.ln !== currentCost.ln ||
  hash.r !== currentCost.r ||
  hash.p !== currentCost.p ||
  hash.pepperVersion !== pepperVersion;

const base64 = (bytes: Uint8Array): string => base64Url(bytes).replaceAll('-', '+').replaceAll('_', '/');

const fromBase64 = (text: string | undefined): Uint8Array | undefined =>
  text === undefined ? undefined : fromBase64Url(text.replaceAll('+', '-').replaceAll('/', '_'));
