import { mkdirSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { authenticateRequest } from '../aws-gate/body.ts';
import { restJsonRefusal, sendRestJsonError } from '../aws-gate/errors.ts';
import { ApiError, badRequest, conflict, notFound } from './errors.ts';
import { isFinished, type JobRecord, newJobId, presentJob } from './jobs/job.ts';
import { listJobs } from './jobs/list.ts';
import { createJobRunner } from './jobs/runner.ts';
import { createJobStore } from './jobs/store.ts';
import type { MediaConvertOptions } from './ports.ts';
import { probeObject } from './probe/probe.ts';
import type { CreateJobBody } from './settings/create-job.ts';
import { parseCreateJob } from './settings/parse.ts';

const API_PREFIX = '/2017-08-29/';
const MAX_BODY_BYTES = 1_000_000;
/** MediaConvert remembers a client request token for about this long. */
const TOKEN_MEMORY_MS = 60_000;

export type MediaConvertHandler = {
  /** Answers a request of the MediaConvert API; false, with nothing done, when the path belongs to another service. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** Stops transcoding; unfinished jobs go on at the next start. */
  close(): Promise<void>;
};

type Answer = { status: number; body: unknown };

/**
 * MediaConvert's API over a real transcoder. Every request must carry a valid Signature Version 4 for the service
 * `mediaconvert`; the wire is lowerCamelCase JSON with times in epoch seconds. Jobs that an earlier run left
 * unfinished are started again.
 */
export function createMediaConvertHandler(options: MediaConvertOptions): MediaConvertHandler {
  const log = options.log ?? (() => {});
  const now = options.now ?? (() => new Date());
  mkdirSync(options.dataDir, { recursive: true });
  const store = createJobStore(join(options.dataDir, 'jobs'), log);
  const runner = createJobRunner(options, store);
  const arn = (resource: string): string =>
    `arn:aws:mediaconvert:${options.region}:${options.accountId}:${resource}`;
  runner.pump();

  /** @throws ApiError BadRequestException for a queue of another region or account. */
  function queueArnOf(queue: string): string {
    if (!queue.startsWith('arn:')) return arn(`queues/${queue}`);
    const name = queue.split(':queues/')[1] ?? '';
    if (queue !== arn(`queues/${name}`)) {
      throw badRequest(
        `/queue: ${queue} is not a queue of account ${options.accountId} in ${options.region}`,
      );
    }
    return queue;
  }

  async function createJob(body: unknown): Promise<Answer> {
    const request = parseCreateJob(body);
    const queueArn = queueArnOf(request.queue ?? 'Default');
    for (const hop of request.hopDestinations ?? []) if (hop.queue) queueArnOf(hop.queue);
    const earlier = jobWithToken(request);
    if (earlier) return { status: 201, body: { job: presentJob(earlier) } };
    const createdAtMs = now().getTime();
    const id = newJobId(createdAtMs);
    const job: JobRecord = {
      id,
      arn: arn(`jobs/${id}`),
      queueArn,
      status: 'SUBMITTED',
      request,
      createdAtMs,
      attempts: 0,
      warnings: [],
      pendingEvents: [],
    };
    const answer = { status: 201, body: { job: presentJob(job) } };
    await store.save(job);
    runner.pump();
    return answer;
  }

  function jobWithToken(request: CreateJobBody): JobRecord | undefined {
    const token = request.clientRequestToken;
    if (token === undefined) return undefined;
    const sinceMs = now().getTime() - TOKEN_MEMORY_MS;
    return store
      .all()
      .findLast((job) => job.request.clientRequestToken === token && job.createdAtMs > sinceMs);
  }

  function findJob(id: string): JobRecord {
    const job = store.get(id);
    if (!job) throw notFound(`The job ${id} does not exist.`);
    return job;
  }

  async function cancelJob(id: string): Promise<Answer> {
    const job = findJob(id);
    const refusal = (): ApiError => conflict(`Job ${id} is already ${job.status} and cannot be canceled.`);
    if (isFinished(job)) throw refusal();
    await runner.cancel(job);
    if (job.status !== 'CANCELED') throw refusal();
    return { status: 202, body: {} };
  }

  function list(parameters: URLSearchParams): Answer {
    const { jobs, nextToken } = listJobs(store.all(), parameters, queueArnOf);
    return { status: 200, body: { jobs: jobs.map(presentJob), ...(nextToken ? { nextToken } : {}) } };
  }

  async function route(method: string, url: URL, body: () => unknown, host: string): Promise<Answer> {
    const path = url.pathname.slice(API_PREFIX.length);
    const jobId = /^jobs\/([^/]+)$/.exec(path)?.[1];
    switch (`${method} ${jobId === undefined ? path : 'jobs/{id}'}`) {
      case 'POST jobs':
        return createJob(body());
      case 'GET jobs':
      case 'GET search':
        return list(url.searchParams);
      case 'GET jobs/{id}':
        return { status: 200, body: { job: presentJob(findJob(decodeId(jobId))) } };
      case 'DELETE jobs/{id}':
        return cancelJob(decodeId(jobId));
      case 'POST probe':
        return { status: 200, body: await probeObject(body(), options.ffmpeg, options.objectStore) };
      case 'POST endpoints':
        return { status: 200, body: { endpoints: [{ url: `http://${host}` }] } };
      default:
        throw notFound(`${method} ${url.pathname} is not an operation of this service.`);
    }
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    if (!request.url?.startsWith(API_PREFIX)) return false;
    const { region, credentials } = options;
    const gate = await authenticateRequest(
      request,
      { service: 'mediaconvert', region, credentials, now },
      MAX_BODY_BYTES,
    );
    if (!gate.ok) {
      sendRestJsonError(response, restJsonRefusal(gate));
      return true;
    }
    try {
      const url = new URL(request.url, 'http://localhost');
      const host = request.headers.host ?? 'localhost';
      const answer = await route(request.method ?? 'GET', url, () => parseJson(gate.body), host);
      sendJson(response, answer);
    } catch (error) {
      if (!(error instanceof ApiError))
        log(error instanceof Error ? (error.stack ?? error.message) : String(error));
      const known = error instanceof ApiError ? error : undefined;
      sendRestJsonError(response, {
        status: known?.status ?? 500,
        code: known?.type ?? 'InternalServerErrorException',
        message: known?.message ?? 'an unexpected error occurred',
      });
    }
    return true;
  }

  return { handle, close: () => runner.close() };
}

function parseJson(body: Buffer): unknown {
  if (body.length === 0) return {};
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw badRequest('the request body is not valid JSON');
  }
}

function decodeId(id: string | undefined): string {
  try {
    return decodeURIComponent(id ?? '');
  } catch {
    return '';
  }
}

function sendJson(response: ServerResponse, { status, body }: Answer): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length });
  response.end(bytes);
}
