import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clipPlaylist } from '../../../src/modules/broadcasts/policy/clip-playlist.ts';
import {
  isRecordedBy,
  readRecordingEvent,
  readStreamEvent,
} from '../../../src/modules/broadcasts/policy/ivs-events.ts';
import { chaptersOfMarkers, positionIn } from '../../../src/modules/broadcasts/policy/timeline.ts';
import { chaptersProblem } from '../../../src/modules/videos/policy/chapters.ts';

describe('a moment of a stream', () => {
  it('lies in the recording without the time no encoder was connected', () => {
    const sessions = [
      { startMs: 1_000, endMs: 11_000 },
      { startMs: 31_000, endMs: undefined },
    ];
    expect([0, 1_000, 6_000, 20_000, 31_000, 36_000].map((at) => positionIn(sessions, at))).toEqual([
      0, 0, 5_000, 10_000, 10_000, 15_000,
    ]);
  });

  it('never goes back in the recording', () => {
    const spans = fc.array(fc.tuple(fc.nat(50), fc.nat(50)), { maxLength: 5 }).map((pairs) => {
      let now = 0;
      return pairs.map(([gap, length]) => {
        const startMs = now + gap;
        now = startMs + length;
        return { startMs, endMs: now };
      });
    });
    fc.assert(
      fc.property(spans, fc.nat(600), fc.nat(100), (sessions, at, later) => {
        const before = positionIn(sessions, at);
        const after = positionIn(sessions, at + later);
        expect(after).toBeGreaterThanOrEqual(before);
        expect(after - before).toBeLessThanOrEqual(later);
      }),
    );
  });
});

describe('the chapters of a recording', () => {
  const sessions = [{ startMs: 0, endMs: 600_000 }];

  it('keep the rule of chapters whatever was marked, as soon as there are enough', () => {
    const marker = fc.record({ atMs: fc.nat(700_000), title: fc.constant('moment') });
    fc.assert(
      fc.property(fc.array(marker, { maxLength: 150 }), (markers) => {
        const chapters = chaptersOfMarkers(markers, sessions, 'The show');
        if (chapters.length >= 3) expect(chaptersProblem(chapters)).toBeUndefined();
        expect(chapters.length).toBeLessThanOrEqual(100);
      }),
    );
  });

  it('begin with the title of the stream, unless its beginning was marked', () => {
    const titles = (...atMs: number[]) =>
      chaptersOfMarkers(
        atMs.map((at) => ({ atMs: at, title: String(at) })),
        sessions,
        'The show',
      ).map(({ startMs, title }) => `${startMs} ${title}`);
    expect(titles()).toEqual([]);
    expect(titles(20_000, 40_000, 45_000)).toEqual(['0 The show', '20000 20000', '40000 40000']);
    expect(titles(3_000, 20_000)).toEqual(['0 3000', '20000 20000']);
  });

  it('name nothing of other recordings of the stream', () => {
    const later = [{ startMs: 900_000, endMs: 960_000 }];
    const markers = [100_000, 930_000, 970_000].map((atMs) => ({ atMs, title: String(atMs) }));
    expect(chaptersOfMarkers(markers, later, 'The show')).toEqual([
      { startMs: 0, title: 'The show' },
      { startMs: 30_000, title: '930000' },
    ]);
    expect(chaptersOfMarkers(markers.slice(0, 1), later, 'The show')).toEqual([]);
  });
});

describe('the playlist of a clip', () => {
  const playlist = [
    '#EXTM3U',
    '#EXT-X-TARGETDURATION:2',
    '#EXT-X-MAP:URI="init-0.mp4"',
    ...[0, 2, 4].flatMap((at) => [
      `#EXT-X-PROGRAM-DATE-TIME:${new Date(at * 1_000).toISOString()}`,
      '#EXTINF:2.00000,',
      `${at / 2}.mp4`,
    ]),
    '#EXT-X-DISCONTINUITY',
    '#EXT-X-MAP:URI="init-1.mp4"',
    `#EXT-X-PROGRAM-DATE-TIME:${new Date(20_000).toISOString()}`,
    '#EXTINF:2.00000,',
    '3.mp4',
  ].join('\n');
  const cut = (fromMs: number, toMs: number, isOver = false) =>
    clipPlaylist(playlist, { fromMs, toMs }, { beganAtMs: 0, isOver });
  const files = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#EXT'));

  it('has the segments the moment lies in, with what they need', () => {
    const text = cut(3_000, 21_000);
    expect(files(text)).toEqual(['1.mp4', '2.mp4', '3.mp4']);
    expect(text.match(/init-\d/g)).toEqual(['init-0', 'init-1']);
    expect(text).toContain('#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="init-1.mp4"');
    expect(text.endsWith('#EXT-X-ENDLIST\n')).toBe(true);
  });

  it('waits for what is not recorded yet, unless it never will be', () => {
    expect(cut(3_000, 23_000)).toBe('wait');
    expect(files(cut(3_000, 23_000, true))).toHaveLength(3);
    expect(cut(10_000, 19_000)).toBe('none');
  });
});

describe('an event of IVS', () => {
  const at = '2026-01-01T00:00:00Z';
  const read = (detail: Record<string, unknown>) => readStreamEvent(at, { stream_id: 's', ...detail });

  it('says when a session began or ended, or that it broke off', () => {
    expect(read({ event_name: 'Stream Start' })).toEqual({ sessionId: 's', startedAt: at });
    expect(read({ event_name: 'Session Ended' })).toEqual({ sessionId: 's', endedAt: at });
    expect(read({ event_name: 'Stream Failure' })).toMatchObject({
      endedAt: at,
      failureCode: 'stream_failure',
    });
    expect(read({ limit_name: 'Ingest Bitrate' })).toEqual({ sessionId: 's', failureCode: 'limit_breach' });
    expect(read({ event_name: 'Starvation Start' })).toEqual({ sessionId: 's', health: 'starving' });
    expect(read({ event_name: 'Session Created' })).toBeUndefined();
    expect(readStreamEvent(at, { event_name: 'Stream Start' })).toBeUndefined();
  });

  it('of a recording names a place in the bucket and nothing else', () => {
    const detail = {
      recording_status: 'Recording End',
      recording_s3_bucket_name: 'recordings',
      recording_s3_key_prefix: 'ivs/v1/0/c/2026/1/1/0/0/r',
      recording_duration_ms: 1_000,
      stream_id: 's',
    };
    expect(readRecordingEvent(detail)).toMatchObject({ kind: 'ended', sessionIds: ['s'], durationMs: 1_000 });
    for (const prefix of ['originals/x', 'ivs/v1/../x', 'ivs/v1/a?b'])
      expect(readRecordingEvent({ ...detail, recording_s3_key_prefix: prefix })).toBeUndefined();
  });

  it.each([
    ['ivs/v1/123456789012/AbC1/2026/1/1/0/0/r', true],
    ['ivs/v1/123456789012/AbC2/2026/1/1/0/0/r', false],
    ['ivs/v1/210987654321/AbC1/2026/1/1/0/0/r', false],
    ['ivs/v1/123456789012/AbC1', false],
    ['ivs/v1', false],
  ])('of a recording below %s is of the channel: %s', (prefix, expected) => {
    expect(isRecordedBy('arn:aws:ivs:us-east-1:123456789012:channel/AbC1', prefix)).toBe(expected);
  });
});
