import { neon, neonConfig } from '@neondatabase/serverless';
import type { BatchItem, BatchResponse } from 'drizzle-orm/batch';
import { drizzle, type NeonHttpDatabase } from 'drizzle-orm/neon-http';
import type { Config } from '../config/index.ts';
import { parseSlotMap, slotOf } from './slots.ts';
import { connectionNameOf, createTransport } from './transport.ts';

/** A database over Neon's HTTP driver. `transaction` is hidden: neon-http compiles it and fails at run time; use `atomic`. */
export type Db = Omit<NeonHttpDatabase, 'transaction'>;

export interface NamedDb {
  /** `host/database`, without credentials. */
  readonly name: string;
  readonly db: Db;
}

export interface Databases {
  readonly primary: Db;
  readonly replica: Db;
  /** The shard that holds an owner's rows. */
  shardOf(ownerId: string): Db;
  /** Groups owners by the shard that holds their rows, for writes to many owners at once. */
  groupByShard(ownerIds: readonly string[]): { readonly db: Db; readonly ownerIds: string[] }[];
  /** Every connection, for health checks. */
  readonly all: readonly { readonly role: string; readonly name: string; readonly db: Db }[];
}

/** Opens the configured databases. Cheap: connections are made by each round trip. */
export function createDatabases(config: Config['database']): Databases {
  neonConfig.fetchFunction = createTransport(config);
  if (config.neonProxyUrl !== '') {
    const endpoint = `${config.neonProxyUrl.replace(/\/+$/, '')}/sql`;
    neonConfig.fetchEndpoint = () => endpoint;
  }
  const open = (url: string): NamedDb => ({
    name: connectionNameOf(url),
    db: drizzle({ client: neon(url) }),
  });
  const primary = open(config.primaryUrl);
  const replica = open(config.replicaUrl);
  const shards = config.shardUrls.map(open);
  const shardBySlot = parseSlotMap(config.slotMap, shards.length);

  const shardOf = (ownerId: string): Db => {
    const shard = shards[shardBySlot[slotOf(ownerId)] ?? 0];
    if (shard === undefined) throw new RangeError('slot map names a shard that is not configured');
    return shard.db;
  };

  return {
    primary: primary.db,
    replica: replica.db,
    shardOf,
    groupByShard(ownerIds) {
      const groups = new Map<Db, string[]>();
      for (const ownerId of ownerIds) {
        const db = shardOf(ownerId);
        const group = groups.get(db);
        if (group === undefined) groups.set(db, [ownerId]);
        else group.push(ownerId);
      }
      return [...groups].map(([db, owners]) => ({ db, ownerIds: owners }));
    },
    all: [
      { role: 'primary', ...primary },
      { role: 'replica', ...replica },
      ...shards.map((shard, index) => ({ role: `shard_${index}`, ...shard })),
    ],
  };
}

/** Runs several statements as one Postgres transaction in one round trip: all of them take effect, or none. */
export function atomic<U extends BatchItem<'pg'>, T extends Readonly<[U, ...U[]]>>(
  db: Db,
  statements: T,
): Promise<BatchResponse<T>> {
  return db.batch(statements);
}
