/** A file that can be read from anywhere, again and again. `Blob` and `File` are wrapped by `fromBlob`. */
export interface UploadSource {
  readonly name: string;
  readonly size: number;
  /** MIME type, `video/mp4`. */
  readonly type: string;
  /** Unix milliseconds; 0 when unknown. */
  readonly lastModified: number;
  /** The bytes from `start` up to, not including, `end`. Small ranges only: parts are sent by the transport. */
  read(start: number, end: number): Promise<Uint8Array>;
  /** @throws UploadError `file_changed` when it is not the file it was. */
  verify(): Promise<void>;
}

/** One PUT of a part to its presigned address. */
export interface PartRequest<Source extends UploadSource = UploadSource> {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly source: Source;
  readonly start: number;
  readonly end: number;
  readonly signal: AbortSignal;
  /** Bytes of this part that have gone out so far. */
  readonly onSent: (bytes: number) => void;
}

export interface PartAnswer {
  readonly status: number;
  readonly etag: string | null;
  readonly retryAfter: string | null;
}

/** Sends a part without ever holding more of the file than a small buffer. @throws TypeError when the network fails. */
export type Transport<Source extends UploadSource = UploadSource> = (
  request: PartRequest<Source>,
) => Promise<PartAnswer>;

/** Remembers unfinished uploads across reloads. Values are JSON. */
export interface UploadStore {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
}

export type UploadState =
  | 'idle'
  | 'starting'
  | 'sending'
  | 'paused'
  | 'offline'
  | 'completing'
  | 'complete'
  | 'aborted'
  | 'failed';

export interface UploadProgress {
  readonly bytesSent: number;
  readonly bytesTotal: number;
  /** 0 to 100, whole. */
  readonly percent: number;
  /** Over the last seconds; 0 while nothing moves. */
  readonly bytesPerSecond: number;
  /** Seconds left at that pace; undefined while it is unknown. */
  readonly secondsLeft: number | undefined;
}

export interface UploadEvents {
  progress: UploadProgress;
  state: UploadState;
  /** A part has arrived. */
  part: { readonly partNumber: number; readonly partCount: number };
  /** Something failed and is tried again after `waitMs`. */
  retry: {
    readonly what: string;
    readonly attempt: number;
    readonly waitMs: number;
    readonly reason: string;
  };
}

export interface UploadResult {
  readonly uploadId: string;
  readonly videoId: string;
}

export interface UploaderApi {
  /** `https://api.example.com` */
  readonly baseUrl: string;
  /** The access token; asked again with `refresh` after the API answered 401. */
  readonly getToken: (options: { readonly refresh: boolean }) => string | Promise<string>;
  readonly fetch?: typeof fetch;
}

export interface UploadOptions<Source extends UploadSource = UploadSource> {
  readonly source: Source;
  readonly api: UploaderApi;
  readonly transport: Transport<Source>;
  readonly store: UploadStore;
  /** Title, description, visibility and whatever else `POST /v1/videos/uploads` takes. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Parts on their way at once, 1 to 6. It falls by itself while the network fails. Default 3. */
  readonly concurrency?: number;
  /** Failures in a row of one part or call before the upload fails. Default 8. */
  readonly maxAttempts?: number;
  /** First wait after a failure, which doubles from then on, at most 30 s. Default 500. */
  readonly retryBaseMs?: number;
}

export type UploadErrorCode =
  | 'aborted'
  | 'api_refused'
  | 'file_changed'
  | 'network'
  | 'storage_refused'
  | 'upload_ended';

/** Why an upload ended. `problem` is the API's problem+json when it was the one to refuse. */
export class UploadError extends Error {
  readonly code: UploadErrorCode;
  readonly status: number | undefined;
  readonly problem: Readonly<Record<string, unknown>> | undefined;

  constructor(
    code: UploadErrorCode,
    message: string,
    details: {
      readonly status?: number;
      readonly problem?: Readonly<Record<string, unknown>>;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: details.cause });
    this.name = 'UploadError';
    this.code = code;
    this.status = details.status;
    this.problem = details.problem;
  }
}
