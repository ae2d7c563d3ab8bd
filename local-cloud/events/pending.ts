import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventBridgeEvent } from './types.ts';

/** One delivery that is still owed. A duplicated event is owed twice. */
export type PendingDelivery = {
  /** Position in the order of acceptance. */
  sequence: number;
  copy: 1 | 2;
  acceptedAtMs: number;
  event: EventBridgeEvent;
};

export type PendingStore = {
  load(): Promise<PendingDelivery[]>;
  save(delivery: PendingDelivery): Promise<void>;
  remove(delivery: PendingDelivery): Promise<void>;
  /** Moves a delivery that was given up aside, where it can be inspected. */
  bury(delivery: PendingDelivery): Promise<void>;
};

/** Keeps each owed delivery in a file of its own, written aside and renamed into place. */
export function createPendingStore(dataDir: string, log: (line: string) => void): PendingStore {
  const pending = join(dataDir, 'pending');
  const dead = join(dataDir, 'dead');
  const fileName = (delivery: PendingDelivery): string =>
    `${String(delivery.sequence).padStart(12, '0')}-${delivery.copy}.json`;

  return {
    async load() {
      await mkdir(pending, { recursive: true });
      await mkdir(dead, { recursive: true });
      const deliveries: PendingDelivery[] = [];
      for (const name of (await readdir(pending)).sort()) {
        const path = join(pending, name);
        if (!name.endsWith('.json')) {
          await rm(path, { force: true });
          continue;
        }
        const delivery = parse(await readFile(path, 'utf8'));
        if (delivery) deliveries.push(delivery);
        else {
          log(`unreadable event set aside: ${name}`);
          await rename(path, join(dead, name));
        }
      }
      return deliveries;
    },
    async save(delivery) {
      const path = join(pending, fileName(delivery));
      const temporary = `${path}.${randomUUID()}.tmp`;
      await writeFile(temporary, JSON.stringify(delivery), { flush: true });
      await rename(temporary, path);
    },
    remove: (delivery) => rm(join(pending, fileName(delivery)), { force: true }),
    bury: (delivery) => rename(join(pending, fileName(delivery)), join(dead, fileName(delivery))),
  };
}

function parse(text: string): PendingDelivery | undefined {
  try {
    const value: PendingDelivery = JSON.parse(text);
    return Number.isInteger(value.sequence) && typeof value.event?.id === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
