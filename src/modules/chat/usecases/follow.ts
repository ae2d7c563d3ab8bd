import type { RequestContext } from '../../../context.ts';
import { type ChatVisit, socketOf } from './connect.ts';

/** Bytes that may wait for a client before it is dropped. */
const maxWaiting = 1_000_000;
const keepAliveMs = 15_000;
/** How often the relay is told how far the client has come. */
const seenMs = 10_000;

/**
 * The frames of a room as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), for clients that
 * cannot have a WebSocket: the Worker has it for them. `id` is the number up to which the client has the log.
 * @throws streams.not_found, service.unavailable.
 */
export async function followRoom(ctx: RequestContext, streamId: string, visit: ChatVisit): Promise<Response> {
  const socket = await socketOf(ctx, streamId, visit);
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  pump(socket, writable.getWriter());
  return new Response(readable, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Proxies must not gather what is sent.
      'x-accel-buffering': 'no',
    },
  });
}

function pump(socket: WebSocket, writer: WritableStreamDefaultWriter<Uint8Array>): void {
  const encoder = new TextEncoder();
  let waiting = 0;
  let seenAtMs = Date.now();
  const end = (): void => {
    clearInterval(keepAlive);
    socket.close(1000);
    writer.close().catch(() => undefined);
  };
  const write = async (text: string): Promise<void> => {
    const bytes = encoder.encode(text);
    waiting += bytes.length;
    if (waiting > maxWaiting) return end();
    await writer.write(bytes);
    waiting -= bytes.length;
  };
  const keepAlive = setInterval(() => void write(': still here\n\n').catch(end), keepAliveMs);
  socket.addEventListener('message', ({ data }) => {
    const frame = String(data);
    const { type, to } = JSON.parse(frame) as { readonly type: string; readonly to?: number };
    const id = type === 'batch' ? `id: ${to}\n` : '';
    write(`${id}data: ${frame}\n\n`)
      .then(() => {
        if (type !== 'batch' || Date.now() - seenAtMs < seenMs) return;
        seenAtMs = Date.now();
        socket.send(JSON.stringify({ type: 'seen', seq: to }));
      })
      .catch(end);
  });
  socket.addEventListener('close', ({ code }) => {
    write(`event: closed\ndata: {"code":${code}}\n\n`).then(end, end);
  });
  // The client has gone.
  writer.closed.catch(end);
  socket.accept();
}
