import { z } from '@hono/zod-openapi';
import { pageOf } from '../../http/pagination.ts';
import { idSchema } from '../../http/params.ts';
import { userSummarySchema } from '../users/index.ts';

export const userParams = z.object({ user_id: idSchema('user') });

export const followSchema = z.object({ following: z.boolean() }).openapi('Follow');
export const blockSchema = z.object({ blocking: z.boolean() }).openapi('Block');

export const userPageSchema = pageOf(userSummarySchema).openapi('UserPage');

export const listPositionSchema = z.strictObject({
  since: z.iso.datetime({ precision: 6 }),
  id: z.uuid(),
});
