import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  DeleteStreamKeyCommand,
  GetStreamCommand,
  GetStreamSessionCommand,
  ListStreamSessionsCommand,
  ListStreamsCommand,
  StopStreamCommand,
  UpdateChannelCommand,
} from '@aws-sdk/client-ivs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeAmf, encodeAmf } from '../../../local-cloud/ivs/rtmp/amf0.ts';
import { ChunkReader, MessageType, writeChunks } from '../../../local-cloud/ivs/rtmp/chunks.ts';
import { type Cloud, type Publication, publish, startCloud, told, until } from './harness.ts';
import { openStream } from './viewer.ts';

let cloud: Cloud;
const publications: Publication[] = [];
beforeAll(async () => {
  cloud = await startCloud();
});
afterAll(async () => {
  for (const publication of publications) await publication.stop();
  await cloud.close();
});

const publishing = (...args: Parameters<typeof publish>): Publication => {
  const publication = publish(...args);
  publications.push(publication);
  return publication;
};
const getStream = (channelArn: string) => cloud.client.send(new GetStreamCommand({ channelArn }));

const opened = (socket: Socket): Promise<Socket> =>
  new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.resume();
    socket.on('error', () => {});
    socket.once('close', () => resolve());
  });
const handshake = Buffer.concat([Buffer.from([3]), Buffer.alloc(2 * 1536)]);
const message = (type: number, payload: Buffer) => writeChunks(3, { type, streamId: 0, payload }, 128);

