import { beforeAll, describe, expect, it } from 'vitest';
import { startQueuedJobs } from '../../../src/modules/videos/usecases/start-queued-jobs.ts';
import { randomIds } from '../../../src/shared/ids.ts';
import { seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { contextOf } from '../../support/worker/films.ts';
import { takeMessages } from '../../support/worker/queues.ts';

// Other files share the database: jobs of theirs that wait or run are put aside, and counted out of the limits.
beforeAll(async () => {
  await sqlRows(
    "UPDATE encode_jobs SET state = 'canceled' WHERE state IN ('queued', 'submitting', 'submitted', 'progressing')",
    [],
  );
});

const queue = async (owner: TestUser, dueSeconds: number): Promise<string> => {
  const [videoId, jobId] = [randomIds.next(), randomIds.next()];
  await sqlRows("INSERT INTO videos (id, owner_id, title, state) VALUES ($1, $2, 'queued', 'transcoding')", [
    videoId,
    owner.uuid,
  ]);
  await sqlRows(
    `INSERT INTO encode_jobs (id, video_id, revision, attempt, state, plan, due_at)
     VALUES ($1, $2, 1, 1, 'queued', '{}', now() + make_interval(secs => $3::float8))`,
    [jobId, videoId, dueSeconds],
  );
  return jobId;
};
const started = async (): Promise<string[]> =>
  (
    await sqlRows<{ id: string }>("SELECT id FROM encode_jobs WHERE state = 'submitting' ORDER BY due_at", [])
  ).map((row) => row.id);
const end = (ids: readonly string[]) =>
  sqlRows("UPDATE encode_jobs SET state = 'complete' WHERE id = ANY($1::uuid[])", [`{${ids.join(',')}}`]);

describe('our queue of encodes', () => {
  it('starts what is due first, a few of each owner, as many as there is room for, each once', async () => {
    const [busy, other] = [await seedUser(), await seedUser()];
    const theirs: string[] = [];
    for (let index = 0; index < 5; index += 1) theirs.push(await queue(busy, index));
    const late = await queue(other, 100);
    const ctx = contextOf({ settings: { ENCODES_PER_OWNER: '2', ENCODES_AT_ONCE: '3' } });
    takeMessages();
    await Promise.all([startQueuedJobs(ctx), startQueuedJobs(ctx), startQueuedJobs(ctx)]);
    expect(await started()).toEqual([theirs[0], theirs[1], late]);
    const asked = takeMessages().filter((message) => message.body.type === 'video.encode_requested');
    expect(asked.map((message) => (message.body.data as { job_id: string }).job_id).toSorted()).toEqual(
      [theirs[0], theirs[1], late].toSorted(),
    );

    await end([theirs[0] ?? '']);
    await startQueuedJobs(ctx);
    expect(await started()).toEqual([theirs[1], theirs[2], late]);
    await end([late]);
    await startQueuedJobs(ctx);
    // There is room, but the owner has as many running as may.
    expect(await started()).toEqual([theirs[1], theirs[2]]);
    await end(theirs);
  });

  it('never starts the job of a video that was deleted', async () => {
    const owner = await seedUser();
    const job = await queue(owner, 0);
    await sqlRows('UPDATE videos SET deleted_at = now() WHERE owner_id = $1', [owner.uuid]);
    await startQueuedJobs(contextOf());
    expect(await started()).toEqual([]);
    await end([job]);
  });
});
