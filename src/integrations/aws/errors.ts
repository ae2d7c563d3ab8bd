/** An AWS service refused a call, failed, or did not answer in time. Its text stays in logs and never reaches clients. */
export class AwsError extends Error {
  readonly service: string;
  readonly operation: string;
  /** The service's own code (`NoSuchUpload`, `NotFoundException`), or `Unreachable` when no answer came. */
  readonly code: string;
  /** HTTP status, 0 when no answer came. S3 may report an error inside a 200. */
  readonly status: number;
  /** Whether the same call may succeed later without anything being changed. */
  readonly retryable: boolean;

  constructor(facts: {
    readonly service: string;
    readonly operation: string;
    readonly code: string;
    readonly status: number;
    readonly detail?: string;
    readonly cause?: unknown;
  }) {
    const { service, operation, code, status, detail, cause } = facts;
    super(
      `${service} ${operation}: ${code}${detail === undefined || detail === '' ? '' : ` (${detail.slice(0, 500)})`}`,
      cause === undefined ? undefined : { cause },
    );
    this.name = 'AwsError';
    this.service = service;
    this.operation = operation;
    this.code = code;
    this.status = status;
    this.retryable = status === 0 || status === 429 || status >= 500 || transientCodes.has(code);
  }
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; S3 may send some of these inside a 200.
const transientCodes = new Set([
  'InternalError',
  'OperationAborted',
  'RequestTimeout',
  'ServiceUnavailable',
  'SlowDown',
  'ThrottlingException',
  'TooManyRequestsException',
]);

/** Whether `error` is an AWS failure with one of the given codes. */
export const isAwsError = (error: unknown, ...codes: readonly string[]): error is AwsError =>
  error instanceof AwsError && (codes.length === 0 || codes.includes(error.code));
