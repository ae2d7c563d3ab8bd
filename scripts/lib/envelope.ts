/** AES-256 keys by version; the current one seals. */
export interface EnvelopeKeys {
  readonly keys: ReadonlyMap<number, Uint8Array>;
  readonly currentVersion: number;
}

type Place = { readonly table: string; readonly column: string; readonly rowId: string };

interface Envelope {
  readonly seal: (keys: EnvelopeKeys, plaintext: Uint8Array, place: Place) => Promise<Uint8Array>;
  readonly open: (keys: EnvelopeKeys, sealed: Uint8Array, place: Place) => Promise<Uint8Array | undefined>;
}

// By address, since the Worker's sources are type-checked against workerd's types and scripts against Node's.
const address = new URL('../../src/shared/crypto/envelope.ts', import.meta.url).href;

/** The Worker's own envelope, `src/shared/crypto/envelope.ts`. */
export const { seal, open } = (await import(address)) as Envelope;
