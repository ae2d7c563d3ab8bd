const mebibyte = 1_048_576;

/** The file that is uploaded: five parts, as the API cuts them. */
export const film = { sizeBytes: 50 * mebibyte, partBytes: 10 * mebibyte, partCount: 5 } as const;

export const partNumbers: readonly number[] = Array.from({ length: film.partCount }, (_, index) => index + 1);

/** What S3 would have answered to a part. */
export const etagOf = (partNumber: number): string => String(partNumber).padStart(32, '0');

/** One request of the sender. */
export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The four steps of an upload, in order; between the second and the third the parts would go to S3. */
export const steps = ['start', 'sign', 'acknowledge', 'complete'] as const;
export type Step = (typeof steps)[number];

export const titles: Readonly<Record<Step, string>> = {
  start: 'POST /v1/videos/uploads',
  sign: 'POST /v1/videos/uploads/{id}/parts',
  acknowledge: 'PUT /v1/videos/uploads/{id}/parts',
  complete: 'POST /v1/videos/uploads/{id}/complete',
};

/** What a client sends in a step; `uploadId` is of no matter at the start. */
export function requestOf(step: Step, token: string, uploadId: string): Sent {
  const path = `/v1/videos/uploads${step === 'start' ? '' : `/${uploadId}`}`;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const parts = partNumbers.map((part_number) => ({ part_number, etag: etagOf(part_number) }));
  switch (step) {
    case 'start':
      return {
        method: 'POST',
        path,
        // Every real start has one.
        headers: { ...headers, 'idempotency-key': crypto.randomUUID() },
        body: JSON.stringify({
          file_name: 'film.mp4',
          content_type: 'video/mp4',
          size_bytes: film.sizeBytes,
        }),
      };
    case 'sign':
      return {
        method: 'POST',
        path: `${path}/parts`,
        headers,
        body: JSON.stringify({ part_numbers: partNumbers }),
      };
    case 'acknowledge':
      return { method: 'PUT', path: `${path}/parts`, headers, body: JSON.stringify({ parts }) };
    case 'complete':
      return { method: 'POST', path: `${path}/complete`, headers, body: JSON.stringify({ parts }) };
  }
}
