import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type StoredMail = {
  id: string;
  receivedAt: string;
  from: string;
  to: readonly string[];
  subject: string;
  text: string;
  html: string;
};

export type MailStore = {
  add(mail: Omit<StoredMail, 'id' | 'receivedAt'>): StoredMail;
  /** Newest first; only those to the address when one is given. */
  list(to?: string): StoredMail[];
  get(id: string): StoredMail | undefined;
  clear(): void;
};

const MAX_MAILS = 500;

/** Mails in memory and, with a directory, on disk, so that they outlive a restart. The oldest beyond 500 are dropped. */
export function createMailStore(dataDir: string | undefined, now: () => Date): MailStore {
  const file = dataDir === undefined ? undefined : join(dataDir, 'mails.jsonl');
  if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const mails = file === undefined ? [] : readMails(file);
  return {
    add(mail) {
      const stored = {
        id: `local-${randomBytes(12).toString('hex')}`,
        receivedAt: now().toISOString(),
        ...mail,
      };
      mails.push(stored);
      if (mails.length > MAX_MAILS) {
        mails.splice(0, mails.length - MAX_MAILS);
        if (file !== undefined)
          writeFileSync(file, mails.map((each) => `${JSON.stringify(each)}\n`).join(''), { mode: 0o600 });
      } else if (file !== undefined) appendFileSync(file, `${JSON.stringify(stored)}\n`, { mode: 0o600 });
      return stored;
    },
    list: (to) =>
      mails
        .filter(
          (mail) => to === undefined || mail.to.some((address) => address.toLowerCase() === to.toLowerCase()),
        )
        .toReversed(),
    get: (id) => mails.find((mail) => mail.id === id),
    clear() {
      mails.length = 0;
      if (file !== undefined) rmSync(file, { force: true });
    },
  };
}

// A line cut off by a crash is not a mail.
function readMails(file: string): StoredMail[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as StoredMail];
      } catch {
        return [];
      }
    })
    .slice(-MAX_MAILS);
}
