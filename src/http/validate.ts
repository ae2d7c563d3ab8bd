import type { Hook } from '@hono/zod-openapi';
import type { ErrorDetail } from '../shared/errors.ts';
import type { AppEnv } from './env.ts';
import { invalidParameters, invalidRequest, notFound } from './errors.ts';

/** Issue parameter that turns a failed path parameter into a 404: an id of the wrong kind names nothing. */
export const notFoundParam = { notFound: true };

interface Issue {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
  readonly params?: Record<string, unknown>;
}

/** Turns zod failures into problems: 404 for path ids of the wrong kind, 400 for other parameters, 422 for the body. */
export const rejectInvalid: Hook<unknown, AppEnv, string, unknown> = (result) => {
  if (result.success) return;
  const issues = result.error.issues as readonly Issue[];
  if (result.target === 'param') throw notFound();
  const errors = issues.flatMap((issue) => detailsOf(issue, result.target)).slice(0, 20);
  throw result.target === 'json' ? invalidRequest({ errors }) : invalidParameters({ errors });
};

function detailsOf(issue: Issue, target: string): ErrorDetail[] {
  if (issue.code === 'unrecognized_keys')
    return (issue.keys ?? []).map((key) => ({
      pointer: pointerOf([...issue.path, key], target),
      code: 'unknown_field',
      message: 'This field is not known.',
    }));
  return [{ pointer: pointerOf(issue.path, target), code: issue.code, message: issue.message }];
}

const pointerOf = (path: readonly PropertyKey[], target: string): string => {
  const parts = path.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1').slice(0, 100));
  return target === 'json' ? parts.map((part) => `/${part}`).join('') : `?${parts.join('.')}`;
};
