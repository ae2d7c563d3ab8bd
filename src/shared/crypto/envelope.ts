import { randomBytes } from '../crypto.ts';
import { utf8 } from '../encoding.ts';

/** AES-256 keys by version (1 to 255); `currentVersion` seals, all open. */
export interface EnvelopeKeys {
  readonly keys: ReadonlyMap<number, Uint8Array>;
  readonly currentVersion: number;
}

/** Where a sealed value is stored. It opens nowhere else: values swapped between rows or columns are refused. */
export interface Place {
  readonly table: string;
  readonly column: string;
  readonly rowId: string;
}

const algorithm = 'AES-GCM';
const nonceLength = 12;
const tagLength = 16;
const headerLength = 1 + nonceLength;

// Imported keys by their bytes, one set for each configuration: values, not promises, since a request may not await another's.
const importedKeys = new WeakMap<Uint8Array, CryptoKey>();

/**
 * Encrypts a value for its place with AES-256-GCM (NIST SP 800-38D): key version (1 byte), random nonce (12), ciphertext, tag (16).
 * @throws RangeError when the current version names no key.
 */
export async function seal(keys: EnvelopeKeys, plaintext: Uint8Array, place: Place): Promise<Uint8Array> {
  const key = await keyOf(keys, keys.currentVersion);
  if (key === undefined) throw new RangeError('the current key version names no key');
  const nonce = randomBytes(nonceLength);
  const encrypted = await crypto.subtle.encrypt(parameters(nonce, place), key, plaintext);
  const sealed = new Uint8Array(headerLength + encrypted.byteLength);
  sealed[0] = keys.currentVersion;
  sealed.set(nonce, 1);
  sealed.set(new Uint8Array(encrypted), headerLength);
  return sealed;
}

/** The value, or undefined when it was sealed for another place, under a key that is gone, or was changed. */
export async function open(
  keys: EnvelopeKeys,
  sealed: Uint8Array,
  place: Place,
): Promise<Uint8Array | undefined> {
  const version = sealedVersion(sealed);
  const key = version === undefined ? undefined : await keyOf(keys, version);
  if (key === undefined) return undefined;
  try {
    return new Uint8Array(
      await crypto.subtle.decrypt(
        parameters(sealed.subarray(1, headerLength), place),
        key,
        sealed.subarray(headerLength),
      ),
    );
  } catch {
    return undefined;
  }
}

/** The version of the key a value was sealed under, or undefined when it is too short to be one. */
export const sealedVersion = (sealed: Uint8Array): number | undefined =>
  sealed.length < headerLength + tagLength ? undefined : sealed[0];

const parameters = (nonce: Uint8Array, { table, column, rowId }: Place) => ({
  name: algorithm,
  iv: nonce,
  additionalData: utf8(`${table}|${column}|${rowId}`),
});

async function keyOf({ keys }: EnvelopeKeys, version: number): Promise<CryptoKey | undefined> {
  const bytes = keys.get(version);
  if (bytes === undefined) return undefined;
  const known = importedKeys.get(bytes);
  if (known !== undefined) return known;
  const imported = await crypto.subtle.importKey('raw', bytes, algorithm, false, ['encrypt', 'decrypt']);
  importedKeys.set(bytes, imported);
  return imported;
}
