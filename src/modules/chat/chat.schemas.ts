import { z } from '@hono/zod-openapi';
import { dropCodes, maxTextLength } from '../../../durable-objects/chat-room/protocol.ts';
import { idSchema } from '../../http/params.ts';
import { plainText } from '../../shared/text.ts';

export const maxTimeoutSeconds = 1_209_600;

const seq = z
  .string()
  .regex(/^(0|[1-9]\d{0,14})$/, 'must be a sequence number')
  .transform(Number);

export const connectChatQuery = z.strictObject({
  after: seq.optional().openapi({
    type: 'string',
    description:
      '`seq` of the last event the client has. What came after is sent first; if it is gone, `resync`.',
  }),
});

export const followChatHeaders = z.object({
  'last-event-id': seq.optional().openapi({
    type: 'string',
    description: 'Sent by browsers that connect again; goes before `after`.',
  }),
});

export const readChatQuery = z.strictObject({
  after: seq
    .optional()
    .openapi({ type: 'string', description: '`to` of the last answer; without it, the latest events.' }),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,2}$/)
    .transform(Number)
    .refine((limit) => limit <= 500, 'must be 500 at most')
    .default(100)
    .openapi({ type: 'string' }),
});

export const sendMessageBody = z
  .strictObject({
    client_id: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/)
      .openapi({
        description: 'Chosen by the client. Sent again under the same one, it is the same message.',
      }),
    text: plainText({ min: 1, max: maxTextLength }),
    reply_to: idSchema('chatMessage').optional(),
  })
  .openapi('SendChatMessage');

export const sendResultSchema = z
  .object({
    is_sent: z.boolean(),
    message_id: z.string().optional(),
    seq: z.int().optional(),
    drop_reason: z
      .object({ code: z.enum(dropCodes), message: z.string(), retry_after_ms: z.int().optional() })
      .optional(),
  })
  .openapi('ChatSendResult');

const settings = {
  slow_seconds: z.union([z.literal(0), z.int().min(3).max(120)]),
  members_only: z.boolean(),
  followers_only_minutes: z.int().min(0).max(129_600).nullable(),
  emote_only: z.boolean(),
  unique_only: z.boolean(),
  moderator_delay_seconds: z.int().min(0).max(6).multipleOf(2).default(0),
};

export const chatSettingsSchema = z.object(settings).openapi('ChatSettings');
export type ChatSettingsView = z.infer<typeof chatSettingsSchema>;

const reason = plainText({ min: 0, max: 500 }).default('');

export const moderateBody = z
  .discriminatedUnion('action', [
    z.strictObject({ action: z.literal('delete'), message_id: idSchema('chatMessage') }),
    z.strictObject({ action: z.literal('approve'), message_id: idSchema('chatMessage') }),
    z.strictObject({ action: z.literal('deny'), message_id: idSchema('chatMessage') }),
    z.strictObject({ action: z.literal('clear') }),
    z.strictObject({
      action: z.literal('timeout'),
      user_id: idSchema('user'),
      seconds: z.int().min(1).max(maxTimeoutSeconds),
      reason,
    }),
    z.strictObject({ action: z.literal('ban'), user_id: idSchema('user'), reason }),
    z.strictObject({ action: z.literal('unban'), user_id: idSchema('user') }),
    z.strictObject({
      action: z.literal('warn'),
      user_id: idSchema('user'),
      reason: plainText({ min: 1, max: 500 }),
    }),
    z.strictObject({ action: z.literal('settings'), ...settings }),
    z.strictObject({ action: z.literal('shield'), up: z.boolean() }),
    z.strictObject({ action: z.literal('announce'), text: plainText({ min: 1, max: maxTextLength }) }),
    z.strictObject({ action: z.literal('pin'), message_id: idSchema('chatMessage') }),
    z.strictObject({ action: z.literal('unpin') }),
    z.strictObject({
      action: z.literal('open_poll'),
      title: plainText({ min: 1, max: 60 }),
      choices: z
        .array(plainText({ min: 1, max: 25 }))
        .min(2)
        .max(5),
      seconds: z.int().min(15).max(1_800),
    }),
    z.strictObject({ action: z.literal('close_poll') }),
  ])
  .openapi('ModerateChat');

export type ModerateInput = z.output<typeof moderateBody>;

export const voteBody = z
  .strictObject({
    poll_id: z.uuid(),
    choice: z.int().min(0).max(4).openapi({ description: 'Its place among the choices, from 0.' }),
  })
  .openapi('VoteInChat');

export const chatLogSchema = z
  .object({
    after: z.int(),
    to: z.int().openapi({ description: 'Give it as `after` next time.' }),
    events: z.array(
      z.object({
        seq: z.int(),
        at: z.int().openapi({ description: 'Unix milliseconds.' }),
        event: z.looseObject({ type: z.string() }),
      }),
    ),
    viewers: z.int().openapi({ description: 'How many look on.' }),
  })
  .openapi('ChatLog');

export const asyncApiSchema = z.looseObject({ asyncapi: z.string() }).openapi('AsyncApiDocument');

export const chatRoleBody = z.strictObject({ role: z.enum(['moderator', 'vip']) }).openapi('GrantChatRole');
export const chatRoleParams = z.strictObject({ user_id: idSchema('user') });
