import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { locateFfmpeg } from '../../local-cloud/ffmpeg/index.ts';
import { type ApiClient, createApiClient } from './api.ts';
import {
  type DecodedMedia,
  decodePlaylist,
  fetchText,
  type HlsVariant,
  isJpeg,
  parseMaster,
} from './playback.ts';
import { completeUpload, sendMissingParts, type Upload } from './upload.ts';

export interface TourOptions {
  readonly apiUrl: string;
  /** A film of at least 20 s. */
  readonly film: string;
  readonly title: string;
  readonly say: (line: string) => void;
  /** Called over and over while something takes long; `share` is 0..1. */
  readonly progress: (what: string, share: number) => void;
  readonly timeoutMs?: number;
}

export interface VideoView {
  readonly id: string;
  readonly state: string;
  readonly progress_percent: number;
  readonly failure: { readonly code: string; readonly message: string } | null;
  readonly duration_seconds: number | null;
  readonly thumbnails: readonly string[];
  readonly hls_url: string | null;
  readonly dash_url: string | null;
}

export interface TourResult {
  readonly video: VideoView;
  readonly hlsUrl: string;
  readonly dashUrl: string;
  readonly variants: readonly (HlsVariant & DecodedMedia)[];
  readonly audioPlaylists: number;
  readonly dash: string;
  readonly jpegThumbnails: number;
  /** Percentages seen while transcoding, in order. */
  readonly progressSeen: readonly number[];
  readonly partsHeldAfterInterruption: number;
  readonly post: FeedPost;
  readonly viewer: { readonly username: string; readonly password: string };
}

export interface FeedPost {
  readonly id: string;
  readonly text: string;
  readonly liked: boolean;
  readonly like_count: number;
  readonly video: { readonly id: string; readonly hls_url: string | null } | null;
}

/** The platform's main job, over HTTP only: two people, one real film, from upload to a follower's feed. */
export async function runTour(options: TourOptions): Promise<TourResult> {
  const { say, apiUrl } = options;
  const suffix = Date.now().toString(36);
  const password = `tour-${suffix}-pass phrase`;
  const [creator, viewer] = [`creator_${suffix}`, `viewer_${suffix}`];
  const creatorAccount = await register(apiUrl, creator, password);
  const viewerAccount = await register(apiUrl, viewer, password);
  say(`registered @${creator} and @${viewer}`);

  const upload = await interruptAndResume(creatorAccount.api, options);
  const { video, progressSeen } = await waitUntilPublished(creatorAccount.api, upload.videoId, options);
  say(`published ${video.id}: ${video.duration_seconds} s`);

  const text = `${options.title} is up! #firstfilm`;
  const post = await creatorAccount.api.send<FeedPost>('POST', '/v1/posts', {
    text,
    video_id: video.id,
  });
  await viewerAccount.api.send('PUT', `/v1/users/${creatorAccount.userId}/follow`);
  const seen = await findInFeed(viewerAccount.api, post.id, options);
  await viewerAccount.api.send('PUT', `/v1/posts/${post.id}/like`);
  say(`@${viewer} follows @${creator}, sees the post in the home feed and likes it`);

  const playback = await checkPlayback(video, viewerAccount.api, options);
  const liked = await waitForLike(viewerAccount.api, post.id, options);
  return {
    video,
    progressSeen,
    partsHeldAfterInterruption: upload.partsHeldAfterInterruption,
    post: { ...seen, liked: liked.liked, like_count: liked.like_count },
    viewer: { username: viewer, password },
    ...playback,
  };
}

interface Account {
  readonly api: ApiClient;
  readonly userId: string;
}

async function register(apiUrl: string, username: string, password: string): Promise<Account> {
  const anonymous = createApiClient(apiUrl);
  const session = await anonymous.send<{ user: { id: string }; access_token: string }>(
    'POST',
    '/v1/auth/register',
    {
      username,
      email: `${username}@example.com`,
      password,
    },
  );
  return { api: createApiClient(apiUrl, session.access_token), userId: session.user.id };
}

