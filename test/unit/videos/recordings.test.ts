import { expect, it } from 'vitest';
import {
  playlistMs,
  recordingFacts,
  recordingOf,
  sourceBucketOf,
  variantsOf,
} from '../../../src/modules/videos/policy/recordings.ts';

const prefix = 'ivs/v1/000000000000/abc/2026/1/2/3/4/rec';
const buckets = { uploadsBucket: 'uploads', recordingsBucket: 'recordings' };

it('tells recordings of live streams from uploads by where they lie', () => {
  expect(recordingOf(`${prefix}/media/hls/master.m3u8`)).toEqual({
    prefix: `${prefix}/`,
    rendition: undefined,
  });
  expect(recordingOf(`${prefix}/media/hls/720p30/clip-1.m3u8`)).toEqual({
    prefix: `${prefix}/`,
    rendition: '720p30',
  });
  expect(sourceBucketOf(`${prefix}/media/hls/master.m3u8`, buckets)).toBe('recordings');
  expect(sourceBucketOf('originals/a/b.m3u8', buckets)).toBe('uploads');
});

it('reads what the best rendition is from its playlists', () => {
  const [best, other] = variantsOf(
    [
      '#EXTM3U',
      '#EXT-X-STREAM-INF:BANDWIDTH=600000,CODECS="avc1.4D401F,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=30.000',
      '360p30/playlist.m3u8',
      '#EXT-X-STREAM-INF:BANDWIDTH=3000000,CODECS="avc1.64001F,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=60.000',
      '720p60/playlist.m3u8',
    ].join('\n'),
  );
  expect([best?.uri, other?.uri]).toEqual(['720p60/playlist.m3u8', '360p30/playlist.m3u8']);
  if (best === undefined) return;
  expect(recordingFacts(best, playlistMs('#EXTINF:2.5,\n0.mp4\n#EXTINF:1.25000,\n1.mp4\n'))).toEqual({
    container: 'hls',
    durationMs: 3_750,
    picture: { width: 1_280, height: 720, frameRate: 60, codec: 'AVC', colour: 'plain' },
    sound: { codec: 'AAC' },
  });
});
