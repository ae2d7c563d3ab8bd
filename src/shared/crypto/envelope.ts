import { randomBytes } from '../crypto.ts';
import { utf8 } from '../encoding.ts';

/** AES-256 keys by version (1 to 255). The highest version seals, all open, so that keys rotate without a stop. */
export type DataKeys = ReadonlyMap<number, Uint8Array>;

const nonceLength = 12;
const tagLength = 16;
const headerLength = 1 + nonceLength;

/**
 * Encrypts with AES-256-GCM (NIST SP 800-38D) under the newest key: version byte, random 96-bit nonce, ciphertext with tag.
 * @param aad where the value is kept, `table|column|row`: a value moved to another place does not open.
 */
export async function seal(keys: DataKeys, aad: string, plaintext: Uint8Array): Promise<Uint8Array> {
  const version = Math.max(...keys.keys());
  const key = keys.get(version);
  if (key === undefined) throw new RangeError('no data encryption key is configured');
  const nonce = randomBytes(nonceLength);
  const sealed = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv: nonce, additionalData: utf8(aad) },
    await importKey(key, 'encrypt'),
    plaintext,
  );
  const envelope = new Uint8Array(headerLength + sealed.byteLength);
  envelope[0] = version;
  envelope.set(nonce, 1);
  envelope.set(new Uint8Array(sealed), headerLength);
  return envelope;
}

/** The plaintext of an envelope; undefined when it was changed, moved, cut, or sealed with a key that is not there. */
export async function open(keys: DataKeys, aad: string, sealed: Uint8Array): Promise<Uint8Array | undefined> {
  const version = sealed[0];
  const key = version === undefined ? undefined : keys.get(version);
  if (version === undefined || key === undefined || sealed.length < headerLength + tagLength)
    return undefined;
  try {
    const plaintext = await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv: sealed.subarray(1, headerLength), additionalData: utf8(aad) },
      await importKey(key, 'decrypt'),
      sealed.subarray(headerLength),
    );
    return new Uint8Array(plaintext);
  } catch {
    // The tag does not match.
    return undefined;
  }
}

const importKey = (key: Uint8Array, usage: 'encrypt' | 'decrypt'): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', key, 'AES-GCM', false, [usage]);
