import { env } from 'cloudflare:workers';
import { inject } from 'vitest';
import { type Bindings, type RequestContext, servicesOf } from '../../../src/context.ts';
import { systemContext } from '../../../src/jobs/system-context.ts';
import { decodeId } from '../../../src/shared/ids.ts';
import { call, callJson, type TestUser } from './client.ts';
import { testEnv } from './env.ts';
import { deliver, deliverEvents, takeMessages } from './queues.ts';
import { putMessages } from './recording-queue.ts';

/** A film made by ffmpeg for the tests, see node/media-fixtures.ts. */
export async function film(name: string): Promise<Uint8Array> {
  const response = await fetch(`${inject('mediaConvertUrl')}/test/media/${name}`);
  if (!response.ok) throw new Error(`no film ${name}: ${response.status} ${await response.text()}`);
  return new Uint8Array(await response.arrayBuffer());
}

export interface PartUrl {
  readonly part_number: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly size_bytes: number;
  readonly expires_at: string;
}

export interface StartedUpload {
  readonly id: string;
  readonly video_id: string;
  readonly state: string;
  readonly size_bytes: number;
  readonly part_size_bytes: number;
  readonly part_count: number;
  readonly expires_at: string;
  readonly parts: readonly PartUrl[];
}

export interface VideoJson {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly visibility: string;
  readonly owner: { readonly id: string; readonly username: string };
  readonly state: string;
  readonly progress_percent: number;
  readonly phase: string | null;
  readonly failure: { readonly code: string; readonly message: string; readonly retryable: boolean } | null;
  readonly duration_seconds: number | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly renditions: readonly { readonly name: string; readonly width: number; readonly height: number }[];
  readonly thumbnails: readonly string[];
  readonly hls_url: string | null;
  readonly dash_url: string | null;
  readonly published_at: string | null;
}

export const mebibyte = 1_048_576;

export const uploadBody = (overrides: Readonly<Record<string, unknown>> = {}) => ({
  file_name: 'My holiday.mp4',
  size_bytes: 1_000,
  content_type: 'video/mp4',
  ...overrides,
});

export async function startUpload(
  user: TestUser,
  overrides: Readonly<Record<string, unknown>> = {},
): Promise<StartedUpload> {
  const upload = await callJson<StartedUpload>(201, 'POST', '/v1/videos/uploads', {
    token: user.token,
    body: uploadBody(overrides),
  });
  return upload;
}

/** Sends the bytes of one part as a client would. */
export const putPart = (part: PartUrl, bytes: Uint8Array): Promise<Response> =>
  fetch(part.url, { method: 'PUT', headers: { ...part.headers }, body: bytes });

export interface CompletedPart {
  readonly part_number: number;
  readonly etag: string;
}

/** Sends every part of a file; returns what the completion must list. */
export async function putParts(upload: StartedUpload, bytes: Uint8Array): Promise<CompletedPart[]> {
  const parts: CompletedPart[] = [];
  for (const part of upload.parts) {
    const start = (part.part_number - 1) * upload.part_size_bytes;
    const response = await putPart(part, bytes.subarray(start, start + part.size_bytes));
    if (!response.ok)
      throw new Error(`part ${part.part_number}: ${response.status} ${await response.text()}`);
    parts.push({ part_number: part.part_number, etag: response.headers.get('etag') ?? '' });
  }
  return parts;
}

export const complete = (
  user: TestUser,
  uploadId: string,
  parts: readonly CompletedPart[],
): Promise<Response> =>
  call('POST', `/v1/videos/uploads/${uploadId}/complete`, { token: user.token, body: { parts } });

export interface UploadedFilm {
  readonly videoId: string;
  readonly videoUuid: string;
  readonly uploadId: string;
}

/** Uploads a whole file, which then lies in quarantine; its `video.uploaded` message waits to be delivered. */
export async function uploadToQuarantine(
  user: TestUser,
  bytes: Uint8Array,
  overrides: Readonly<Record<string, unknown>> = {},
): Promise<UploadedFilm> {
  const upload = await startUpload(user, { size_bytes: bytes.length, ...overrides });
  const response = await complete(user, upload.id, await putParts(upload, bytes));
  if (response.status !== 200) throw new Error(`complete: ${response.status} ${await response.text()}`);
  return { videoId: upload.video_id, videoUuid: uuidOf(upload.video_id), uploadId: upload.id };
}

/** What the scanner has reported about the files of a video so far. */
export async function scanEvents(videoUuid: string): Promise<ScanEvent[]> {
  const response = await fetch(`${inject('mediaConvertUrl')}/test/scans`);
  const events = (await response.json()) as ScanEvent[];
  return events.filter((event) => event.detail.s3ObjectDetails.objectKey.includes(`/${videoUuid}/`));
}

