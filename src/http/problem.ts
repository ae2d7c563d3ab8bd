import { AppError } from '../shared/errors.ts';

/** The body of every failure: RFC 9457 with our stable `code`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly code: string;
  readonly request_id: string;
  readonly errors?: readonly { readonly pointer: string; readonly code: string; readonly message: string }[];
}

const internal = { code: 'internal', status: 500, title: 'Something went wrong on our side.' };

/** Builds the problem of an error. Unknown errors say nothing about themselves. */
export function problemOf(error: unknown, requestId: string): Problem {
  if (!(error instanceof AppError))
    return {
      type: 'about:blank',
      title: internal.title,
      status: internal.status,
      code: internal.code,
      request_id: requestId,
    };
  return {
    ...error.extensions,
    type:
      error.status === 429 ? 'https://iana.org/assignments/http-problem-types#quota-exceeded' : 'about:blank',
    title: error.title,
    status: error.status,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    code: error.code,
    request_id: requestId,
    ...(error.errors === undefined ? {} : { errors: error.errors }),
  };
}

export function problemResponse(error: unknown, requestId: string): Response {
  const problem = problemOf(error, requestId);
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: {
      'content-type': 'application/problem+json; charset=utf-8',
      'cache-control': 'no-store',
      ...(error instanceof AppError ? error.headers : {}),
    },
  });
}
