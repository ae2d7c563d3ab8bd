import { sha256 } from '../../../src/shared/crypto.ts';
import { base64Url, fromBase64Url, utf8 } from '../../../src/shared/encoding.ts';

/** The relying party of the tests: the defaults of the configuration. */
export const rpId = 'localhost';
export const webOrigin = 'http://localhost:3000';

export type Algorithm = 'ES256' | 'EdDSA' | 'RS256';

/** A passkey in a software authenticator. Its count goes up with every signature, unless it keeps none (0). */
export interface SoftPasskey {
  readonly algorithm: Algorithm;
  readonly credentialId: Uint8Array;
  readonly privateKey: CryptoKey;
  readonly publicKey: Uint8Array;
  /** Base64url. */
  userHandle: string;
  signCount: number;
  readonly synced: boolean;
}

/** What an authenticator or a browser may get wrong, or an attacker may forge. */
export interface Odd {
  readonly challenge?: string;
  readonly origin?: string;
  readonly rpId?: string;
  readonly type?: string;
  readonly crossOrigin?: boolean;
  readonly userVerified?: boolean;
  readonly userPresent?: boolean;
  readonly signCount?: number;
  readonly userHandle?: string | null;
  readonly credentialId?: Uint8Array;
  readonly attestation?: { readonly fmt: string; readonly attStmt: Map<string, Cbor> };
  readonly tamper?: (signature: Uint8Array) => Uint8Array;
}

export interface CreationOptions {
  readonly rp: { readonly id: string };
  readonly user: { readonly id: string };
  readonly challenge: string;
}

export interface RequestOptions {
  readonly rpId: string;
  readonly challenge: string;
}

const flag = { userPresent: 0x01, userVerified: 0x04, backupEligible: 0x08, backedUp: 0x10, attested: 0x40 };

/** Makes a key pair in the authenticator. */
export async function newPasskey(
  options: {
    readonly algorithm?: Algorithm;
    readonly synced?: boolean;
    readonly signCount?: number;
    readonly credentialId?: Uint8Array;
  } = {},
): Promise<SoftPasskey> {
  const algorithm = options.algorithm ?? 'ES256';
  const synced = options.synced ?? false;
  const pair = (await crypto.subtle.generateKey(keyAlgorithms[algorithm], true, [
    'sign',
    'verify',
  ])) as CryptoKeyPair;
  return {
    algorithm,
    credentialId: options.credentialId ?? crypto.getRandomValues(new Uint8Array(32)),
    privateKey: pair.privateKey,
    publicKey: cbor(coseKey(algorithm, (await crypto.subtle.exportKey('jwk', pair.publicKey)) as JsonWebKey)),
    userHandle: '',
    signCount: options.signCount ?? (synced ? 0 : 1),
    synced,
  };
}

/** The answer of `navigator.credentials.create()`, as `toJSON()` writes it. */
export async function createCredential(passkey: SoftPasskey, options: CreationOptions, odd: Odd = {}) {
  passkey.userHandle = options.user.id;
  const credentialId = odd.credentialId ?? passkey.credentialId;
  const authData = concat(
    await authenticatorData(passkey, options.rp.id, odd, flag.attested),
    new Uint8Array(16),
    Uint8Array.of(credentialId.length >> 8, credentialId.length & 255),
    credentialId,
    passkey.publicKey,
  );
  const { fmt, attStmt } = odd.attestation ?? { fmt: 'none', attStmt: new Map<string, Cbor>() };
  return {
    id: base64Url(credentialId),
    rawId: base64Url(credentialId),
    type: 'public-key',
    authenticatorAttachment: 'platform',
    clientExtensionResults: {},
    response: {
      clientDataJSON: base64Url(clientData('webauthn.create', options.challenge, odd)),
      attestationObject: base64Url(
        cbor(
          new Map<string, Cbor>([
            ['fmt', fmt],
            ['attStmt', attStmt],
            ['authData', authData],
          ]),
        ),
      ),
      transports: passkey.synced ? ['internal', 'hybrid'] : ['usb'],
    },
  };
}