// Side by side: broadcasts take as long as they take, and little else.
describe.concurrent('an encoder', () => {
  it('goes live over RTMPS, is measured, and ends its session when it hangs up', async () => {
    const { channel, key } = await cloud.createChannel({ insecureIngest: false, name: 'films' });
    const publication = publishing(cloud, key.value, { secure: true, seconds: 6 });
    await told(cloud, channel.arn, 'Stream Start');
    const { stream } = await getStream(channel.arn);
    expect(stream).toMatchObject({
      channelArn: channel.arn,
      state: 'LIVE',
      health: 'HEALTHY',
      viewerCount: 0,
      playbackUrl: channel.playbackUrl,
      startTime: expect.any(Date),
    });
    const { streams } = await cloud.client.send(new ListStreamsCommand({ filterBy: { health: 'HEALTHY' } }));
    expect(streams?.map(({ streamId }) => streamId)).toContain(stream?.streamId);
    await expect(
      cloud.client.send(new UpdateChannelCommand({ arn: channel.arn, name: 'x' })),
    ).rejects.toMatchObject({ name: 'ConflictException', $metadata: { httpStatusCode: 409 } });

    expect(await publication.ended).toBe(0);
    await told(cloud, channel.arn, 'Session Ended');
    await expect(getStream(channel.arn)).rejects.toMatchObject({ name: 'ChannelNotBroadcasting' });
    expect(cloud.names(channel.arn)).toEqual([
      'Session Created',
      'Stream Start',
      'Stream End',
      'Session Ended',
    ]);
    const event = cloud.events.find(({ resources }) => resources[0] === channel.arn);
    expect(event).toMatchObject({
      source: 'aws.ivs',
      'detail-type': 'IVS Stream State Change',
      detail: { event_name: 'Session Created', channel_name: 'films', stream_id: stream?.streamId },
    });
    const { streamSession } = await cloud.client.send(
      new GetStreamSessionCommand({ channelArn: channel.arn, streamId: stream?.streamId }),
    );
    expect(streamSession?.endTime).toBeInstanceOf(Date);
    expect(streamSession?.ingestConfiguration).toMatchObject({
      video: {
        codec: expect.stringMatching(/^avc1\.42C0/),
        avcProfile: 'Baseline',
        encoder: expect.stringMatching(/^Lavf/),
        videoWidth: 160,
        videoHeight: 90,
        targetFramerate: 15,
      },
      audio: { codec: 'mp4a.40.2', sampleRate: 48_000, channels: 1 },
    });
    // x264 in its default mode declares no bit rate: what is told was measured.
    expect(streamSession?.ingestConfiguration?.video?.targetBitrate).toBeGreaterThan(1000);
    expect(streamSession?.truncatedEvents?.map(({ name }) => name)).toEqual([
      'Session Ended',
      'Stream End',
      'Stream Start',
      'Session Created',
    ]);
    const list = await cloud.client.send(new ListStreamSessionsCommand({ channelArn: channel.arn }));
    expect(list.streamSessions).toMatchObject([{ streamId: stream?.streamId, hasErrorEvent: false }]);
  });

  it('that sends another codec is transcoded', async () => {
    const { channel, key } = await cloud.createChannel();
    publishing(cloud, key.value, {
      codecs: ['-c:v', 'flv', '-g', '15', '-c:a', 'libmp3lame', '-ar', '44100', '-b:a', '64k'],
    });
    await told(cloud, channel.arn, 'Stream Start');
    const [url = ''] = await openStream(channel.playbackUrl);
    const bytes = await (await fetch(new URL('init-0.mp4', url))).text();
    expect(bytes).toContain('avc1');
    expect(bytes).toContain('mp4a');
    const { streamSession } = await cloud.client.send(
      new GetStreamSessionCommand({ channelArn: channel.arn }),
    );
    expect(streamSession?.ingestConfiguration?.video).toMatchObject({ codec: 'flv1', videoHeight: 90 });
  });

  it('is refused with a wrong key, another application, or without encryption where it is asked for', async () => {
    const { channel, key } = await cloud.createChannel({ insecureIngest: false });
    expect(await publishing(cloud, key.value).ended).not.toBe(0);
    const wrong = publishing(cloud, 'sk_us-east-1_no_such_key', { secure: true });
    expect(await wrong.ended).not.toBe(0);
    const otherApp = publishing(cloud, `../live/${key.value}`, { secure: true });
    expect(await otherApp.ended).not.toBe(0);
    expect(cloud.names(channel.arn)).toEqual([]);
  });

  it('is refused while another is on the channel, and takes it over with a higher priority', async () => {
    const { channel, key } = await cloud.createChannel();
    const first = publishing(cloud, key.value);
    await told(cloud, channel.arn, 'Stream Start');
    expect(await publishing(cloud, key.value).ended).not.toBe(0);
    expect(await publishing(cloud, key.value, { query: '?priority=0' }).ended).not.toBe(0);
    expect(cloud.names(channel.arn)).toEqual(['Session Created', 'Stream Start', 'Stream Takeover Failure']);
    expect(await publishing(cloud, key.value, { query: '?priority=7', size: '320x180' }).ended).not.toBe(0);
    const { streamSession } = await cloud.client.send(
      new GetStreamSessionCommand({ channelArn: channel.arn }),
    );
    expect(streamSession?.truncatedEvents?.slice(0, 2).map(({ code }) => code)).toEqual([
      'StreamTakeoverMediaMismatch',
      'StreamTakeoverInvalidPriority',
    ]);

    publishing(cloud, key.value, { query: '?priority=7' });
    await told(cloud, channel.arn, 'Stream Takeover');
    await first.ended;
    const packager = cloud.ivs.broadcastOf(channel.arn)?.renditions[0]?.packager;
    await until(
      () => packager?.segments.some(({ discontinuity, complete }) => discontinuity && complete) || undefined,
    );
    expect((await getStream(channel.arn)).stream?.streamId).toBe(streamSession?.streamId);
  });

  it('is cut off by StopStream, comes back with a new session, and not once its key is gone', async () => {
    const { channel, key } = await cloud.createChannel();
    const first = publishing(cloud, key.value);
    await told(cloud, channel.arn, 'Stream Start');
    await cloud.client.send(new StopStreamCommand({ channelArn: channel.arn }));
    expect(await first.ended).not.toBe(0);
    await told(cloud, channel.arn, 'Session Ended');
    const second = publishing(cloud, key.value);
    await told(cloud, channel.arn, 'Stream Start', undefined, 2);
    const { streamSessions } = await cloud.client.send(
      new ListStreamSessionsCommand({ channelArn: channel.arn }),
    );
    expect(new Set(streamSessions?.map(({ streamId }) => streamId)).size).toBe(2);
    await cloud.client.send(new DeleteStreamKeyCommand({ arn: key.arn }));
    await cloud.client.send(new StopStreamCommand({ channelArn: channel.arn }));
    await second.ended;
    await told(cloud, channel.arn, 'Session Ended', undefined, 2);
    expect(await publishing(cloud, key.value).ended).not.toBe(0);
    expect(cloud.names(channel.arn).filter((name) => name === 'Session Created')).toHaveLength(2);
  });
});

