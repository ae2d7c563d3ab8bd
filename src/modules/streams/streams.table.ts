import { sql } from 'drizzle-orm';
import { boolean, index, integer, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';
import { videos } from '../videos/index.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true });

export const streams = pgTable(
  'streams',
  {
    id: uuid().primaryKey(),
    ownerId: uuid('owner_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    title: text().notNull(),
    description: text().notNull().default(''),
    visibility: text({ enum: ['public', 'unlisted', 'private', 'followers', 'members'] })
      .notNull()
      .default('public'),
    state: text({ enum: ['scheduled', 'live', 'ended', 'failed', 'canceled'] })
      .notNull()
      .default('scheduled'),
    scheduledAt: instant('scheduled_at'),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
    channelArn: text('channel_arn'),
    startedAt: instant('started_at'),
    awaySince: instant('away_since'),
    endedAt: instant('ended_at'),
    stopAskedAt: instant('stop_asked_at'),
    failureCode: text('failure_code'),
    viewers: integer().notNull().default(0),
    health: text({ enum: ['healthy', 'starving'] }),
    healthAt: instant('health_at'),
    roomClosedAt: instant('room_closed_at'),
    videoId: uuid('video_id').references(() => videos.id, { onDelete: 'set null' }),
    clipsEnabled: boolean('clips_enabled').notNull().default(true),
  },
  (table) => [
    index('streams_owner').on(table.ownerId, table.id.desc()),
    index('streams_directory')
      .on(table.viewers.desc(), table.id.desc())
      .where(sql`${table.state} = 'live' AND ${table.visibility} = 'public'`),
    index('streams_channel')
      .on(table.channelArn, table.startedAt.desc())
      .where(sql`${table.channelArn} IS NOT NULL`),
    index('streams_away').on(table.awaySince).where(sql`${table.awaySince} IS NOT NULL`),
    index('streams_rooms_to_close')
      .on(table.endedAt)
      .where(sql`${table.endedAt} IS NOT NULL AND ${table.roomClosedAt} IS NULL`),
    index('streams_live').on(table.channelArn).where(sql`${table.state} = 'live'`),
    index('streams_video').on(table.videoId).where(sql`${table.videoId} IS NOT NULL`),
  ],
);
