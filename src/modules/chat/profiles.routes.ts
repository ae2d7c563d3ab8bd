import { z } from '@hono/zod-openapi';
import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { requireViewerId } from '../../http/viewer.ts';
import { findChatProfile, saveChatProfile } from './profiles.repository.ts';

const tags = ['Chat'];

export const chatProfileBody = z
  .strictObject({
    color: z
      .string()
      .regex(/^#[0-9A-Fa-f]{6}$/, 'must be like #1e90ff')
      .transform((color) => color.toLowerCase())
      .nullable()
      .openapi({ type: 'string', description: 'Of my name in chat; null lets clients choose.' }),
  })
  .openapi('SetChatProfile');

export const chatProfileSchema = z.object({ color: z.string().nullable() }).openapi('ChatProfile');

/** Mounted at `/v1`. */
export const chatProfilesRoutes = createRouter();

chatProfilesRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/me/chat-profile',
    responses: { 200: jsonResponse(chatProfileSchema, 'How you look in chat'), ...problems(401) },
    summary: 'How I look in chat',
    operationId: 'getChatProfile',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    return c.json(await findChatProfile(ctx.readDb, requireViewerId(ctx)), 200);
  },
);

chatProfilesRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/me/chat-profile',
    request: jsonBody(chatProfileBody),
    responses: { 200: jsonResponse(chatProfileSchema, 'How you look in chat'), ...problems(400, 401, 422) },
    summary: 'Choose how I look in chat',
    description: 'Rooms you are in show it when you come anew, or within five minutes.',
    operationId: 'setChatProfile',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const profile = c.req.valid('json');
    await saveChatProfile(ctx.databases.primary, requireViewerId(ctx), profile);
    return c.json(profile, 200);
  },
);
