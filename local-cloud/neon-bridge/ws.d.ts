/** The part of `ws` the tunnel uses; the package carries no types of its own. */
declare module 'ws' {
  import type { EventEmitter } from 'node:events';
  import type { IncomingMessage } from 'node:http';
  import type { Duplex } from 'node:stream';

  export class WebSocket extends EventEmitter {
    readonly bufferedAmount: number;
    send(data: string | Uint8Array, sent?: (error?: Error) => void): void;
    close(code?: number, reason?: string): void;
    terminate(): void;
    pause(): void;
    resume(): void;
  }

  export class WebSocketServer extends EventEmitter {
    readonly clients: Set<WebSocket>;
    constructor(options: { noServer: true; perMessageDeflate: boolean; maxPayload: number });
    handleUpgrade(
      request: IncomingMessage,
      stream: Duplex,
      head: Buffer,
      opened: (socket: WebSocket) => void,
    ): void;
    close(): void;
  }
}
