import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { type Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import {
  type PutObjectCommandInput,
  S3Client,
  type S3ClientConfig,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { AwsClient } from 'aws4fetch';
import {
  type S3Event,
  type S3Server,
  type S3ServerOptions,
  startS3Server,
} from '../../../../local-cloud/s3/server.ts';
import { ACCESS_KEY_ID, type RawSigning, REGION, SECRET_ACCESS_KEY, signRaw } from './sign.ts';

export const BUCKET = 'test-bucket';
export const MIB = 1024 * 1024;
const CREDENTIALS = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY };

export type TestServer = {
  server: S3Server;
  dataDir: string;
  events: S3Event[];
  sdk: S3Client;
  aws: AwsClient;
  /** Stops and starts on the same directory. */
  restart(): Promise<TestServer>;
  stop(): Promise<void>;
};

/** An SDK client for the server; `endpoint` must have the port the server listens on. */
export const sdkClient = (endpoint: string, overrides: S3ClientConfig = {}): S3Client =>
  new S3Client({
    endpoint,
    region: REGION,
    credentials: CREDENTIALS,
    forcePathStyle: true,
    maxAttempts: 1,
    ...overrides,
  });

export const startTestServer = async (options: Partial<S3ServerOptions> = {}): Promise<TestServer> => {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 's3-test-')));
  const events: S3Event[] = [];
  const server = await startS3Server({
    port: 0,
    dataDir,
    region: REGION,
    credentials: [CREDENTIALS],
    buckets: [{ name: BUCKET }],
    onEvent: (event) => events.push(event),
    ...options,
  });
  const sdk = sdkClient(server.url);
  const aws = new AwsClient({ ...CREDENTIALS, service: 's3', region: REGION, retries: 0 });
  return {
    server,
    dataDir,
    events,
    sdk,
    aws,
    async restart() {
      sdk.destroy();
      await server.close();
      return startTestServer({ ...options, dataDir });
    },
    async stop() {
      sdk.destroy();
      await server.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};

export type RawResponse = {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
  text: string;
};

/** Sends a request as it stands, with no URL parsing on the way. */
export const sendRaw = (
  server: { port: number },
  input: {
    method: string;
    target: string;
    headers: Record<string, string>;
    body?: Buffer | Readable;
    agent?: Agent;
  },
): Promise<RawResponse> =>
  new Promise((resolve, reject) => {
    const { method, target, headers, body, agent = false } = input;
    const outgoing = request(
      { host: '127.0.0.1', port: server.port, method, path: target, headers, agent },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const whole = Buffer.concat(chunks);
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: whole,
            text: whole.toString('utf8'),
          });
        });
      },
    );
    outgoing.on('error', reject);
    if (body === undefined || Buffer.isBuffer(body)) outgoing.end(body);
    else body.pipe(outgoing);
  });

/** Signs by hand and sends. */
export const sendSigned = (
  server: { port: number },
  input: Omit<RawSigning, 'host'> & { body?: Buffer; contentLength?: boolean },
): Promise<RawResponse> => {
  const signed = signRaw({ ...input, host: `127.0.0.1:${server.port}` });
  const target = input.query === undefined ? input.path : `${input.path}?${input.query}`;
  const length = input.contentLength === false ? {} : { 'content-length': String(input.body?.length ?? 0) };
  return sendRaw(server, {
    method: input.method,
    target,
    headers: { ...length, ...signed.headers },
    ...(input.body && { body: input.body }),
  });
};

export const errorCode = (xml: string): string | undefined => /<Code>([^<]*)<\/Code>/.exec(xml)?.[1];

/** `403 AccessDenied`, from a fetch response or a raw one. */
export const failure = async (response: Response | RawResponse): Promise<string> => {
  const text = response instanceof Response ? await response.text() : response.text;
  return `${response.status} ${errorCode(text)}`;
};

/** Status and code of the error an SDK call fails with. */
export const sdkFailure = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call;
  } catch (error) {
    if (error instanceof S3ServiceException) return `${error.$metadata.httpStatusCode} ${error.name}`;
    throw error;
  }
  throw new Error('the call succeeded');
};

/** Path of an object with the escapes aws4fetch needs: every byte but the unreserved ones. */
export const encodeKey = (key: string): string =>
  key
    .split('/')
    .map((segment) =>
      encodeURIComponent(segment).replace(
        /[!'()*]/g,
        (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
      ),
    )
    .join('/');

export const objectUrl = (server: S3Server, key: string, query = ''): string =>
  `${server.url}/${BUCKET}/${encodeKey(key)}${query === '' ? '' : `?${query}`}`;

/** Every file below a directory, relative. */
export const filesUnder = async (directory: string): Promise<string[]> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
};

/** Bytes that differ everywhere, so that a swapped or repeated part shows. */
export const patternedBytes = (length: number, seed = 1): Buffer => {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let index = 0; index + 4 <= length; index += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes.writeUInt32LE(state, index);
  }
  return bytes;
};

export type PutBody = NonNullable<PutObjectCommandInput['Body']>;
