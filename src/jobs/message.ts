import { z } from 'zod';

/**
 * Declares a kind of message: what happened, and the data a handler needs. Modules declare theirs in `*.events.ts`.
 * A message travels outbox -> queue -> handler, at least once, in any order.
 */
export const defineMessage = <T extends string, S extends z.ZodType>(type: T, data: S) =>
  z.strictObject({
    id: z.uuid(),
    type: z.literal(type),
    occurred_at: z.iso.datetime(),
    traceparent: z.string().max(64).optional(),
    data,
  });
