import { generateKeyPairSync } from 'node:crypto';
import { AwsClient } from 'aws4fetch';

export interface KeyPair {
  readonly arn: string;
  readonly name: string;
}

/** Playback key pairs of an account at IVS, of which it takes three. */
export interface PlaybackKeys {
  /** Makes a pair and imports its public half. */
  make(name: string): Promise<{ readonly privateKey: string; readonly arn: string }>;
  list(): Promise<KeyPair[]>;
  remove(arn: string): Promise<void>;
}

/** @throws Error, from its methods, with what IVS said. */
export function playbackKeys(account: {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}): PlaybackKeys {
  const { endpoint, region, accessKeyId, secretAccessKey, sessionToken } = account;
  const client = new AwsClient({
    accessKeyId,
    secretAccessKey,
    region,
    service: 'ivs',
    ...(sessionToken === undefined ? {} : { sessionToken }),
  });

  async function ask<T>(operation: string, body: object): Promise<T> {
    const response = await client.fetch(`${endpoint}/${operation}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok)
      throw new Error(
        `${operation}: ${response.headers.get('x-amzn-errortype') ?? response.status}: ${text}`,
      );
    return (text === '' ? {} : JSON.parse(text)) as T;
  }

  return {
    async make(name) {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
      const publicKeyMaterial = publicKey.export({ format: 'pem', type: 'spki' }).toString();
      const { keyPair } = await ask<{ keyPair: KeyPair }>('ImportPlaybackKeyPair', {
        publicKeyMaterial,
        name,
      });
      return {
        privateKey: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
        arn: keyPair.arn,
      };
    },
    list: async () => (await ask<{ keyPairs: KeyPair[] }>('ListPlaybackKeyPairs', {})).keyPairs,
    remove: async (arn) => {
      await ask('DeletePlaybackKeyPair', { arn });
    },
  };
}
