import { AwsClient, AwsV4Signer } from 'aws4fetch';
import type { Config } from '../../config/index.ts';
import { sha256 } from '../../shared/crypto.ts';
import { hex } from '../../shared/encoding.ts';
import { backoffMs, createRetryBudget, sleep } from '../../shared/retry.ts';
import { AwsError } from './errors.ts';

export type AwsConfig = Config['aws'];

export interface AwsCall {
  /** Signing name of the service: `s3`, `mediaconvert`. Never guessed from the host. */
  readonly service: string;
  /** Where the signature is for, if not where the buckets are: services that are everywhere sign for one region. */
  readonly region?: string;
  readonly operation: string;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Already percent-encoded. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** How often to try again after a failure that may pass. Only for calls that do no harm twice. */
  readonly retries: 0 | 1 | 2;
  /** Deadline of one attempt; `AWS_REQUEST_TIMEOUT_MS` when absent. */
  readonly timeoutMs?: number;
  /** Reads the error of an answer that is not a success. */
  readonly parseError: (response: Response) => Promise<{ readonly code: string; readonly detail?: string }>;
}

const budgets = new Map<string, ReturnType<typeof createRetryBudget>>();
const clients = new WeakMap<AwsConfig, AwsClient>();

function clientOf(config: AwsConfig): AwsClient {
  let client = clients.get(config);
  if (client === undefined) {
    const { accessKeyId, secretAccessKey, region } = config;
    client = new AwsClient({ accessKeyId, secretAccessKey, region, retries: 0 });
    clients.set(config, client);
  }
  return client;
}

/**
 * One signed call (SigV4, header form) under the configured deadline. Redirects are not followed: a signature is for one host.
 * @returns an answer with a 2xx status, body unread.
 * @throws AwsError for every other outcome.
 */
export async function callAws(config: AwsConfig, call: AwsCall): Promise<Response> {
  let budget = budgets.get(call.service);
  if (budget === undefined) {
    budget = createRetryBudget();
    budgets.set(call.service, budget);
  }
  budget.earn();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await attemptCall(config, call);
    } catch (error) {
      if (!(error instanceof AwsError) || !error.retryable || attempt > call.retries || !budget.spend())
        throw error;
      await sleep(backoffMs(attempt, 100));
    }
  }
}

async function attemptCall(config: AwsConfig, call: AwsCall): Promise<Response> {
  const { service, operation } = call;
  const headers: Record<string, string> = { ...call.headers };
  // aws4fetch would otherwise send UNSIGNED-PAYLOAD to S3 (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
  if (service === 's3') headers['x-amz-content-sha256'] = hex(await sha256(call.body ?? ''));
  const request = await clientOf(config).sign(call.url, {
    method: call.method,
    headers,
    ...(call.body === undefined ? {} : { body: call.body }),
    aws: { service, region: call.region ?? config.region },
  });
  let response: Response;
  try {
    response = await fetch(request, {
      redirect: 'manual',
      signal: AbortSignal.timeout(call.timeoutMs ?? config.requestTimeoutMs),
    });
  } catch (cause) {
    throw new AwsError({ service, operation, code: 'Unreachable', status: 0, cause });
  }
  if (response.ok) return response;
  const { code, detail } = await call.parseError(response);
  throw new AwsError({
    service,
    operation,
    code,
    status: response.status,
    ...(detail === undefined ? {} : { detail }),
  });
}

/**
 * Reads the body of a 2xx answer; a connection that breaks in the middle is an `AwsError` like any other.
 * @throws AwsError
 */
export async function readBody<T>(
  call: Pick<AwsCall, 'service' | 'operation'>,
  read: Promise<T>,
): Promise<T> {
  try {
    return await read;
  } catch (cause) {
    const { service, operation } = call;
    throw new AwsError({ service, operation, code: 'Unreachable', status: 0, cause });
  }
}

/**
 * A presigned URL (SigV4, query form). Every header in `headers` becomes part of the signature, so the client must send it
 * with exactly that value.
 */
export async function presignAws(
  config: AwsConfig,
  request: {
    readonly service: string;
    readonly method: 'GET' | 'PUT';
    /** Already percent-encoded. */
    readonly url: string;
    readonly headers?: Readonly<Record<string, string>>;
    /** 1 to 604,800. */
    readonly ttlSeconds: number;
    /** Unix milliseconds at which the life of the URL begins. */
    readonly nowMs: number;
  },
): Promise<string> {
  const { accessKeyId, secretAccessKey, cache } = clientOf(config);
  const url = new URL(request.url);
  url.searchParams.set('X-Amz-Expires', String(request.ttlSeconds));
  const signed = await new AwsV4Signer({
    method: request.method,
    url: url.toString(),
    headers: { ...request.headers },
    accessKeyId,
    secretAccessKey,
    service: request.service,
    region: config.region,
    cache,
    datetime: new Date(request.nowMs).toISOString().replace(/[:-]|\.\d{3}/g, ''),
    signQuery: true,
    // Content-Length and Content-Type are left out of the signature otherwise.
    allHeaders: true,
  }).sign();
  return signed.url.toString();
}
