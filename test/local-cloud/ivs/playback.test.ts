import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CreateChannelCommandInput,
  CreatePlaybackRestrictionPolicyCommand,
  GetStreamCommand,
  ImportPlaybackKeyPairCommand,
  PutMetadataCommand,
  StartViewerSessionRevocationCommand,
} from '@aws-sdk/client-ivs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newDirectory } from '../mediaconvert/directories.ts';
import { type Cloud, type PublishOptions, publish, startCloud, told, until } from './harness.ts';
import { attribute, createSigner, openStream, tagsOf } from './viewer.ts';

let cloud: Cloud;
type Live = { readonly arn: string; readonly playbackUrl: string };
let open: Live;
let locked: Live;
let restricted: Live;
const signer = createSigner();

async function goLive(input: CreateChannelCommandInput, options: PublishOptions = {}): Promise<Live> {
  const { channel, key } = await cloud.createChannel(input);
  publish(cloud, key.value, options);
  await told(cloud, channel.arn, 'Stream Start');
  return channel;
}

beforeAll(async () => {
  cloud = await startCloud({ dvrWindowSeconds: 12 });
  await cloud.client.send(new ImportPlaybackKeyPairCommand({ publicKeyMaterial: signer.publicKey }));
  const policy = await cloud.client.send(
    new CreatePlaybackRestrictionPolicyCommand({
      allowedCountries: ['DE', 'FR'],
      allowedOrigins: ['https://a.example'],
      enableStrictOriginEnforcement: true,
    }),
  );
  const policyArn = policy.playbackRestrictionPolicy?.arn;
  // As OBS encodes: with pictures that are shown in another order than they are sent in.
  const reordered = ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '2', '-pix_fmt', 'yuv420p'];
  const codecs = [...reordered, '-g', '15', '-sc_threshold', '0', '-c:a', 'aac', '-ar', '44100'];
  open = await goLive({ latencyMode: 'LOW' }, { codecs });
  locked = await goLive({ authorized: true, type: 'STANDARD' }, { size: '656x492' });
  restricted = await goLive({ playbackRestrictionPolicyArn: policyArn, latencyMode: 'NORMAL' });
});
afterAll(() => cloud.close());

const playlistOf = async (url: string): Promise<string> => {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/vnd.apple.mpegurl');
  return response.text();
};
const codeOf = async (response: Response): Promise<string> => {
  const [problem] = (await response.json()) as { error_code: string }[];
  return `${response.status} ${problem?.error_code}`;
};

