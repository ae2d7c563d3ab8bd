import { integer } from './fields.ts';
import { defineSection } from './section.ts';

export const feedsSection = defineSection('Feeds', {
  pullThreshold: {
    env: 'FEED_PULL_THRESHOLD',
    schema: integer(1, 10_000_000),
    default: '10000',
    unit: 'followers',
    doc: 'Authors with at least this many followers are merged at read instead of pushed to every timeline.',
  },
  fanOutBatchSize: {
    env: 'FEED_FAN_OUT_BATCH_SIZE',
    schema: integer(1, 5_000),
    default: '1000',
    unit: 'followers per message',
    doc: 'Followers one fan-out message covers.',
  },
  timelineMaxEntries: {
    env: 'FEED_TIMELINE_MAX_ENTRIES',
    schema: integer(50, 10_000),
    default: '800',
    unit: 'entries',
    doc: 'Entries kept in one timeline; older ones are trimmed by the daily job.',
  },
  followBackfillPosts: {
    env: 'FEED_FOLLOW_BACKFILL_POSTS',
    schema: integer(0, 400),
    default: '100',
    unit: 'posts',
    doc: "Posts of a newly followed author that enter the follower's timeline.",
  },
});
