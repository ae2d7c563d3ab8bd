import { closeCodes } from './protocol.ts';

/** What a socket must remember through hibernation; at most 16 KB. */
export interface SocketAttachment {
  readonly sessionId: string;
  /** When its access token runs out, Unix milliseconds. */
  readonly expiresAtMs: number;
  /** Order of arrival. */
  readonly order: number;
}

export const attachmentOf = (socket: WebSocket): SocketAttachment | undefined =>
  (socket.deserializeAttachment() as SocketAttachment | null) ?? undefined;

/** Closes a socket whatever state it is in. 1005, 1006 and 1015 may not be sent (RFC 6455 §7.4.1); 1000 stands in. */
export function closeQuietly(socket: WebSocket, code: number, reason = ''): void {
  const sendable =
    code === 1000 || (code >= 1001 && code <= 1014 && code !== 1005 && code !== 1006 && code !== 1004);
  try {
    socket.close(sendable || (code >= 3000 && code <= 4999) ? code : closeCodes.normal, reason.slice(0, 100));
  } catch {
    // Already closed.
  }
}

export function sendQuietly(socket: WebSocket, text: string): boolean {
  try {
    socket.send(text);
    return true;
  } catch {
    closeQuietly(socket, closeCodes.internalError);
    return false;
  }
}