describe('a low-latency stream', () => {
  it('has parts at its live edge, each of which is there and begins as it says', async () => {
    const [url = ''] = await openStream(open.playbackUrl);
    const list = await until(async () => {
      const text = await playlistOf(url);
      return tagsOf(text, 'EXT-X-PART').length >= 4 ? text : undefined;
    });
    const [control = ''] = tagsOf(list, 'EXT-X-SERVER-CONTROL');
    const target = Number(attribute(tagsOf(list, 'EXT-X-PART-INF')[0] ?? '', 'PART-TARGET'));
    expect(attribute(control, 'CAN-BLOCK-RELOAD')).toBe('YES');
    expect(Number(attribute(control, 'PART-HOLD-BACK'))).toBeCloseTo(target * 3, 3);
    expect(target).toBeGreaterThanOrEqual(0.3);
    expect(target).toBeLessThanOrEqual(0.6);
    const init = await fetch(new URL(attribute(tagsOf(list, 'EXT-X-MAP')[0] ?? '', 'URI'), url));
    expect(init.headers.get('content-type')).toBe('video/mp4');
    expect(Buffer.from(await init.arrayBuffer()).toString('latin1', 4, 8)).toBe('ftyp');
    for (const line of tagsOf(list, 'EXT-X-PART').slice(-3)) {
      expect(Number(attribute(line, 'DURATION'))).toBeLessThanOrEqual(target);
      const part = await fetch(new URL(attribute(line, 'URI'), url));
      expect(part.status).toBe(200);
      expect(Buffer.from(await part.arrayBuffer()).toString('latin1', 4, 8)).toBe('moof');
    }
  });

  it('answers a playlist that is not there yet as soon as it is, and the part that it hinted at', async () => {
    const [url = ''] = await openStream(open.playbackUrl);
    const first = await playlistOf(url);
    const hint = attribute(tagsOf(first, 'EXT-X-PRELOAD-HINT')[0] ?? '', 'URI');
    const [, segment = '', part = ''] = /^part-(\d+)-(\d+)\.mp4$/.exec(hint) ?? [];
    const next = await playlistOf(`${url}?_HLS_msn=${segment}&_HLS_part=${part}`);
    const newer = new RegExp(`part-(${segment}-${part}|${Number(segment) + 1}-0)\\.mp4`);
    expect(tagsOf(next, 'EXT-X-PART').some((line) => newer.test(line))).toBe(true);
    const whole = await playlistOf(`${url}?_HLS_msn=${segment}`);
    expect(whole.split('\n')).toContain(`${segment}.mp4`);
    expect((await fetch(`${url}?_HLS_msn=${Number(segment) + 50}`)).status).toBe(400);
    expect((await fetch(`${url}?_HLS_msn=now`)).status).toBe(400);
  });

  it('is whole: its segments decode one after the other, with picture and sound', async () => {
    const [url = ''] = await openStream(open.playbackUrl);
    const list = await until(async () => {
      const text = await playlistOf(url);
      return tagsOf(text, 'EXTINF').length >= 3 ? text : undefined;
    });
    const names = ['init-0.mp4', ...list.split('\n').filter((line) => /^\d+\.mp4$/.test(line))];
    const files = await Promise.all(
      names.map(async (name) => (await fetch(new URL(name, url))).arrayBuffer()),
    );
    const film = join(newDirectory('live'), 'film.mp4');
    writeFileSync(film, Buffer.concat(files.map((bytes) => Buffer.from(bytes))));
    const probe = await cloud.ffmpeg.probe(film);
    expect(probe.streams.map(({ codec }) => codec)).toEqual(['h264', 'aac']);
    const { stderrTail } = await cloud.ffmpeg.run(['-v', 'error', '-i', film, '-f', 'null', '-'], {
      cwd: newDirectory('null'),
    });
    expect(stderrTail).toBe('');
  });

  it('goes back as far as its window, and no further', async () => {
    const [url = ''] = await openStream(open.playbackUrl);
    const list = await until(async () => {
      const text = await playlistOf(url);
      return Number(tagsOf(text, 'EXT-X-MEDIA-SEQUENCE')[0]) > 0 ? text : undefined;
    });
    const seconds = tagsOf(list, 'EXTINF').reduce((sum, line) => sum + Number.parseFloat(line), 0);
    expect(seconds).toBeGreaterThanOrEqual(12 - 2);
    expect(seconds).toBeLessThan(18);
    expect((await fetch(new URL('0.mp4', url))).status).toBe(404);
  });

  it('counts who watches, and carries timed metadata in its next part', async () => {
    const [url = ''] = await openStream(open.playbackUrl);
    await playlistOf(url);
    const { stream } = await cloud.client.send(new GetStreamCommand({ channelArn: open.arn }));
    expect(stream?.viewerCount).toBeGreaterThan(0);
    const before = cloud.ivs.broadcastOf(open.arn)?.renditions[0]?.packager.segments.at(-1)?.number ?? 0;
    await cloud.client.send(new PutMetadataCommand({ channelArn: open.arn, metadata: '{"poll":7}' }));
    await until(async () => {
      const list = await playlistOf(url);
      const names = list.split('\n').filter((line) => /^\d+\.mp4$/.test(line));
      const recent = names.filter((name) => Number.parseInt(name, 10) >= before);
      const bodies = await Promise.all(recent.map(async (name) => (await fetch(new URL(name, url))).text()));
      return bodies.some((body) => body.includes('emsg') && body.includes('{"poll":7}')) || undefined;
    });
  });

  it('answers browsers of any origin, and nobody who asks for what is not there', async () => {
    const [url = ''] = await openStream(open.playbackUrl);
    const response = await fetch(url, { headers: { origin: 'https://any.example' } });
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    await response.arrayBuffer();
    const preflight = await fetch(url, { method: 'OPTIONS' });
    expect(preflight.headers.get('access-control-allow-methods')).toContain('GET');
    const { channel } = await cloud.createChannel();
    expect(await codeOf(await fetch(channel.playbackUrl))).toBe('404 transcode_does_not_exist');
    const stranger = url.replace(/live\/[^/]+/, 'live/AAAAAAAAAAAAAAAAAAAAAAAA');
    expect(await codeOf(await fetch(stranger))).toBe('403 invalid_session');
    expect((await fetch(new URL('../../../../etc/passwd', url))).status).toBe(404);
  });
});