/** The answer of `navigator.credentials.get()`. */
export async function getAssertion(passkey: SoftPasskey, options: RequestOptions, odd: Odd = {}) {
  if (passkey.signCount > 0) passkey.signCount += 1;
  const data = clientData('webauthn.get', options.challenge, odd);
  const authData = await authenticatorData(passkey, options.rpId, odd, 0);
  const signed = await sign(passkey, concat(authData, await sha256(data)));
  const credentialId = odd.credentialId ?? passkey.credentialId;
  const userHandle = odd.userHandle === undefined ? passkey.userHandle : odd.userHandle;
  return {
    id: base64Url(credentialId),
    rawId: base64Url(credentialId),
    type: 'public-key',
    authenticatorAttachment: 'platform',
    clientExtensionResults: {},
    response: {
      clientDataJSON: base64Url(data),
      authenticatorData: base64Url(authData),
      signature: base64Url(odd.tamper === undefined ? signed : odd.tamper(signed)),
      ...(userHandle === null ? {} : { userHandle }),
    },
  };
}

const clientData = (type: string, challenge: string, odd: Odd): Uint8Array =>
  utf8(
    JSON.stringify({
      type: odd.type ?? type,
      challenge: odd.challenge ?? challenge,
      origin: odd.origin ?? webOrigin,
      crossOrigin: odd.crossOrigin ?? false,
    }),
  );

async function authenticatorData(
  passkey: SoftPasskey,
  relyingParty: string,
  odd: Odd,
  more: number,
): Promise<Uint8Array> {
  const count = odd.signCount ?? passkey.signCount;
  const flags =
    more |
    (odd.userPresent === false ? 0 : flag.userPresent) |
    (odd.userVerified === false ? 0 : flag.userVerified) |
    (passkey.synced ? flag.backupEligible | flag.backedUp : 0);
  const tail = new Uint8Array(5);
  tail[0] = flags;
  new DataView(tail.buffer).setUint32(1, count);
  return concat(await sha256(odd.rpId ?? relyingParty), tail);
}

const keyAlgorithms = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  EdDSA: { name: 'Ed25519' },
  RS256: {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 2_048,
    publicExponent: Uint8Array.of(1, 0, 1),
  },
} as const;

async function sign({ algorithm, privateKey }: SoftPasskey, data: Uint8Array): Promise<Uint8Array> {
  const parameters = algorithm === 'ES256' ? { name: 'ECDSA', hash: 'SHA-256' } : keyAlgorithms[algorithm];
  const signature = new Uint8Array(await crypto.subtle.sign(parameters, privateKey, data));
  return algorithm === 'ES256' ? derSignature(signature) : signature;
}

// WebAuthn wants ECDSA signatures as ASN.1 (WebAuthn L3 §6.5.5), WebCrypto gives the two numbers one after the other.
function derSignature(raw: Uint8Array): Uint8Array {
  const integer = (bytes: Uint8Array): Uint8Array => {
    let start = 0;
    while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
    const body = bytes.slice(start);
    const padded = (body[0] ?? 0) > 127 ? concat(Uint8Array.of(0), body) : body;
    return concat(Uint8Array.of(2, padded.length), padded);
  };
  const body = concat(integer(raw.slice(0, 32)), integer(raw.slice(32)));
  return concat(Uint8Array.of(0x30, body.length), body);
}

/** A COSE_Key (RFC 9053) of a public JWK. */
function coseKey(algorithm: Algorithm, jwk: JsonWebKey): Map<number, Cbor> {
  const bytes = (text: string | undefined): Uint8Array => fromBase64Url(text ?? '') ?? new Uint8Array();
  const entries: Record<Algorithm, [number, Cbor][]> = {
    ES256: [[1, 2], [3, -7], [-1, 1], [-2, bytes(jwk.x)], [-3, bytes(jwk.y)]],
    EdDSA: [[1, 1], [3, -8], [-1, 6], [-2, bytes(jwk.x)]],
    RS256: [[1, 3], [3, -257], [-1, bytes(jwk.n)], [-2, bytes(jwk.e)]],
  }; // biome-ignore format: one key a line
  return new Map(entries[algorithm]);
}

export type Cbor = number | string | Uint8Array | readonly Cbor[] | Map<string | number, Cbor>;

/** The little of CBOR (RFC 8949) that authenticators write. */
export function cbor(value: Cbor): Uint8Array {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') return concat(head(3, utf8(value).length), utf8(value));
  if (value instanceof Uint8Array) return concat(head(2, value.length), value);
  if (value instanceof Map)
    return concat(head(5, value.size), ...[...value].flatMap(([key, item]) => [cbor(key), cbor(item)]));
  return concat(head(4, value.length), ...value.map(cbor));
}

function head(major: number, length: number): Uint8Array {
  const top = major << 5;
  if (length < 24) return Uint8Array.of(top | length);
  if (length < 256) return Uint8Array.of(top | 24, length);
  return Uint8Array.of(top | 25, length >> 8, length & 255);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
