import { sql } from 'drizzle-orm';
import { boolean, index, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { streams } from '../streams/index.ts';
import { users } from '../users/index.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true });

export const liveChannels = pgTable(
  'live_channels',
  {
    arn: text().primaryKey(),
    ownerId: uuid('owner_id')
      .unique()
      .references(() => users.id),
    ingestEndpoint: text('ingest_endpoint').notNull(),
    srtEndpoint: text('srt_endpoint'),
    playbackUrl: text('playback_url').notNull(),
    latencyMode: text('latency_mode', { enum: ['LOW', 'NORMAL'] }).notNull(),
    type: text({ enum: ['BASIC', 'STANDARD', 'ADVANCED_SD', 'ADVANCED_HD'] }).notNull(),
    insecureIngest: boolean('insecure_ingest').notNull().default(false),
    recordingConfigurationArn: text('recording_configuration_arn'),
    keyArn: text('key_arn'),
    keyFingerprint: text('key_fingerprint'),
    keyMadeAt: instant('key_made_at'),
    stopDueAt: instant('stop_due_at'),
    retiredAt: instant('retired_at'),
    claimedAt: instant('claimed_at'),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (table) => [
    index('live_channels_pool')
      .on(table.createdAt)
      .where(sql`${table.ownerId} IS NULL AND ${table.retiredAt} IS NULL`),
    index('live_channels_due')
      .on(table.arn)
      .where(sql`${table.stopDueAt} IS NOT NULL OR ${table.retiredAt} IS NOT NULL`),
  ],
);

export const liveChannelOrders = pgTable('live_channel_orders', {
  name: text().primaryKey(),
  orderedAt: instant('ordered_at').notNull().defaultNow(),
});

export const liveViewers = pgTable(
  'live_viewers',
  {
    streamId: uuid('stream_id')
      .notNull()
      .references(() => streams.id, { onDelete: 'cascade' }),
    viewerId: uuid('viewer_id').notNull(),
    issuedAt: instant('issued_at'),
    revokedAt: instant('revoked_at'),
    barredAt: instant('barred_at'),
  },
  (table) => [
    primaryKey({ columns: [table.streamId, table.viewerId] }),
    index('live_viewers_viewer').on(table.viewerId),
  ],
);
