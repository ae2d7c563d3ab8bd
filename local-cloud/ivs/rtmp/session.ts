import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { type Amf, decodeAmf, encodeAmf } from './amf0.ts';
import { ChunkReader, MessageType, type RtmpMessage, writeChunks } from './chunks.ts';
import { FLV_AUDIO, FLV_SCRIPT, FLV_VIDEO, type FlvTag } from './flv.ts';

/** A connected encoder, as the part that takes broadcasts in sees it. */
export type IngestConnection = {
  readonly secure: boolean;
  close(): void;
  /** Stops and continues reading, so that an encoder cannot send faster than its stream is used up. */
  pause(): void;
  resume(): void;
};

/** Where the media of one publication goes. */
export type IngestSink = {
  tag(tag: FlvTag): void;
  /** The publication is over, by the encoder's wish or not. Called once. */
  ended(): void;
};

/** Answers a stream key as it stands in the URL, its query included: a sink, or why nobody may publish with it. */
export type OnPublish = (name: string, connection: IngestConnection) => IngestSink | { refused: string };

export type SessionOptions = {
  onPublish: OnPublish;
  /** Time to begin publishing. */
  handshakeMs: number;
  /** Longest silence of a connection. */
  idleMs: number;
  log: (line: string) => void;
};

const HANDSHAKE_BYTES = 1536;
const WINDOW_BYTES = 2_500_000;
const CHUNK_BYTES = 4096;
const MAX_CHARS_OF_NAME = 512;
const MAX_COMMANDS = 100;
const APP = 'app';

