import { expect, it } from 'vitest';
import { rtmpsUrl, rtmpUrl, srtUrl } from '../../../src/modules/live/policy/ingest.ts';

it('adds ports to the hosts IVS names, and leaves those of the local cloud', () => {
  const host = 'a1b2c3d4e5f6.global-contribute.live-video.net';
  expect(rtmpsUrl(host)).toBe(`rtmps://${host}:443/app/`);
  expect(rtmpsUrl('127.0.0.1:1936')).toBe('rtmps://127.0.0.1:1936/app/');
  expect(rtmpUrl(host, 1935)).toBe(`rtmp://${host}:1935/app/`);
  expect(rtmpUrl('127.0.0.1:1936', 1940)).toBe('rtmp://127.0.0.1:1940/app/');
  for (const endpoint of ['a1.srt.live-video.net', 'srt://a1.srt.live-video.net:9000'])
    expect(srtUrl(endpoint)).toBe('srt://a1.srt.live-video.net:9000');
});
