import type { z } from 'zod';
import { badRequest } from '../errors.ts';
import { checkJob } from './check.ts';
import { type CreateJobBody, createJobBody } from './create-job.ts';

const MAX_REPORTED_ISSUES = 5;

/**
 * Turns a decoded CreateJob body into settings that the transcoder can carry out in full.
 * @throws ApiError BadRequestException naming every setting that is wrong or not supported, by JSON pointer.
 */
export function parseCreateJob(body: unknown): CreateJobBody {
  const parsed = createJobBody.safeParse(body);
  if (!parsed.success) throw badRequest(describeIssues(parsed.error.issues));
  const problems = checkJob(parsed.data);
  if (problems.length > 0) throw badRequest(problems.slice(0, MAX_REPORTED_ISSUES).join('; '));
  return parsed.data;
}

/** One sentence per problem: `/settings/inputs/0/fileInput: is required`. */
export function describeIssues(issues: readonly z.core.$ZodIssue[]): string {
  return issues.slice(0, MAX_REPORTED_ISSUES).map(describeIssue).join('; ');
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.map((part) => `/${String(part)}`).join('') || '/';
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => describeUnknown(path, key)).join('; ');
  if (issue.code === 'invalid_value') return `${path}: must be one of ${issue.values.join(', ')}`;
  if (issue.code === 'invalid_union')
    return `${path}: is missing its type, or its type is not supported here`;
  if (issue.code === 'invalid_type' && issue.message.includes('received undefined'))
    return `${path}: is required`;
  return `${path}: ${issue.message}`;
}

function describeUnknown(path: string, key: string): string {
  const where = `${path === '/' ? '' : path}/${key}`;
  return /^[A-Z]/.test(key)
    ? `${where}: unknown setting; the wire format is lowerCamelCase`
    : `${where}: unknown setting, or one that the local cloud does not support`;
}
