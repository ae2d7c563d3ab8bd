import type {
  CreateJobRequest,
  Job as SdkJob,
  ProbeResult as SdkProbeResult,
} from '@aws-sdk/client-mediaconvert';
import { type AwsCall, type AwsConfig, callAws, readBody } from './client.ts';
import { AwsError, isAwsError } from './errors.ts';
import { toWire, type Wire } from './mediaconvert-wire.ts';

// https://docs.aws.amazon.com/mediaconvert/latest/apireference/resources.html; the API's only version is 2017-08-29.

export type { CreateJobRequest, JobSettings } from './mediaconvert-wire.ts';
export type Job = Wire<SdkJob>;
export type ProbeResult = Wire<SdkProbeResult>;

async function callMediaConvert<T>(
  config: AwsConfig,
  call: Pick<AwsCall, 'operation' | 'method' | 'retries'> & {
    readonly path: string;
    readonly body?: unknown;
  },
): Promise<T> {
  const { operation, method, retries, path, body } = call;
  const endpoint =
    config.mediaConvertEndpoint === ''
      ? `https://mediaconvert.${config.region}.amazonaws.com`
      : config.mediaConvertEndpoint;
  const response = await callAws(config, {
    service: 'mediaconvert',
    operation,
    method,
    url: `${endpoint}/2017-08-29${path}`,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    retries,
    parseError: errorOf,
  });
  const text = await readBody({ service: 'mediaconvert', operation }, response.text());
  try {
    return JSON.parse(text === '' ? '{}' : text) as T;
  } catch (cause) {
    throw new AwsError({ service: 'mediaconvert', operation, code: 'MalformedAnswer', status: 502, cause });
  }
}

async function errorOf(response: Response): Promise<{ code: string; detail?: string }> {
  const text = await response.text().catch(() => '');
  // `Type:http://...` after a colon is not part of the name (https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html).
  const code = response.headers.get('x-amzn-errortype')?.split(':')[0] ?? `Http${response.status}`;
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === 'string' ? { code, detail: message } : { code };
  } catch {
    return { code };
  }
}

/**
 * Submits a job. The same `ClientRequestToken` within about a minute names the same job, so this may be repeated at once.
 * @throws AwsError
 */
export async function createJob(config: AwsConfig, request: CreateJobRequest): Promise<Job> {
  const { job } = await callMediaConvert<{ job: Job }>(config, {
    operation: 'CreateJob',
    method: 'POST',
    path: '/jobs',
    body: toWire(request),
    retries: 1,
  });
  return job;
}

/** @returns undefined when MediaConvert knows no such job; it forgets them after 90 days. */
export async function getJob(config: AwsConfig, jobId: string): Promise<Job | undefined> {
  try {
    const { job } = await callMediaConvert<{ job: Job }>(config, {
      operation: 'GetJob',
      method: 'GET',
      path: `/jobs/${encodeURIComponent(jobId)}`,
      retries: 2,
    });
    return job;
  } catch (error) {
    if (isAwsError(error, 'NotFoundException')) return undefined;
    throw error;
  }
}

/** The newest jobs of a queue, at most 20. */
export async function listRecentJobs(config: AwsConfig, queueArn: string): Promise<Job[]> {
  const { jobs } = await callMediaConvert<{ jobs?: Job[] }>(config, {
    operation: 'ListJobs',
    method: 'GET',
    path: `/jobs?maxResults=20&order=DESCENDING&queue=${encodeURIComponent(queueArn)}`,
    retries: 2,
  });
  return jobs ?? [];
}

/** Stops a job. Does nothing when it is gone or already finished. */
export async function cancelJob(config: AwsConfig, jobId: string): Promise<void> {
  try {
    await callMediaConvert(config, {
      operation: 'CancelJob',
      method: 'DELETE',
      path: `/jobs/${encodeURIComponent(jobId)}`,
      retries: 2,
    });
  } catch (error) {
    if (!isAwsError(error, 'NotFoundException', 'ConflictException')) throw error;
  }
}

/**
 * Container, tracks, size and duration of an object, read by MediaConvert.
 * @throws AwsError `BadRequestException` when it cannot read the file as media.
 */
export async function probe(
  config: AwsConfig,
  target: { readonly bucket: string; readonly key: string },
): Promise<ProbeResult | undefined> {
  const { probeResults } = await callMediaConvert<{ probeResults?: ProbeResult[] }>(config, {
    operation: 'Probe',
    method: 'POST',
    path: '/probe',
    body: { inputFiles: [{ fileUrl: `s3://${target.bucket}/${target.key}` }] },
    retries: 1,
  });
  return probeResults?.[0];
}
