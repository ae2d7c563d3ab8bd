import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { locateFfmpeg } from '../../local-cloud/ffmpeg/index.ts';
import { type ApiClient, createApiClient } from '../../scripts/demo/api.ts';
import { completeUpload, sendMissingParts, type Upload } from '../../scripts/demo/upload.ts';

export interface TestFilm {
  readonly path: string;
  readonly seconds: number;
  remove(): Promise<void>;
}

/** A small real film, made by ffmpeg: 640x360, 25 fps, H.264 and AAC. */
export async function makeFilm(seconds: number): Promise<TestFilm> {
  const folder = await mkdtemp(join(tmpdir(), 'social-flow-film-'));
  const ffmpeg = await locateFfmpeg();
  await ffmpeg.run(
    [
      '-f',
      'lavfi',
      '-i',
      'testsrc2=size=640x360:rate=25',
      '-f',
      'lavfi',
      '-i',
      'sine=frequency=440:sample_rate=48000',
      '-t',
      String(seconds),
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-pix_fmt',
      'yuv420p',
      '-c:a',
      'aac',
      '-movflags',
      '+faststart',
      '-y',
      'film.mp4',
    ],
    { cwd: folder },
  );
  return {
    path: join(folder, 'film.mp4'),
    seconds,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export interface Creator {
  readonly api: ApiClient;
  readonly userId: string;
  readonly username: string;
}

let registered = 0;

/** A new account with its access token. */
export async function registerCreator(apiUrl: string): Promise<Creator> {
  registered += 1;
  const username = `e2e_${Date.now().toString(36)}_${registered}`;
  const session = await createApiClient(apiUrl).send<{ user: { id: string }; access_token: string }>(
    'POST',
    '/v1/auth/register',
    {
      username,
      email: `${username}@example.com`,
      password: `long enough ${username.toUpperCase()} 42`,
    },
  );
  return { api: createApiClient(apiUrl, session.access_token), userId: session.user.id, username };
}

/** Uploads a film and tells the server it is complete. @returns the video's id. */
export async function uploadFilm(api: ApiClient, film: TestFilm, title: string): Promise<string> {
  const { size } = await stat(film.path);
  const upload = await api.send<Upload>('POST', '/v1/videos/uploads', {
    file_name: 'film.mp4',
    size_bytes: size,
    content_type: 'video/mp4',
    title,
  });
  await sendMissingParts({
    api,
    file: film.path,
    sizeBytes: size,
    uploadId: upload.id,
    onProgress: () => undefined,
  });
  await completeUpload(api, upload.id);
  return upload.video_id;
}

/** Asks until `done` says so; a call that fails meanwhile counts as not yet. @throws Error when it takes too long. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T>,
  done: (value: T) => boolean,
  timeoutMs = 180_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const value = await ask();
      if (done(value)) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(
    `waited too long for ${what}; last seen: ${last instanceof Error ? last.message : JSON.stringify(last)}`,
  );
}
