import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { eicar } from '../../local-cloud/scanner/eicar.ts';
import type { VideoView } from '../../scripts/demo/tour.ts';
import type { Upload } from '../../scripts/demo/upload.ts';
import { type Creator, eventually, makeFilm, registerCreator, type TestFilm, uploadFilm } from './films.ts';
import { type Platform, startPlatform } from './platform.ts';

// Everything at once: events doubled, held back and lost, the Worker killed, an encoder killed, parts that never come, a file
// with a threat and one cut off. Every upload ends published, once, or failed with its reason.

let platform: Platform;
let film: TestFilm;
let infected: TestFilm;
let cutOff: TestFilm;

beforeAll(async () => {
  film = await makeFilm(4);
  const beside = async (name: string, bytes: Uint8Array): Promise<TestFilm> => {
    const path = join(film.path, '..', name);
    await writeFile(path, bytes);
    return { ...film, path };
  };
  const bytes = await readFile(film.path);
  infected = await beside('infected.mp4', Buffer.concat([bytes, eicar]));
  cutOff = await beside('cut-off.mp4', bytes.subarray(0, Math.floor(bytes.length / 2)));
  platform = await startPlatform({ chaos: { duplicate: 0.5, reorder: 0.5, drop: 0.4 } });
}, 600_000);

afterEach((context) => {
  if (context.task.result?.state === 'fail') console.error(platform.log());
});

afterAll(async () => {
  await platform?.close();
  await film?.remove();
}, 60_000);

async function sql<T>(text: string, values: readonly unknown[] = []): Promise<T[]> {
  const client = new pg.Client({ connectionString: platform.stack().ownerSettings.DATABASE_OWNER_URL ?? '' });
  await client.connect();
  try {
    return (await client.query(text, [...values])).rows as T[];
  } finally {
    await client.end();
  }
}

/** Kills the encoders that run under this process; how many there were. */
function killEncoders(): number {
  const processes = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,comm='], { encoding: 'utf8' });
  const ours = processes
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, name]) => Number(parent) === process.pid && name?.includes('ffmpeg'));
  for (const [pid] of ours) process.kill(Number(pid), 'SIGKILL');
  return ours.length;
}

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Keeps the Worker running and its cron going until no video is on its way; then how each of `ids` is shown. */
async function untilEnded(creator: Creator, ids: readonly string[]): Promise<VideoView[]> {
  const deadline = Date.now() + 500_000;
  for (;;) {
    const [under] = await sql<{ way: number }>(
      "SELECT count(*)::int AS way FROM videos WHERE state NOT IN ('published', 'failed')",
    );
    if (under?.way === 0) break;
    if (Date.now() > deadline) throw new Error(`${under?.way} uploads hang`);
    // Cloudflare would run it every minute, and start a Worker that is gone.
    const gone = await Promise.race([
      platform.worker().exited.then(() => true),
      wait(3_000).then(() => false),
    ]);
    if (gone) await platform.startWorker();
    await platform
      .worker()
      .runCron('* * * * *')
      .catch(() => undefined);
  }
  return eventually(
    'the videos to be shown',
    () => Promise.all(ids.map((id) => creator.api.get<VideoView>(`/v1/videos/${id}`))),
    () => true,
  );
}

it('every upload ends published once or failed with a reason, and none hangs', async () => {
  const creator = await registerCreator(platform.apiUrl);
  const titles = ['one', 'two', 'three', 'four'];
  const clean = await Promise.all(titles.map((title) => uploadFilm(creator.api, film, title)));
  const harmful = await uploadFilm(creator.api, infected, 'infected');
  const broken = await uploadFilm(creator.api, cutOff, 'cut off');
  const abandoned = await creator.api.send<Upload>('POST', '/v1/videos/uploads', {
    file_name: 'never.mp4',
    size_bytes: 30_000_000,
    content_type: 'video/mp4',
    title: 'abandoned',
  });
  await sql("UPDATE uploads SET expires_at = now() - interval '1 second' WHERE state = 'open'");

  await platform.killWorker();
  await wait(2_000);
  await platform.startWorker();
  // Messages that were on their way are gone with the Worker; its cron finds what they were for, this time or the next.
  let killed = 0;
  const deadline = Date.now() + 200_000;
  while (killed === 0 && Date.now() < deadline) {
    const nudge = platform
      .worker()
      .runCron('* * * * *')
      .catch(() => undefined);
    for (let look = 0; look < 40 && killed === 0; look += 1) {
      killed = killEncoders();
      await wait(100);
    }
    await nudge;
  }
  expect(killed).toBeGreaterThan(0);
  await platform.killWorker();
  await platform.startWorker();

  const ids = [...clean, harmful, broken, abandoned.video_id];
  const videos = await untilEnded(creator, ids);
  const outcomes = videos.map((video) => video.failure?.code ?? video.state);
  expect(outcomes.slice(4)).toEqual(['infected', 'truncated', 'upload_expired']);
  for (const outcome of outcomes.slice(0, 4)) expect(['published', 'encode_failed']).toContain(outcome);

  // What failed on our side is tried again by its owner, and succeeds.
  for (const [index, id] of clean.entries())
    if (outcomes[index] !== 'published') await creator.api.send('POST', `/v1/videos/${id}/retry`);
  const final = await untilEnded(creator, clean);
  expect(final.map((video) => video.state)).toEqual(clean.map(() => 'published'));

  const traces = await sql<{ jobs: string[]; renditions: number; scans: string[] }>(
    `SELECT (SELECT array_agg(j.state ORDER BY j.attempt) FROM encode_jobs j WHERE j.video_id = v.id AND j.kind = 'stream') AS jobs,
       (SELECT count(*)::int FROM renditions r WHERE r.video_id = v.id) AS renditions,
       (SELECT array_agg(s.verdict) FROM upload_scans s WHERE s.video_id = v.id) AS scans
     FROM videos v WHERE v.title = ANY ($1) ORDER BY v.title`,
    [titles],
  );
  expect(traces).toHaveLength(titles.length);
  for (const { jobs, renditions, scans } of traces) {
    expect(jobs.filter((state) => state === 'complete')).toHaveLength(1);
    expect(jobs.at(-1)).toBe('complete');
    expect(renditions).toBe(2);
    expect(scans).toEqual(['clean']);
  }
  expect(
    await sql("SELECT title FROM videos WHERE state NOT IN ('published', 'failed') AND deleted_at IS NULL"),
  ).toEqual([]);
}, 900_000);