/** Speaks RTMP 1.0 with one encoder. Whatever it sends, the worst that happens is that its connection is closed. */
export function serveRtmp(socket: Socket, secure: boolean, options: SessionOptions): void {
  const reader = new ChunkReader();
  let handshake: Buffer | undefined = Buffer.alloc(0);
  let greeted = false;
  let receivedBytes = 0;
  let acknowledgedBytes = 0;
  let windowBytes = WINDOW_BYTES;
  let commands = 0;
  let connected = false;
  let sink: IngestSink | undefined;

  const timer = setTimeout(() => socket.destroy(), options.handshakeMs);
  socket.setTimeout(options.idleMs, () => socket.destroy());
  socket.setNoDelay(true);

  const connection: IngestConnection = {
    secure,
    close: () => socket.destroy(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  };

  function send(chunkStreamId: number, type: number, payload: Buffer, streamId = 0): void {
    socket.write(writeChunks(chunkStreamId, { type, streamId, payload }, CHUNK_BYTES));
  }
  function control(type: number, value: number, ...more: number[]): void {
    const payload = Buffer.alloc(4 + more.length);
    payload.writeUInt32BE(value >>> 0);
    more.forEach((byte, index) => {
      payload[4 + index] = byte;
    });
    send(2, type, payload);
  }
  const command = (...values: Amf[]): void => send(3, MessageType.CommandAmf0, encodeAmf(...values));
  const status = (streamId: number, level: string, code: string, description: string): void =>
    send(5, MessageType.CommandAmf0, encodeAmf('onStatus', 0, null, { level, code, description }), streamId);

  function end(): void {
    clearTimeout(timer);
    const ended = sink;
    sink = undefined;
    ended?.ended();
  }

  function connect(transaction: number, argument: Amf | undefined): void {
    const app = isObject(argument) && typeof argument.app === 'string' ? argument.app : '';
    if (app.replace(/\/+$/, '').split('?')[0] !== APP) {
      command('_error', transaction, null, {
        level: 'error',
        code: 'NetConnection.Connect.InvalidApp',
        description: `There is no application ${app.slice(0, 64)}`,
      });
      socket.end();
      return;
    }
    connected = true;
    control(MessageType.WindowAckSize, WINDOW_BYTES);
    control(MessageType.SetPeerBandwidth, WINDOW_BYTES, 2);
    control(MessageType.SetChunkSize, CHUNK_BYTES);
    command(
      '_result',
      transaction,
      { fmsVer: 'FMS/3,0,1,123', capabilities: 31 },
      {
        level: 'status',
        code: 'NetConnection.Connect.Success',
        description: 'Connection succeeded.',
        objectEncoding: 0,
      },
    );
  }

  function publish(streamId: number, name: Amf | undefined): void {
    if (!connected || sink || typeof name !== 'string' || name.length > MAX_CHARS_OF_NAME)
      throw new Error('publish out of turn');
    const answer = options.onPublish(name, connection);
    if ('refused' in answer) {
      status(streamId, 'error', 'NetStream.Publish.BadName', answer.refused);
      socket.end();
      return;
    }
    clearTimeout(timer);
    reader.allowMedia();
    sink = answer;
    status(streamId, 'status', 'NetStream.Publish.Start', 'Publishing.');
  }

  function onCommand({ payload, streamId }: RtmpMessage): void {
    commands += 1;
    if (commands > MAX_COMMANDS) throw new Error('too many commands');
    const [name, transaction, argument, detail] = decodeAmf(payload);
    const id = typeof transaction === 'number' ? transaction : 0;
    switch (name) {
      case 'connect':
        connect(id, argument);
        break;
      case 'createStream':
        command('_result', id, null, 1);
        break;
      case 'publish':
        publish(streamId, detail);
        break;
      case 'FCPublish':
        command('onFCPublish', 0, null, {
          code: 'NetStream.Publish.Start',
          description: String(detail),
        });
        break;
      case 'FCUnpublish':
      case 'deleteStream':
      case 'closeStream':
        end();
        break;
      case 'releaseStream':
        command('_result', id, null, undefined);
        break;
    }
  }

  function onMessage(message: RtmpMessage): void {
    const { type, payload, timestampMs } = message;
    switch (type) {
      case MessageType.SetChunkSize:
        reader.setChunkSize(payload.readUInt32BE(0));
        break;
      case MessageType.Abort:
        reader.abort(payload.readUInt32BE(0));
        break;
      case MessageType.WindowAckSize:
        windowBytes = Math.max(1024, payload.readUInt32BE(0));
        break;
      case MessageType.Audio:
        sink?.tag({ type: FLV_AUDIO, timestampMs, payload });
        break;
      case MessageType.Video:
        sink?.tag({ type: FLV_VIDEO, timestampMs, payload });
        break;
      case MessageType.DataAmf0:
        sink?.tag({ type: FLV_SCRIPT, timestampMs, payload: withoutSetDataFrame(payload) });
        break;
      case MessageType.CommandAmf0:
        onCommand(message);
        break;
      case MessageType.CommandAmf3:
        // AMF3 commands of real encoders are AMF0 after one byte.
        onCommand({ ...message, payload: payload.subarray(1) });
        break;
    }
  }

  /** @returns what comes after the handshake, undefined while it is not over */
  function shakeHands(bytes: Buffer): Buffer | undefined {
    handshake = Buffer.concat([handshake ?? Buffer.alloc(0), bytes]);
    if (handshake.length > 0 && handshake[0] !== 3) throw new Error('not RTMP');
    if (!greeted && handshake.length >= 1 + HANDSHAKE_BYTES) {
      greeted = true;
      const own = randomBytes(HANDSHAKE_BYTES);
      own.fill(0, 0, 8);
      socket.write(Buffer.concat([Buffer.from([3]), own, handshake.subarray(1, 1 + HANDSHAKE_BYTES)]));
    }
    if (handshake.length < 1 + 2 * HANDSHAKE_BYTES) return undefined;
    const rest = handshake.subarray(1 + 2 * HANDSHAKE_BYTES);
    handshake = undefined;
    return rest;
  }

  socket.on('data', (bytes: Buffer) => {
    receivedBytes += bytes.length;
    try {
      const chunks = handshake === undefined ? bytes : shakeHands(bytes);
      if (chunks === undefined) return;
      for (const message of reader.read(chunks)) {
        onMessage(message);
        // Closed by what the message led to: the rest of the packet counts for nothing.
        if (socket.destroyed) return;
      }
      if (receivedBytes - acknowledgedBytes >= windowBytes / 2) {
        acknowledgedBytes = receivedBytes;
        control(MessageType.Acknowledgement, receivedBytes % 2 ** 32);
      }
    } catch (error) {
      options.log(`ingest connection closed: ${error instanceof Error ? error.message : String(error)}`);
      socket.destroy();
    }
  });
  socket.on('end', () => socket.end());
  socket.on('error', () => socket.destroy());
  socket.on('close', end);
}

const SET_DATA_FRAME = encodeAmf('@setDataFrame');

/** Encoders wrap metadata in a call that only servers understand. */
function withoutSetDataFrame(payload: Buffer): Buffer {
  const wrapped = payload.subarray(0, SET_DATA_FRAME.length).equals(SET_DATA_FRAME);
  return wrapped ? payload.subarray(SET_DATA_FRAME.length) : payload;
}

const isObject = (value: Amf | undefined): value is { [key: string]: Amf } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