describe.concurrent('what goes wrong', () => {
  it('with the connection ends the session', async () => {
    const { channel, key } = await cloud.createChannel();
    const publication = publishing(cloud, key.value);
    await told(cloud, channel.arn, 'Stream Start');
    await publication.stop();
    await told(cloud, channel.arn, 'Session Ended');
    expect(cloud.names(channel.arn).slice(-2)).toEqual(['Stream End', 'Session Ended']);
  });

  it('with the transcoder is a failure, and ends the session and the connection', async () => {
    const { channel, key } = await cloud.createChannel();
    const publication = publishing(cloud, key.value);
    await told(cloud, channel.arn, 'Stream Start');
    process.kill(cloud.ivs.broadcastOf(channel.arn)?.transcoderPid ?? 0, 'SIGKILL');
    expect(await publication.ended).not.toBe(0);
    await told(cloud, channel.arn, 'Session Ended');
    expect(cloud.names(channel.arn).slice(-3)).toEqual(['Stream Failure', 'Stream End', 'Session Ended']);
  });

  it('with the flow of media is starvation, until it flows again', async () => {
    const impatient = await startCloud({ starvationMs: 1500 });
    const { channel, key } = await impatient.createChannel();
    const publication = publishing(impatient, key.value);
    await told(impatient, channel.arn, 'Stream Start');
    publication.child.kill('SIGSTOP');
    await told(impatient, channel.arn, 'Starvation Start', 'IVS Stream Health Change');
    const filterBy = { health: 'STARVING' } as const;
    const { streams } = await impatient.client.send(new ListStreamsCommand({ filterBy }));
    expect(streams).toHaveLength(1);
    publication.child.kill('SIGCONT');
    await told(impatient, channel.arn, 'Starvation End', 'IVS Stream Health Change');
    await publication.stop();
    await impatient.close();
  });

  it('with an encoder that says nothing more ends its session', async () => {
    const impatient = await startCloud({ ingestIdleMs: 300 });
    const { channel, key } = await impatient.createChannel();
    const socket = await opened(connect(impatient.ivs.rtmpPort, '127.0.0.1'));
    const end = closed(socket);
    socket.write(handshake);
    socket.write(message(MessageType.CommandAmf0, encodeAmf('connect', 1, { app: 'app' })));
    socket.write(message(MessageType.CommandAmf0, encodeAmf('publish', 2, null, key.value, 'live')));
    await end;
    await told(impatient, channel.arn, 'Session Ended');
    expect(impatient.names(channel.arn)).toEqual(['Session Created', 'Session Ended']);
    await impatient.close();
  });

  it('with limits is told of: too many streams, too large a picture', async () => {
    const full = await startCloud({ maxConcurrentStreams: 1 });
    const { channel, key } = await full.createChannel();
    const large = publishing(full, key.value, { size: '2048x1080' });
    await told(full, channel.arn, 'Ingest Resolution', 'IVS Limit Breach');
    expect(await large.ended).not.toBe(0);
    await told(full, channel.arn, 'Session Ended');
    publishing(full, key.value);
    await told(full, channel.arn, 'Session Created', undefined, 2);
    const other = await full.createChannel();
    expect(await publishing(full, other.key.value).ended).not.toBe(0);
    const breach = full.events.find(({ detail }) => detail.limit_name === 'Concurrent Broadcasts');
    expect(breach).toMatchObject({ resources: [], detail: { limit_value: 1, exceeded_by: 1 } });
    await full.close();
  });
});