describe('a STANDARD channel', () => {
  it('has a smaller picture beside its own, cut at the same places', async () => {
    const exp = Math.floor(Date.now() / 1000) + 300;
    const token = signer.token({ 'aws:channel-arn': locked.arn, exp });
    const address = `${locked.playbackUrl}?token=${token}`;
    const master = await (await fetch(address)).text();
    const sizes = tagsOf(master, 'EXT-X-STREAM-INF').map((line) => attribute(line, 'RESOLUTION'));
    expect(sizes).toEqual(['656x492', '640x480', '214x160']);
    const [large = '', , small = ''] = await openStream(address);
    const list = await playlistOf(large);
    expect(tagsOf(list, 'EXT-X-RENDITION-REPORT').map((line) => attribute(line, 'URI'))).toEqual([
      '../480p15/playlist.m3u8',
      '../160p15/playlist.m3u8',
    ]);
    const [number = ''] = list.split('\n').filter((line) => /^\d+\.mp4$/.test(line));
    const durations = async (url: string) =>
      tagsOf(await playlistOf(`${url}?_HLS_msn=${Number.parseInt(number, 10)}`), 'EXTINF')[0];
    expect(Number.parseFloat((await durations(small)) ?? '')).toBeCloseTo(
      Number.parseFloat((await durations(large)) ?? ''),
      1,
    );
  });
});

