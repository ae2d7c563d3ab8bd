/** A MediaConvert API error: answered as `{"message"}` with the type in `x-amzn-ErrorType`. */
export class ApiError extends Error {
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.type = type;
  }
}

export const badRequest = (message: string) => new ApiError(400, 'BadRequestException', message);
export const notFound = (message: string) => new ApiError(404, 'NotFoundException', message);
export const conflict = (message: string) => new ApiError(409, 'ConflictException', message);

/**
 * Why a job failed, with a code from MediaConvert's table of job errors: 1010 the input cannot be opened, 1030 it has
 * nothing usable for the outputs, 1040 the pipeline failed, 1076 the input broke off, 1404 the input does not exist,
 * 1999 unknown, 3450 the encoder failed.
 */
export class JobFailure extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'JobFailure';
    this.code = code;
  }
}
