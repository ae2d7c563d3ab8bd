import { plainText } from '../../src/shared/text.ts';
import { maxTextLength } from '../chat-room/protocol.ts';
import { closeQuietly, sendQuietly } from '../user-hub/sockets.ts';
import { type ClientFrame, chatCloseCodes, errorFrame, resultFrame } from './protocol.ts';
import type { Place, RoomPort, SessionCheck } from './room-port.ts';
import { attachmentOf } from './sockets.ts';

/** Sessions that are asked about with each lease. */
const sessionsPerCheck = 100;
const messageText = plainText({ min: 1, max: maxTextLength });

/** Passes on what a socket says, and answers it. */
export async function say(
  socket: WebSocket,
  frame: Extract<ClientFrame, { type: 'send' }>,
  { place, room, isSessionLive }: { place: Place | undefined; room: RoomPort; isSessionLive: SessionCheck },
): Promise<void> {
  const { userId } = attachmentOf(socket);
  if (userId === undefined || place === undefined)
    return void sendQuietly(socket, errorFrame('chat.read_only', 'Sign in to write.', frame.id));
  if (!(await stillIn(socket, isSessionLive))) return;
  const text = messageText.safeParse(frame.text);
  if (!text.success) {
    const [issue] = text.error.issues;
    return void sendQuietly(socket, errorFrame('chat.text', `The text ${issue?.message}.`, frame.id));
  }
  const input = { clientId: frame.id, text: text.data, replyTo: frame.replyTo };
  try {
    const result = await room.say(place, userId, input);
    if ('unknown' in result)
      sendQuietly(socket, errorFrame('chat.closed', 'There is no such room any more.', frame.id));
    else sendQuietly(socket, resultFrame(frame.id, result));
  } catch {
    sendQuietly(socket, errorFrame('chat.unavailable', 'Send it again under the same id.', frame.id));
  }
}

/** Closes a socket whose session has ended. */
async function stillIn(socket: WebSocket, isSessionLive: SessionCheck): Promise<boolean> {
  const { userId, session } = attachmentOf(socket);
  if (userId === undefined || session === undefined) return true;
  const isLive = await isSessionLive(userId, session);
  if (!isLive) closeQuietly(socket, chatCloseCodes.tokenExpired, 'session ended');
  return isLive;
}

/** Asks about sessions, a few at a time, each in its turn: those who write are asked about when they do. */
export function createSessionRounds(
  isSessionLive: SessionCheck,
): (sockets: readonly WebSocket[]) => Promise<void> {
  let checked = 0;
  return async (sockets) => {
    const signedIn = sockets.filter((socket) => attachmentOf(socket).session !== undefined);
    const from = checked < signedIn.length ? checked : 0;
    checked = from + sessionsPerCheck;
    await Promise.all(signedIn.slice(from, checked).map((socket) => stillIn(socket, isSessionLive)));
  };
}
