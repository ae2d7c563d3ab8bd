import { z } from '@hono/zod-openapi';
import { pageOf, pageQuery } from '../../http/pagination.ts';
import { idSchema } from '../../http/params.ts';
import { plainText } from '../../shared/text.ts';
import { userSummarySchema } from '../users/index.ts';
import { maxTermLength } from './policy/rules.ts';
import { patternOf } from './policy/terms.ts';

export const channelParams = z.strictObject({ user_id: idSchema('user') });
export const termParams = channelParams.extend({ term_id: idSchema('chatTerm') });
export const unbanRequestParams = channelParams.extend({ unban_request_id: idSchema('unbanRequest') });

export const positionSchema = z.uuid();

const level = z.int().min(0).max(4);

export const autoModerationSchema = z
  .strictObject({
    harassment: level,
    sexual: level,
    hate: level,
    violence: level,
    profanity: level,
    hold_links: z.boolean(),
  })
  .openapi('ChatAutoModeration', {
    description: 'From 0, nothing, over 1, the worst only, to 4, everything there is a word for.',
  });

export const shieldPresetSchema = z
  .strictObject({
    slow_seconds: z.union([z.literal(0), z.int().min(3).max(120)]),
    members_only: z.boolean(),
    followers_only_minutes: z.int().min(10).max(129_600).nullable(),
    emote_only: z.boolean(),
    moderator_delay_seconds: z.int().min(0).max(6).multipleOf(2),
    auto_moderation: level.openapi({
      description: 'The least level of every category; above 0, messages with links are held too.',
    }),
  })
  .openapi('ChatShieldPreset');

export const shieldSchema = z
  .object({ is_up: z.boolean(), preset: shieldPresetSchema })
  .openapi('ChatShield');

const termKind = z.enum(['blocked', 'permitted']);

export const addTermBody = z
  .strictObject({
    kind: termKind,
    term: plainText({ min: 1, max: maxTermLength })
      .transform((term) => term.toLowerCase())
      .refine((term) => patternOf(term) !== undefined, 'must have a letter or digit')
      .refine((term) => !term.slice(1, -1).includes('*'), 'may have `*` at its beginning and end only')
      .openapi({
        type: 'string',
        description: 'Words as they are written; `*` at the beginning or end stands for the rest of a word.',
      }),
  })
  .openapi('AddChatTerm');

export const termSchema = z
  .object({ id: z.string(), kind: termKind, term: z.string(), added_at: z.iso.datetime() })
  .openapi('ChatTerm');
export const termPageSchema = pageOf(termSchema).openapi('ChatTermPage');
export const termsQuery = pageQuery.extend({ kind: termKind.default('blocked') });

const text = plainText({ min: 1, max: 500 });
const unbanState = z.enum(['pending', 'approved', 'denied']);

export const askUnbanBody = z.strictObject({ text }).openapi('AskToBeUnbanned');
export const decideUnbanBody = z
  .strictObject({
    decision: z.enum(['approve', 'deny']),
    note: plainText({ min: 0, max: 500 })
      .default('')
      .openapi({ description: 'What the person is told with it.' }),
  })
  .openapi('DecideUnbanRequest');

const unbanRequest = {
  id: z.string(),
  text: z.string(),
  state: unbanState,
  note: z.string(),
  created_at: z.iso.datetime(),
  decided_at: z.iso.datetime().nullable(),
};
export const myUnbanRequestSchema = z.object(unbanRequest).openapi('MyUnbanRequest');
export const unbanRequestSchema = z
  .object({ ...unbanRequest, user: userSummarySchema })
  .openapi('UnbanRequest');
export const unbanRequestPageSchema = pageOf(unbanRequestSchema).openapi('UnbanRequestPage');
export const unbanRequestsQuery = pageQuery.extend({ state: unbanState.default('pending') });

export const standingSchema = z
  .object({
    role: z.enum(['owner', 'moderator', 'vip', 'viewer']),
    warning: z.string().nullable().openapi({ description: 'Why you were warned; acknowledge it to write.' }),
    ban: z
      .object({
        until: z.iso.datetime().nullable().openapi({ description: 'Null: for good.' }),
        reason: z.string(),
      })
      .nullable(),
    unban_request: myUnbanRequestSchema.nullable(),
  })
  .openapi('ChatStanding');

const person = z.object({ id: z.string(), username: z.string() }).nullable();

export const actionSchema = z
  .object({
    id: z.string(),
    at: z.iso.datetime(),
    kind: z.string(),
    actor: person.openapi({ description: 'Null: the account is gone.' }),
    target: person,
    stream_id: z.string().nullable(),
    message_id: z.string().nullable(),
    reason: z.string(),
    detail: z.looseObject({}),
  })
  .openapi('ChatAction');
export const actionPageSchema = pageOf(actionSchema).openapi('ChatActionPage');
export const actionsQuery = pageQuery.extend({
  kind: z
    .string()
    .regex(/^[a-z_]{1,40}$/)
    .optional(),
  target_id: idSchema('user').optional(),
});

export const heldMessageSchema = z
  .object({
    id: z.string(),
    author: z.object({
      id: z.string(),
      username: z.string(),
      name: z.string(),
      role: z.string(),
      member: z.boolean(),
    }),
    fragments: z.array(z.object({ type: z.string(), text: z.string() })),
    category: z.string(),
    severity: z.int(),
    at: z.int().openapi({ description: 'Unix milliseconds, as in the frames of the room.' }),
    ends_at: z.int().openapi({ description: 'When it counts as denied.' }),
  })
  .openapi('HeldChatMessage');
export const heldPageSchema = pageOf(heldMessageSchema).openapi('HeldChatMessagePage');
export const heldPositionSchema = z.string().regex(/^msg_[0-9a-z]{26}$/);

export const botBody = z
  .strictObject({
    messages_per_30_seconds: z.int().min(20).max(7_500),
  })
  .openapi('VerifyChatBot');