describe('a private channel', () => {
  const exp = () => Math.floor(Date.now() / 1000) + 300;
  const claims = (more: object = {}) => ({ 'aws:channel-arn': locked.arn, exp: exp(), ...more });
  const ask = (token: string, headers = {}) => fetch(`${locked.playbackUrl}?token=${token}`, { headers });

  it('needs a token that is signed by a known key for it, and not yet over', async () => {
    expect(await codeOf(await fetch(locked.playbackUrl))).toBe('403 missing_token');
    const stranger = createSigner();
    for (const token of [
      'x.y.z',
      stranger.token(claims()),
      signer.token(claims({ 'aws:channel-arn': open.arn })),
      signer.token(claims({ exp: 1 })),
      signer.token(claims({ exp: undefined })),
      signer.token(claims(), { alg: 'none' }),
      signer.token(claims(), { alg: 'HS384' }),
      signer.token(claims({ 'aws:viewer-id': 'v', exp: exp() + 3600 })),
      signer.token(claims({ 'aws:viewer-id': 'v'.repeat(41) })),
    ])
      expect(await codeOf(await ask(token))).toBe('403 invalid_token');
    expect((await ask(signer.token(claims()))).status).toBe(200);
  });

  it('lets a token for one use in once, and does not use it up by refusing it', async () => {
    const origin = 'https://a.example';
    const bound = { 'aws:access-control-allow-origin': origin, 'aws:strict-origin-enforcement': true };
    const token = signer.token(claims({ 'aws:single-use-uuid': randomUUID(), ...bound }));
    expect(await codeOf(await ask(token))).toBe('403 origin_not_allowed');
    expect((await ask(token, { origin })).status).toBe(200);
    expect(await codeOf(await ask(token, { origin }))).toBe('403 used_token');
  });

  it('throws viewers out whose sessions are revoked, and lets later versions in', async () => {
    const token = (version: number) =>
      signer.token(claims({ 'aws:viewer-id': 'viewer-1', 'aws:viewer-session-version': version }));
    const [url = ''] = await openStream(`${locked.playbackUrl}?token=${token(3)}`);
    expect((await fetch(url)).status).toBe(200);
    await cloud.client.send(
      new StartViewerSessionRevocationCommand({
        channelArn: locked.arn,
        viewerId: 'viewer-1',
        viewerSessionVersionsLessThanOrEqualTo: 3,
      }),
    );
    expect(await codeOf(await fetch(url))).toBe('403 revoked_token');
    expect(await codeOf(await ask(token(3)))).toBe('403 revoked_token');
    expect((await ask(token(4))).status).toBe(200);
  });

  it('shows a token no larger picture than it allows', async () => {
    const token = signer.token(claims({ 'aws:maximum-resolution': 'SD' }));
    const [url = '', ...more] = await openStream(`${locked.playbackUrl}?token=${token}`);
    expect(url).toContain('/480p15/');
    expect(more).toHaveLength(1);
    expect((await fetch(url)).status).toBe(200);
    expect((await fetch(url.replace('/480p15/', '/492p15/'))).status).toBe(404);
  });

  it('binds a token to origins', async () => {
    const bound = { 'aws:access-control-allow-origin': 'https://a.example, https://b.example' };
    const loose = await ask(signer.token(claims(bound)), { origin: 'https://b.example' });
    expect(loose.headers.get('access-control-allow-origin')).toBe('https://b.example');
    const other = await ask(signer.token(claims(bound)), { origin: 'https://c.example' });
    expect(other.status).toBe(200);
    expect(other.headers.get('access-control-allow-origin')).toBe('https://a.example');
    const strict = signer.token(claims({ ...bound, 'aws:strict-origin-enforcement': true }));
    expect(await codeOf(await ask(strict, { origin: 'https://c.example' }))).toBe('403 origin_not_allowed');
    expect(await codeOf(await ask(strict))).toBe('403 origin_not_allowed');
    expect((await ask(strict, { origin: 'https://b.example' })).status).toBe(200);
  });
});

describe('a stream of normal latency', () => {
  it('has whole segments alone, and answers at once', async () => {
    const headers = { origin: 'https://a.example', 'cloudfront-viewer-country': 'DE' };
    const [url = ''] = await openStream(restricted.playbackUrl, { headers });
    const list = await (await fetch(`${url}?_HLS_msn=1&_HLS_part=3`, { headers })).text();
    expect(tagsOf(list, 'EXTINF').length).toBeGreaterThan(0);
    expect(list).not.toMatch(/EXT-X-(PART|PRELOAD-HINT|SERVER-CONTROL)/);
    expect((await fetch(url)).status).toBe(403);
  });
});

describe('a playback restriction policy', () => {
  const ask = (headers: Record<string, string>) => fetch(restricted.playbackUrl, { headers });
  const origin = 'https://a.example';

  it('lets in who comes from its countries and origins', async () => {
    expect((await ask({ origin, 'cloudfront-viewer-country': 'FR' })).status).toBe(200);
    const country = { 'cloudfront-viewer-country': 'DE' };
    expect(await codeOf(await ask(country))).toBe('403 origin_not_allowed');
    expect(await codeOf(await ask({ ...country, origin: 'https://b.example' }))).toBe(
      '403 origin_not_allowed',
    );
    expect(await codeOf(await ask({ origin, 'cloudfront-viewer-country': 'US' }))).toBe(
      '403 content_geoblocked',
    );
    expect(await codeOf(await ask({ origin }))).toBe('403 content_geoblocked');
  });
});