export interface ScanEvent {
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly time: string;
  readonly detail: {
    readonly s3ObjectDetails: {
      readonly bucketName: string;
      readonly objectKey: string;
      readonly eTag: string;
    };
    readonly scanResultDetails: {
      readonly scanResultStatus: string;
      readonly threats: readonly { readonly name: string }[] | null;
    };
  };
}

/** Uploads a whole file and has it scanned; what follows, its `video.released` message, waits to be delivered. */
export async function uploadFilm(
  user: TestUser,
  bytes: Uint8Array,
  overrides: Readonly<Record<string, unknown>> = {},
): Promise<UploadedFilm> {
  const others = takeMessages();
  const uploaded = await uploadToQuarantine(user, bytes, overrides);
  for (const event of await scanEvents(uploaded.videoUuid)) await sendWebhook(event);
  await deliver(takeMessages());
  putMessages([...others, ...takeMessages()]);
  return uploaded;
}

export const uuidOf = (videoId: string): string => decodeId('video', videoId) ?? '';

export async function getVideo(videoId: string, viewer?: TestUser): Promise<VideoJson> {
  const video = await callJson<VideoJson>(200, 'GET', `/v1/videos/${videoId}`, {
    token: viewer?.token,
  });
  return video;
}

export interface PlaybackJson {
  readonly captions: readonly { readonly language: string; readonly label: string; readonly url: string }[];
  readonly hls_url: string;
  readonly dash_url: string;
  readonly storyboard_url: string | null;
  readonly preview_url: string | null;
  readonly download_url: string | null;
  readonly thumbnails: readonly string[];
  /** What every further request for a file of the video needs. */
  readonly query: string;
}

/** Signed addresses of a video's files, as a player gets them. */
export const getPlayback = (videoId: string, viewer?: TestUser): Promise<PlaybackJson> =>
  callJson<PlaybackJson>(200, 'POST', `/v1/videos/${videoId}/playback`, { token: viewer?.token });

export interface JobEvent {
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly time: string;
  readonly detail: Readonly<Record<string, unknown>> & {
    readonly jobId: string;
    readonly status: string;
    readonly timestamp: number;
    readonly userMetadata: Readonly<Record<string, string>>;
  };
}

/** Events MediaConvert has sent about a video so far. */
export async function jobEvents(videoUuid: string): Promise<JobEvent[]> {
  const response = await fetch(`${inject('mediaConvertUrl')}/test/events`);
  const events = (await response.json()) as JobEvent[];
  return events.filter((event) => event.detail.userMetadata.video_id === videoUuid);
}

const ends = new Set(['COMPLETE', 'ERROR', 'CANCELED']);

/** Waits until `jobs` encodes of a video have ended; returns every event about them, in order. */
export async function endedJobEvents(videoUuid: string, jobs = 1): Promise<JobEvent[]> {
  for (let tries = 0; tries < 600; tries += 1) {
    const events = await jobEvents(videoUuid);
    if (events.filter((event) => ends.has(event.detail.status)).length >= jobs) return events;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the encode of ${videoUuid} does not end`);
}

/** Delivers an event to the webhook as EventBridge would. */
export const sendWebhook = (
  event: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> =>
  call('POST', '/v1/webhooks/aws', {
    body: event,
    headers: { 'x-api-key': String(testEnv(env).AWS_WEBHOOK_SECRET), ...headers },
  });

/** Uploads, probes, encodes and publishes a film for real. */
export async function publishFilm(
  user: TestUser,
  bytes: Uint8Array,
  overrides: Readonly<Record<string, unknown>> = {},
): Promise<UploadedFilm> {
  const uploaded = await uploadFilm(user, bytes, overrides);
  await deliverEvents();
  for (const event of await endedJobEvents(uploaded.videoUuid)) await sendWebhook(event);
  await deliverEvents();
  return uploaded;
}

/** A context to call verbs with, as `user` or as a job, with some settings changed and the clock moved. */
export function contextOf(
  options: {
    readonly user?: TestUser;
    readonly settings?: Readonly<Record<string, string>>;
    readonly clockMs?: number;
  } = {},
): RequestContext {
  const bindings: Bindings =
    options.settings === undefined ? testEnv(env) : { ...testEnv(env), ...options.settings };
  const ctx = systemContext(servicesOf(bindings), { job: 'test' });
  const { user, clockMs } = options;
  return {
    ...ctx,
    ...(clockMs === undefined ? {} : { clock: { now: () => clockMs } }),
    ...(user === undefined
      ? {}
      : {
          actor: {
            kind: 'user',
            userId: user.uuid,
            sessionId: user.sessionUuid,
            scopes: ['user'],
            amr: ['pwd'],
            authTime: 0,
            epoch: 0,
          },
        }),
  };
}
