import type { RequestContext } from '../context.ts';
import { insertDeadLetter } from '../db/dead-letters.ts';

/** Keeps a message no retry could save, so that an operator can look at it and send it again. */
export const keepDeadLetter = (ctx: RequestContext, queue: string, body: unknown): Promise<void> =>
  insertDeadLetter(ctx.databases.primary, { id: ctx.ids.next(), queue, body });
