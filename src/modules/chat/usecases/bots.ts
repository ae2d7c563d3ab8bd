import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { userNotFound } from '../../users/index.ts';
import { deleteBot, saveBot } from '../bots.repository.ts';

/**
 * Lets an account of a program write more than people do, everywhere. Rooms it writes in know within five minutes, at once when
 * it comes anew.
 * @throws users.not_found
 */
export async function verifyChatBot(ctx: RequestContext, userId: string, messages: number): Promise<void> {
  if (!(await saveBot(ctx, requireViewerId(ctx), userId, messages))) throw userNotFound();
}

/** @throws users.not_found */
export async function endChatBot(ctx: RequestContext, userId: string): Promise<void> {
  if (!(await deleteBot(ctx, userId))) throw userNotFound();
}
