import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { notFound } from './errors.ts';
import { newResourceId } from './ids.ts';
import type { Kind, Resources } from './resources.ts';

const KINDS: readonly Kind[] = [
  'channel',
  'stream-key',
  'recording-configuration',
  'playback-key',
  'playback-restriction-policy',
  'revocation',
  'stream-session',
];

export type Store = {
  /** A new ARN of a kind. */
  newArn(kind: Kind): string;
  find<K extends Kind>(kind: K, arn: string): Resources[K] | undefined;
  /** @throws IvsError ResourceNotFoundException */
  get<K extends Kind>(kind: K, arn: string): Resources[K];
  /** Oldest first. */
  all<K extends Kind>(kind: K): Resources[K][];
  /** Adds or rewrites a resource; it is on disk when this returns. */
  save<K extends Kind>(kind: K, resource: Resources[K]): void;
  remove(kind: Kind, arn: string): void;
};

/** Resources in memory with one JSON file each, written aside and renamed into place. */
export function openStore(directory: string, account: string, log: (line: string) => void): Store {
  const kept = Object.fromEntries(KINDS.map((kind) => [kind, load(directory, kind, log)])) as {
    [K in Kind]: Map<string, Resources[K]>;
  };
  const of = <K extends Kind>(kind: K): Map<string, Resources[K]> => kept[kind];
  const pathOf = (kind: Kind, arn: string): string =>
    join(directory, kind, `${arn.slice(arn.lastIndexOf('/') + 1)}.json`);

  return {
    newArn: (kind) => `${account}:${kind}/${newResourceId()}`,
    find: (kind, arn) => of(kind).get(arn),
    get: (kind, arn) => {
      const found = of(kind).get(arn);
      if (found === undefined) throw notFound(arn);
      return found;
    },
    all: (kind) => [...of(kind).values()],
    save: (kind, resource) => {
      const path = pathOf(kind, resource.arn);
      const temporary = `${path}.${randomUUID()}.tmp`;
      writeFileSync(temporary, JSON.stringify(resource));
      renameSync(temporary, path);
      of(kind).set(resource.arn, resource);
    },
    remove: (kind, arn) => {
      of(kind).delete(arn);
      rmSync(pathOf(kind, arn), { force: true });
    },
  };
}

function load<K extends Kind>(
  directory: string,
  kind: K,
  log: (line: string) => void,
): Map<string, Resources[K]> {
  const folder = join(directory, kind);
  mkdirSync(folder, { recursive: true });
  const found: Resources[K][] = [];
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (name.endsWith('.tmp')) rmSync(path, { force: true });
    if (!name.endsWith('.json')) continue;
    try {
      found.push(JSON.parse(readFileSync(path, 'utf8')));
    } catch {
      log(`unreadable ${kind} set aside: ${name}`);
      renameSync(path, `${path}.unreadable`);
    }
  }
  found.sort((a, b) => a.createdAtMs - b.createdAtMs || (a.arn < b.arn ? -1 : 1));
  return new Map(found.map((resource) => [resource.arn, resource]));
}