async function interruptAndResume(
  api: ApiClient,
  options: TourOptions,
): Promise<{ videoId: string; partsHeldAfterInterruption: number }> {
  const { size } = await stat(options.film);
  const upload = await api.send<Upload>('POST', '/v1/videos/uploads', {
    file_name: 'film.mp4',
    size_bytes: size,
    content_type: 'video/mp4',
    title: options.title,
  });
  options.say(
    `uploading ${(size / 1e6).toFixed(1)} MB in ${upload.part_count} parts, straight to the object store`,
  );
  const shared = {
    api,
    file: options.film,
    sizeBytes: size,
    uploadId: upload.id,
    onProgress: (share: number) => options.progress('upload', share),
  };
  const stopAfterParts = Math.max(1, Math.floor(upload.part_count / 2));
  await sendMissingParts({ ...shared, stopAfterParts });
  const held = await api.get<{ held_parts: readonly unknown[] }>(`/v1/videos/uploads/${upload.id}`);
  const partsHeldAfterInterruption = held.held_parts.length;
  options.say(
    `connection lost after ${partsHeldAfterInterruption} of ${upload.part_count} parts; resuming with the rest`,
  );
  await sendMissingParts(shared);
  await completeUpload(api, upload.id);
  options.say('upload complete');
  return { videoId: upload.video_id, partsHeldAfterInterruption };
}

async function waitUntilPublished(
  api: ApiClient,
  videoId: string,
  options: TourOptions,
): Promise<{ video: VideoView; progressSeen: number[] }> {
  const progressSeen: number[] = [];
  const video = await poll(options, `video ${videoId} to be published`, async () => {
    const current = await api.get<VideoView>(`/v1/videos/${videoId}`);
    if (current.state === 'failed')
      throw new Error(`the video failed: ${current.failure?.code}: ${current.failure?.message}`);
    if (progressSeen.at(-1) !== current.progress_percent) progressSeen.push(current.progress_percent);
    options.progress(current.state, current.progress_percent / 100);
    return current.state === 'published' ? current : undefined;
  });
  return { video, progressSeen };
}

const findInFeed = (api: ApiClient, postId: string, options: TourOptions): Promise<FeedPost> =>
  poll(options, 'the post to reach the home feed', async () => {
    const feed = await api.get<{ data: readonly FeedPost[] }>('/v1/feeds/home');
    return feed.data.find((post) => post.id === postId);
  });

const waitForLike = (api: ApiClient, postId: string, options: TourOptions): Promise<FeedPost> =>
  poll(options, 'the like to be counted', async () => {
    const post = await api.get<FeedPost>(`/v1/posts/${postId}`);
    return post.liked && post.like_count === 1 ? post : undefined;
  });

async function checkPlayback(video: VideoView, api: ApiClient, options: TourOptions) {
  const { hls_url: hlsUrl, dash_url: dashUrl } = video;
  if (hlsUrl === null || dashUrl === null) throw new Error('a published video has no manifest');
  const folder = await mkdtemp(join(tmpdir(), 'social-flow-tour-'));
  try {
    const ffmpeg = await locateFfmpeg();
    const signed = await api.send<{ hls_url: string; dash_url: string }>(
      'POST',
      `/v1/videos/${video.id}/playback`,
    );
    const { variants, audio } = parseMaster(await fetchText(signed.hls_url), signed.hls_url);
    const decoded: (HlsVariant & DecodedMedia)[] = [];
    for (const variant of variants) {
      decoded.push({ ...variant, ...(await decodePlaylist(ffmpeg, variant.url, folder)) });
      options.progress('decoding every rendition', decoded.length / variants.length);
    }
    for (const url of audio) await decodePlaylist(ffmpeg, url, folder);
    const jpegs = await Promise.all(video.thumbnails.map(isJpeg));
    return {
      hlsUrl,
      dashUrl,
      variants: decoded,
      audioPlaylists: audio.length,
      dash: await fetchText(signed.dash_url),
      jpegThumbnails: jpegs.filter(Boolean).length,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function poll<T>(
  options: TourOptions,
  what: string,
  attempt: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = Date.now() + (options.timeoutMs ?? 600_000);
  for (;;) {
    const result = await attempt();
    if (result !== undefined) return result;
    if (Date.now() > deadline) throw new Error(`waited too long for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
