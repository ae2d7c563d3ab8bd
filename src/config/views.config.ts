import { integer } from './fields.ts';
import { defineSection } from './section.ts';

export const viewsSection = defineSection('Views', {
  dedupeHours: {
    env: 'VIEW_DEDUPE_HOURS',
    schema: integer(1, 24),
    default: '24',
    unit: 'hours',
    doc: 'What a viewer watches of a video within this time after a view of theirs is part of that view. Viewers without an account are known for a UTC day at most.',
  },
  sessionSeconds: {
    env: 'WATCH_SESSION_SECONDS',
    schema: integer(300, 86_400),
    default: '14400',
    unit: 'seconds',
    doc: 'Life of a watch session; who may see the video is asked again with the next one.',
  },
  parallelSessions: {
    env: 'WATCH_PARALLEL_SESSIONS',
    schema: integer(1, 1_000),
    default: '10',
    doc: 'Watch sessions of one viewer and video that count at the same time. Viewers without an account are told apart by network and browser only.',
  },
});
