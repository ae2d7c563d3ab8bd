import { z } from '@hono/zod-openapi';

/** A user as shown beside what they made. */
export const userSummarySchema = z
  .object({
    id: z.string(),
    username: z.string(),
    display_name: z.string(),
    avatar_url: z.url().nullable(),
  })
  .openapi('UserSummary');

export type UserSummary = z.infer<typeof userSummarySchema>;
