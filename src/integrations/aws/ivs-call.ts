import { backoffMs, sleep } from '../../shared/retry.ts';
import { type AwsCall, type AwsConfig, callAws, readBody } from './client.ts';
import { AwsError, isAwsError } from './errors.ts';

// https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/; REST-JSON, one path for each operation.

/** A type of the AWS SDK as it goes over the wire: names are the same, times are RFC 3339. */
export type IvsWire<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? IvsWire<Item>[]
    : T extends object
      ? { [Key in keyof T]: IvsWire<T[Key]> }
      : T;

// An operation has five requests a second for the whole account, so that one that waits its turn is soon through.
const throttledAttempts = 4;
const throttledBaseMs = 200;

/**
 * Calls an operation. One refused for coming too fast has done nothing, and is tried again in a while whatever `retries` says.
 * @throws AwsError
 */
export async function callIvs<T>(
  config: AwsConfig,
  call: { readonly operation: string; readonly body: object; readonly retries: AwsCall['retries'] },
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await callOnce<T>(config, call);
    } catch (error) {
      if (!isAwsError(error, 'ThrottlingException') || attempt === throttledAttempts) throw error;
      await sleep(throttledBaseMs + backoffMs(attempt, throttledBaseMs));
    }
  }
}

/**
 * The same, for what may name something that is not there (any more).
 * @returns undefined when IVS answers with one of `absent`.
 */
export async function callIvsIfPresent<T>(
  config: AwsConfig,
  call: Parameters<typeof callIvs>[1],
  ...absent: readonly string[]
): Promise<T | undefined> {
  try {
    return await callIvs<T>(config, call);
  } catch (error) {
    if (isAwsError(error, ...absent)) return undefined;
    throw error;
  }
}

async function callOnce<T>(
  config: AwsConfig,
  { operation, body, retries }: Parameters<typeof callIvs>[1],
): Promise<T> {
  const endpoint =
    config.ivsEndpoint === '' ? `https://ivs.${config.region}.amazonaws.com` : config.ivsEndpoint;
  const response = await callAws(config, {
    service: 'ivs',
    operation,
    method: 'POST',
    url: `${endpoint}/${operation}`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    retries,
    parseError: errorOf,
  });
  const text = await readBody({ service: 'ivs', operation }, response.text());
  try {
    return JSON.parse(text === '' ? '{}' : text) as T;
  } catch (cause) {
    throw new AwsError({ service: 'ivs', operation, code: 'MalformedAnswer', status: 502, cause });
  }
}

async function errorOf(response: Response): Promise<{ code: string; detail?: string }> {
  const text = await response.text().catch(() => '');
  // `Type:http://...` after a colon is not part of the name (https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html).
  const code = response.headers.get('x-amzn-errortype')?.split(':')[0] ?? `Http${response.status}`;
  try {
    const { exceptionMessage } = JSON.parse(text) as { exceptionMessage?: unknown };
    return typeof exceptionMessage === 'string' ? { code, detail: exceptionMessage } : { code };
  } catch {
    return { code };
  }
}
