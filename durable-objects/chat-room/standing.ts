import { chatCloseCodes, standingFrame } from '../chat-relay/protocol.ts';
import { isBanned, keepsOrder } from './decide.ts';
import type { Notice, Standing } from './protocol.ts';

/** Bans that end so close to one another are the same. */
const sameBanMs = 60_000;

/** Whether somebody may write less from now on than they could. */
export function isNewBan(before: Standing, after: Standing, nowMs: number): boolean {
  if (!isBanned(after, nowMs)) return false;
  if (!isBanned(before, nowMs)) return true;
  const [was, is] = [before.ban?.untilMs ?? null, after.ban?.untilMs ?? null];
  return was !== is && (was === null || is === null || Math.abs(was - is) > sameBanMs);
}

/** What sockets of somebody are told when something was decided about them. Those banned for good are closed. */
export function noticesOf(userId: string, before: Standing, after: Standing, nowMs: number): Notice[] {
  const isSame =
    before.role === after.role &&
    before.warning === after.warning &&
    !isNewBan(before, after, nowMs) &&
    isBanned(before, nowMs) === isBanned(after, nowMs);
  if (isSame) return [];
  const isGone = isNewBan(before, after, nowMs) && after.ban?.untilMs === null;
  return [
    {
      to: { userId },
      frame: standingFrame(after, nowMs),
      keepsOrder: keepsOrder(after),
      ...(isGone ? { close: chatCloseCodes.banned } : {}),
    },
  ];
}
