import { z } from 'zod';
import { badRequest } from '../errors.ts';
import { describeIssues } from '../settings/parse.ts';
import type { JobRecord } from './job.ts';

const MAX_PAGE = 20;

const listQuery = z.strictObject({
  status: z.enum(['SUBMITTED', 'PROGRESSING', 'COMPLETE', 'CANCELED', 'ERROR']).optional(),
  order: z.enum(['ASCENDING', 'DESCENDING']).optional(),
  queue: z.string().max(1024).optional(),
  maxResults: z
    .string()
    .regex(/^([1-9]|1\d|20)$/, `must be a number from 1 to ${MAX_PAGE}`)
    .optional(),
  nextToken: z.string().max(1024).optional(),
  inputFile: z.string().min(1).max(300).optional(),
});

/**
 * One page of jobs for ListJobs and SearchJobs, newest first unless asked otherwise. The token names the last job of
 * the page, so that jobs created meanwhile shift nothing.
 * @throws ApiError BadRequestException for an unknown or invalid query parameter or token.
 */
export function listJobs(
  jobs: readonly JobRecord[],
  parameters: URLSearchParams,
  queueArnOf: (queue: string) => string,
): { jobs: JobRecord[]; nextToken: string | undefined } {
  const parsed = listQuery.safeParse(Object.fromEntries(parameters));
  if (!parsed.success) throw badRequest(describeIssues(parsed.error.issues));
  const query = parsed.data;
  const ascending = query.order === 'ASCENDING';
  const queueArn = query.queue === undefined ? undefined : queueArnOf(query.queue);
  const after = query.nextToken === undefined ? undefined : decodeToken(query.nextToken, ascending);
  const matching = jobs
    .filter((job) => query.status === undefined || job.status === query.status)
    .filter((job) => queueArn === undefined || job.queueArn === queueArn)
    .filter((job) => matchesInput(job, query.inputFile))
    .sort((a, b) => (ascending ? 1 : -1) * compare(a, b))
    .filter((job) => after === undefined || (ascending ? compare(job, after) > 0 : compare(job, after) < 0));
  const page = matching.slice(0, Number(query.maxResults ?? MAX_PAGE));
  const last = page.at(-1);
  return {
    jobs: page,
    nextToken: last && matching.length > page.length ? encodeToken(last, ascending) : undefined,
  };
}

function matchesInput(job: JobRecord, wanted: string | undefined): boolean {
  if (wanted === undefined) return true;
  const fileInput = job.request.settings.inputs[0]?.fileInput ?? '';
  return fileInput.toLowerCase().includes(wanted.toLowerCase());
}

type Position = Pick<JobRecord, 'createdAtMs' | 'id'>;

function compare(a: Position, b: Position): number {
  return a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

function encodeToken(job: Position, ascending: boolean): string {
  return Buffer.from(JSON.stringify([job.createdAtMs, job.id, ascending])).toString('base64url');
}

const token = z.tuple([z.number(), z.string(), z.boolean()]);

function decodeToken(text: string, ascending: boolean): Position {
  try {
    const [createdAtMs, id, order] = token.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    if (order === ascending) return { createdAtMs, id };
  } catch {
    // Told below, together with a token of the other order.
  }
  throw badRequest('/nextToken: is not a token of this listing');
}
