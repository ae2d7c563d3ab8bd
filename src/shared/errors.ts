/** One thing wrong with a request. `pointer` is a JSON Pointer (RFC 6901) into the body, or `?name` / `:name` for query and path. */
export interface ErrorDetail {
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
}

export interface AppErrorOptions {
  readonly detail?: string;
  readonly errors?: readonly ErrorDetail[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Members a problem type defines beside the standard ones (RFC 9457 §3.2). */
  readonly extensions?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** A failure with a stable code that clients may rely on. Anything else that is thrown becomes an opaque 500. */
export class AppError extends Error {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string | undefined;
  readonly errors: readonly ErrorDetail[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly extensions: Readonly<Record<string, unknown>>;

  constructor(definition: ErrorDefinition, options: AppErrorOptions = {}) {
    super(
      options.detail ?? definition.title,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = 'AppError';
    this.code = definition.code;
    this.status = definition.status;
    this.title = definition.title;
    this.detail = options.detail;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
    this.extensions = options.extensions ?? {};
  }
}

export interface ErrorDefinition {
  /** `domain.reason`, stable. */
  readonly code: string;
  readonly status: number;
  /** One sentence for people that says what to do next where something can be done. */
  readonly title: string;
}

/** Every error code the API can answer with; the documentation lists it. */
export const errorRegistry: ErrorDefinition[] = [];

/** Declares a named error once and returns the function that makes it. */
export function defineError(definition: ErrorDefinition): (options?: AppErrorOptions) => AppError {
  errorRegistry.push(definition);
  return (options) => new AppError(definition, options);
}
