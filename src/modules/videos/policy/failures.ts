/** Why a video could not be published: a stable code, a sentence its creator understands, and whether trying again may help. */
interface Failure {
  readonly message: string;
  readonly retryable: boolean;
}

export const failures = {
  not_a_video: {
    message: 'This file is not a video we can read. Upload an MP4, MOV, WebM, MKV, AVI, FLV or MPEG file.',
    retryable: false,
  },
  truncated: {
    message: 'The file is incomplete: it ends before the film does. Export it again and upload the new file.',
    retryable: false,
  },
  malformed: {
    message:
      'The file contradicts itself, so it cannot be read safely. Export it again as MP4 and upload the new file.',
    retryable: false,
  },
  too_many_tracks: {
    message: 'The file has more tracks than are accepted. Export it with one picture and a few sound tracks.',
    retryable: false,
  },
  polyglot: {
    message:
      'The file is something else besides a film, such as an archive or a web page. Export the film anew and upload that.',
    retryable: false,
  },
  infected: {
    message:
      'A virus scan found something harmful in the file, so it cannot be used. Check your computer, export the film again and upload the new file.',
    retryable: false,
  },
  scan_unsupported: {
    message:
      'The file cannot be scanned for viruses, for example because it is locked with a password. Export it again as MP4 and upload the new file.',
    retryable: false,
  },
  scan_failed: { message: 'The virus scan of the file failed on our side. Try again.', retryable: true },
  scan_timeout: { message: 'The virus scan of the file did not finish in time. Try again.', retryable: true },
  too_long: { message: 'The film is longer than is allowed. Upload a shorter cut.', retryable: false },
  too_large_dimensions: {
    message: 'The picture is larger than is accepted. Export it at 4K or below and upload it again.',
    retryable: false,
  },
  too_small_dimensions: {
    message: 'The picture is smaller than 32 pixels on a side. Export it larger and upload it again.',
    retryable: false,
  },
  unsupported_shape: {
    message: 'The picture is too long for its width. Export it in a more usual shape and upload it again.',
    retryable: false,
  },
  upload_expired: {
    message: 'The upload was not finished in time. Upload the file again.',
    retryable: false,
  },
  size_mismatch: {
    message: 'The file that arrived has not the size that was announced. Upload it again.',
    retryable: false,
  },
  import_address_refused: {
    message: 'The address leads to a place that is not on the public internet. Import from another one.',
    retryable: false,
  },
  import_not_available: {
    message:
      'The server did not give the file out. Check that the address downloads it, then import it again.',
    retryable: false,
  },
  import_unreachable: {
    message: 'The server of the address did not answer, again and again. Import the file again later.',
    retryable: false,
  },
  import_broken: {
    message: 'The transfer of the file kept breaking off. Import it again later, or upload it.',
    retryable: false,
  },
  import_too_slow: {
    message: 'The file came too slowly from a server that cannot go on where it stopped. Upload it instead.',
    retryable: false,
  },
  import_too_large: { message: 'The file is larger than is accepted.', retryable: false },
  import_over_quota: {
    message: 'The file would go over one of your limits. Make room or wait, then import it again.',
    retryable: false,
  },
  original_dropped: {
    message: 'Converting the film failed, and its file was not kept any longer. Upload it again.',
    retryable: false,
  },
  source_missing: { message: 'The uploaded file is gone. Upload it again.', retryable: false },
  probe_timeout: {
    message: 'We could not read this file. Export it again as MP4 and upload the new file.',
    retryable: false,
  },
  encode_failed: {
    message:
      'Converting the film failed. Try again; if it fails again, export it as MP4 (H.264) and upload that.',
    retryable: true,
  },
  encode_canceled: { message: 'Converting the film was stopped. Try again.', retryable: true },
  encode_lost: { message: 'Converting the film broke off on our side. Try again.', retryable: true },
} as const satisfies Record<string, Failure>;

export type FailureCode = keyof typeof failures;

/** Whether a new attempt may succeed where this one failed. Unusable content stays unusable. */
export const isRetryable = (code: string): boolean =>
  code in failures && failures[code as FailureCode].retryable;

/** Whether the scan came to nothing, so that a new attempt begins there. */
export const isScanFailure = (code: string): boolean => code === 'scan_failed' || code === 'scan_timeout';
