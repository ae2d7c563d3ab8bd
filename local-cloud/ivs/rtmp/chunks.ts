/** Message types of RTMP 1.0 that mean something here. */
export const MessageType = {
  SetChunkSize: 1,
  Abort: 2,
  Acknowledgement: 3,
  UserControl: 4,
  WindowAckSize: 5,
  SetPeerBandwidth: 6,
  Audio: 8,
  Video: 9,
  DataAmf0: 18,
  CommandAmf3: 17,
  CommandAmf0: 20,
} as const;

export type RtmpMessage = { type: number; streamId: number; timestampMs: number; payload: Buffer };

const MAX_CHUNK_STREAMS = 64;
const MAX_CHUNK_BYTES = 1 << 20;
const MAX_MEDIA_BYTES = 8 << 20;
const MAX_OTHER_BYTES = 64 << 10;
/** Of messages that are not whole yet, on all chunk streams together. */
const MAX_UNFINISHED_BYTES = 16 << 20;
const HEADER_BYTES = [11, 7, 3, 0] as const;
const EXTENDED = 0xffffff;

type ChunkStream = {
  timestamp: number;
  delta: number;
  extended: boolean;
  length: number;
  type: number;
  streamId: number;
  parts: Buffer[];
  received: number;
};

/** Puts messages together from chunks (RTMP 1.0 §5.3). Throws at anything a well-meaning encoder would not send. */
export class ChunkReader {
  #pending: Buffer = Buffer.alloc(0);
  #chunkBytes = 128;
  #unfinishedBytes = 0;
  #mediaBytes = MAX_OTHER_BYTES;
  readonly #streams = new Map<number, ChunkStream>();

  setChunkSize(bytes: number): void {
    if (bytes < 1 || bytes > MAX_CHUNK_BYTES) throw new Error(`a chunk size of ${bytes} bytes`);
    this.#chunkBytes = bytes;
  }

  /** From now on media messages may be as large as pictures are. Until then nobody has shown a key. */
  allowMedia(): void {
    this.#mediaBytes = MAX_MEDIA_BYTES;
  }

  /** Gives up the message of which a part was sent. */
  abort(chunkStreamId: number): void {
    const stream = this.#streams.get(chunkStreamId);
    if (stream) {
      this.#unfinishedBytes -= stream.received;
      stream.parts = [];
      stream.received = 0;
    }
  }

  /** Messages that became whole with these bytes. To be used up before anything else is read. */
  *read(bytes: Buffer): Generator<RtmpMessage> {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    for (;;) {
      const chunk = this.#nextChunk();
      if (chunk === undefined) return;
      if (chunk.received < chunk.length) continue;
      const payload = chunk.parts.length === 1 ? (chunk.parts[0] as Buffer) : Buffer.concat(chunk.parts);
      this.#unfinishedBytes -= chunk.received;
      chunk.parts = [];
      chunk.received = 0;
      yield { type: chunk.type, streamId: chunk.streamId, timestampMs: chunk.timestamp, payload };
    }
  }

  #nextChunk(): ChunkStream | undefined {
    const data = this.#pending;
    const first = data[0];
    if (first === undefined) return undefined;
    const format = first >> 6;
    let id = first & 0x3f;
    let offset = 1;
    if (id < 2) {
      offset += id + 1;
      if (data.length < offset) return undefined;
      id = 64 + data.readUInt8(1) + (id === 1 ? data.readUInt8(2) * 256 : 0);
    }
    const headerBytes = HEADER_BYTES[format] ?? 0;
    if (data.length < offset + headerBytes) return undefined;
    const known = this.#streams.get(id);
    if (known === undefined && format !== 0) throw new Error('a chunk continues a stream that never began');
    if (known !== undefined && known.received > 0 && format !== 3)
      throw new Error('a message begins before the last one of its chunk stream ended');
    const field = format < 3 ? data.readUIntBE(offset, 3) : 0;
    const extended = format < 3 ? field === EXTENDED : (known?.extended ?? false);
    const end = offset + headerBytes + (extended ? 4 : 0);
    if (data.length < end) return undefined;
    const length = format < 2 ? data.readUIntBE(offset + 3, 3) : (known?.length ?? 0);
    const type = format < 2 ? data.readUInt8(offset + 6) : (known?.type ?? 0);
    const received = known?.received ?? 0;
    const bytes = Math.min(this.#chunkBytes, length - received);
    if (received === 0) this.#checkLength(type, length);
    if (data.length < end + bytes) return undefined;
    const stream = known ?? this.#open(id);
    if (received === 0) {
      if (format < 3) stream.delta = extended ? data.readUInt32BE(end - 4) : field;
      stream.timestamp = format === 0 ? stream.delta : (stream.timestamp + stream.delta) >>> 0;
      if (format === 0) stream.streamId = data.readUInt32LE(offset + 7);
      Object.assign(stream, { extended, length, type });
    }
    stream.parts.push(data.subarray(end, end + bytes));
    stream.received += bytes;
    this.#unfinishedBytes += bytes;
    if (this.#unfinishedBytes > MAX_UNFINISHED_BYTES) throw new Error('too many messages at one time');
    this.#pending = data.subarray(end + bytes);
    return stream;
  }

  #checkLength(type: number, length: number): void {
    const media = type === MessageType.Audio || type === MessageType.Video;
    if (length > (media ? this.#mediaBytes : MAX_OTHER_BYTES))
      throw new Error(`a message of type ${type} with ${length} bytes`);
  }

  #open(id: number): ChunkStream {
    if (this.#streams.size >= MAX_CHUNK_STREAMS) throw new Error('too many chunk streams');
    const stream = {
      timestamp: 0,
      delta: 0,
      extended: false,
      length: 0,
      type: 0,
      streamId: 0,
      parts: [],
      received: 0,
    };
    this.#streams.set(id, stream);
    return stream;
  }
}

/** One message as chunks of a size. */
export function writeChunks(
  chunkStreamId: number,
  message: Omit<RtmpMessage, 'timestampMs'>,
  chunkBytes: number,
): Buffer {
  const header = Buffer.alloc(12);
  header[0] = chunkStreamId;
  header.writeUIntBE(message.payload.length, 4, 3);
  header[7] = message.type;
  header.writeUInt32LE(message.streamId, 8);
  const pieces: Buffer[] = [header];
  for (let offset = 0; offset < message.payload.length; offset += chunkBytes) {
    if (offset > 0) pieces.push(Buffer.from([0xc0 | chunkStreamId]));
    pieces.push(message.payload.subarray(offset, offset + chunkBytes));
  }
  return Buffer.concat(pieces);
}
