import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFinished, JOB_ID, type JobRecord } from './job.ts';

export type JobStore = {
  get(id: string): JobRecord | undefined;
  /** All jobs, oldest first. */
  all(): JobRecord[];
  /** Adds or rewrites a job. Saves of one job follow each other; each resolves once its state is on disk. */
  save(job: JobRecord): Promise<void>;
};

/** Jobs in memory with one JSON file each, written aside and renamed into place. Reads what is there on creation. */
export function createJobStore(directory: string, log: (line: string) => void): JobStore {
  mkdirSync(directory, { recursive: true });
  const jobs = new Map<string, JobRecord>();
  for (const name of readdirSync(directory).sort()) {
    const path = join(directory, name);
    if (name.endsWith('.tmp')) rmSync(path, { force: true });
    if (!name.endsWith('.json')) continue;
    const job = readJob(path);
    if (job) jobs.set(job.id, job);
    else {
      log(`unreadable job set aside: ${name}`);
      renameSync(path, `${path}.unreadable`);
    }
  }
  const writing = new Map<string, Promise<void>>();

  async function write(job: JobRecord, text: string): Promise<void> {
    const path = join(directory, `${job.id}.json`);
    const temporary = `${path}.${randomUUID()}.tmp`;
    await writeFile(temporary, text, { flush: true });
    await rename(temporary, path);
  }

  return {
    get: (id) => jobs.get(id),
    all: () => [...jobs.values()].sort((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1)),
    save: (job) => {
      jobs.set(job.id, job);
      const text = JSON.stringify(job);
      const saved = (writing.get(job.id) ?? Promise.resolve()).catch(() => {}).then(() => write(job, text));
      writing.set(job.id, saved);
      const forget = (): void => {
        if (writing.get(job.id) === saved) writing.delete(job.id);
      };
      saved.then(forget, forget);
      return saved;
    },
  };
}

function readJob(path: string): JobRecord | undefined {
  try {
    const job: JobRecord = JSON.parse(readFileSync(path, 'utf8'));
    if (!JOB_ID.test(job.id) || typeof job.status !== 'string' || !job.request?.settings) return undefined;
    if (!isFinished(job) && job.request.settings.inputs.length === 0) return undefined;
    return { ...job, pendingEvents: job.pendingEvents ?? [], warnings: job.warnings ?? [] };
  } catch {
    return undefined;
  }
}