describe('hostile input', () => {
  it.each([
    ['no RTMP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a chunk that continues nothing', Buffer.concat([handshake, Buffer.from([0xc9])])],
    ['a chunk size of zero', Buffer.concat([handshake, message(MessageType.SetChunkSize, Buffer.alloc(4))])],
    [
      'a command that is no AMF',
      Buffer.concat([handshake, message(MessageType.CommandAmf0, Buffer.from([9]))]),
    ],
    ['half a number', Buffer.concat([handshake, message(MessageType.WindowAckSize, Buffer.from([1]))])],
    [
      'publishing before connecting',
      Buffer.concat([
        handshake,
        message(MessageType.CommandAmf0, encodeAmf('publish', 0, null, 'x', 'live')),
      ]),
    ],
    [
      'a large picture before a key was shown',
      Buffer.concat([handshake, Buffer.from([6, 0, 0, 0, 0x7f, 0xff, 0xff, 9, 0, 0, 0, 0])]),
    ],
    [
      'a command of 16 MB',
      Buffer.concat([handshake, Buffer.from([3, 0, 0, 0, 0xff, 0xff, 0xff, 20, 0, 0, 0, 0])]),
    ],
  ])('such as %s closes its connection and nothing else', async (_, bytes) => {
    const socket = await opened(connect(cloud.ivs.rtmpPort, '127.0.0.1'));
    const end = closed(socket);
    socket.write(bytes);
    await end;
    const secure = connectTls({ port: cloud.ivs.rtmpsPort, host: '127.0.0.1', rejectUnauthorized: false });
    const secureEnd = closed(secure);
    secure.once('secureConnect', () => secure.write(bytes));
    await secureEnd;
    await (await opened(connect(cloud.ivs.rtmpPort, '127.0.0.1'))).destroy();
  });

  it.each([
    ['a configuration that is none', [Buffer.from([0x17, 0, 0, 0, 0, 9, 9, 9])]],
    ['a configuration that is cut off', [Buffer.from('17000000000164002800e1001b67640028', 'hex')]],
    [
      'pictures that are noise',
      [
        Buffer.from(
          '17000000000142c01effe100196742c01eda0280bfe5c044000003000400000300f03c58ba8001000468ce0fc8',
          'hex',
        ),
        ...Array.from({ length: 60 }, () =>
          Buffer.concat([Buffer.from([0x17, 1, 0, 0, 0]), randomBytes(500)]),
        ),
      ],
    ],
    ['a sound without content', Array.from({ length: 200 }, () => Buffer.from([0x2f]))],
  ])('that is sent with a good key, such as %s, ends its session and nothing else', async (_, pictures) => {
    const { channel, key } = await cloud.createChannel();
    const socket = await opened(connect(cloud.ivs.rtmpPort, '127.0.0.1'));
    const end = closed(socket);
    socket.write(handshake);
    socket.write(message(MessageType.CommandAmf0, encodeAmf('connect', 1, { app: 'app' })));
    socket.write(message(MessageType.CommandAmf0, encodeAmf('publish', 2, null, key.value, 'live')));
    for (const picture of pictures) socket.write(message(MessageType.Video, picture));
    socket.end(message(MessageType.CommandAmf0, encodeAmf('deleteStream', 3, null, 1)));
    await end;
    await told(cloud, channel.arn, 'Session Ended');
    const { channel: other, key: good } = await cloud.createChannel();
    const publication = publishing(cloud, good.value);
    await told(cloud, other.arn, 'Session Created');
    await publication.stop();
  });

  it('of any kind makes the readers throw, or is read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const data = Buffer.from(bytes);
        for (const read of [() => decodeAmf(data), () => [...new ChunkReader().read(data)]]) {
          try {
            expect(Array.isArray(read())).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('messages', () => {
  it('come out as they went in, however they are cut into chunks and packets', () => {
    const messages = fc.array(
      fc.record({
        type: fc.constantFrom(MessageType.Audio, MessageType.Video, MessageType.CommandAmf0),
        streamId: fc.nat(5),
        payload: fc.uint8Array({ minLength: 1, maxLength: 700 }).map((bytes) => Buffer.from(bytes)),
      }),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(
        messages,
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 300 }),
        (sent, size, cut) => {
          const reader = new ChunkReader();
          reader.setChunkSize(size);
          const bytes = Buffer.concat(sent.map((one, index) => writeChunks(3 + index, one, size)));
          const got = [];
          for (let at = 0; at < bytes.length; at += cut)
            got.push(...reader.read(bytes.subarray(at, at + cut)));
          expect(got).toEqual(sent.map((one) => ({ ...one, timestampMs: 0 })));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('hold values that survive AMF0', () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        fc.double({ noNaN: true }),
        fc.boolean(),
        fc.string({ maxLength: 30 }),
        fc.constant(null),
        fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), tie('any'), {
          maxKeys: 4,
          noNullPrototype: false,
        }),
        fc.array(tie('any'), { maxLength: 4 }),
      ),
    })).any as fc.Arbitrary<Parameters<typeof encodeAmf>[0]>;
    fc.assert(
      fc.property(fc.array(value, { maxLength: 4 }), (values) => {
        expect(JSON.stringify(decodeAmf(encodeAmf(...values)))).toBe(JSON.stringify(values));
      }),
      { numRuns: 100 },
    );
  });
});
