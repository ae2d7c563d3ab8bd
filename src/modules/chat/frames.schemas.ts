import { z } from 'zod';
import { dropCodes, maxTextLength } from '../../../durable-objects/chat-room/protocol.ts';
import { idPrefixes } from '../../shared/ids.ts';

const id = (kind: keyof typeof idPrefixes) =>
  z.string().regex(new RegExp(`^${idPrefixes[kind]}_[0-9a-z]{26}$`));
const seq = z.int().min(0);

const author = z.object({
  id: id('user'),
  username: z.string(),
  name: z.string(),
  role: z.enum(['owner', 'moderator', 'vip', 'viewer']),
  member: z.boolean(),
  bot: z.literal(true).optional(),
  color: z
    .string()
    .regex(/^#[0-9a-f]{6}$/)
    .optional(),
});

const fragment = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('mention'), text: z.string(), username: z.string() }),
  z.object({
    type: z.literal('emote'),
    text: z.string(),
    name: z.string(),
    emoji: z.string().optional().describe('The character of an emote every chat has.'),
    emote_id: id('emote').optional().describe('The picture of an emote of the channel.'),
    format: z.enum(['png', 'gif']).optional(),
  }),
  z.object({ type: z.literal('link'), text: z.string(), url: z.url() }),
]);

const quote = z.object({ message_id: id('chatMessage'), author: z.string(), text: z.string() });

const settings = z.object({
  slow_seconds: z.int(),
  members_only: z.boolean(),
  followers_only_minutes: z.int().nullable(),
  emote_only: z.boolean(),
  unique_only: z.boolean(),
  moderator_delay_seconds: z.number(),
  shield: z.boolean(),
});

const poll = z.object({
  id: z.uuid(),
  title: z.string(),
  choices: z.array(z.object({ text: z.string(), votes: z.int() })),
  ends_at: z.int(),
  ended: z.boolean(),
});

/** What happens in a room, as clients read it. */
export const chatEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('message'),
    id: id('chatMessage'),
    author,
    fragments: z.array(fragment),
    reply_to: quote.optional(),
    deleted: z.literal(true).optional(),
  }),
  z.object({ type: z.literal('message_deleted'), message_id: id('chatMessage') }),
  z.object({ type: z.literal('cleared') }),
  z.object({ type: z.literal('closed') }),
  z.object({ type: z.literal('user_silenced'), user_id: id('user'), seconds: z.int().nullable() }),
  z.object({ type: z.literal('settings'), settings }),
  z.object({ type: z.literal('announcement'), author, fragments: z.array(fragment) }),
  z.object({ type: z.literal('pinned'), pinned: quote.nullable() }),
  z.object({ type: z.literal('poll'), poll }),
]);

/** Frames a server sends, by their type. */
export const serverFrames = {
  hello: z
    .strictObject({
      type: z.literal('hello'),
      v: z.literal(1),
      seq,
      settings,
      pinned: quote.nullable(),
      poll: poll.nullable(),
      viewers: z.int().min(0),
      you: z.object({ username: z.string() }).nullable(),
    })
    .describe('The first frame. `you` is null for strangers, who only read.'),
  batch: z
    .strictObject({
      type: z.literal('batch'),
      from: seq,
      to: seq,
      events: z.array(z.strictObject({ seq, at: z.int(), event: chatEventSchema })),
      omitted: z.array(z.tuple([seq, seq])).optional(),
    })
    .describe(
      'A run of the log: every number from `from` to `to` is among the events or within a range of `omitted`.',
    ),
  sent: z
    .strictObject({
      type: z.literal('sent'),
      id: z.string(),
      is_sent: z.boolean(),
      message_id: id('chatMessage').optional(),
      seq: seq.optional(),
      drop_reason: z
        .strictObject({ code: z.enum(dropCodes), message: z.string(), retry_after_ms: z.int().optional() })
        .optional(),
    })
    .describe('What became of a message of the client’s.'),
  error: z
    .strictObject({
      type: z.literal('error'),
      id: z.string().optional(),
      code: z.enum(['chat.read_only', 'chat.text', 'chat.closed', 'chat.unavailable']),
      message: z.string(),
    })
    .describe('A message that could not be taken.'),
  early: z
    .strictObject({
      type: z.literal('early'),
      events: z.array(z.strictObject({ seq, at: z.int(), event: chatEventSchema })),
    })
    .describe('What you wrote, while others do not see it yet; it comes at its place in the log, too.'),
  standing: z
    .strictObject({
      type: z.literal('standing'),
      role: z.enum(['owner', 'moderator', 'vip', 'viewer']),
      warning: z.string().nullable(),
      banned: z.boolean(),
      banned_until: z.number().nullable(),
    })
    .describe('What you may do here, since something was decided about you.'),
  held: z
    .strictObject({
      type: z.literal('held'),
      message: z.strictObject({
        id: id('chatMessage'),
        author,
        fragments: z.array(fragment),
        category: z.string(),
        severity: z.int(),
        at: z.int(),
        ends_at: z.int(),
      }),
    })
    .describe('For moderators: a message waits for one of them.'),
  held_ended: z
    .strictObject({
      type: z.literal('held_ended'),
      message_id: id('chatMessage'),
      outcome: z.enum(['approved', 'denied', 'expired']),
    })
    .describe('For moderators and the author: what became of a message that waited.'),
  viewers: z
    .strictObject({ type: z.literal('viewers'), count: z.int().min(0) })
    .describe('How many look on.'),
  poll: z
    .strictObject({ type: z.literal('poll'), poll })
    .describe('How the votes of the poll stand; not in the log.'),
  resync: z
    .strictObject({ type: z.literal('resync'), seq })
    .describe('What the client missed is forgotten: its log begins anew behind `seq`.'),
} as const;

/** Frames a client sends, by their type. */
export const clientFrames = {
  send: z
    .strictObject({
      type: z.literal('send'),
      id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
      text: z.string().min(1).max(maxTextLength),
      reply_to: id('chatMessage').optional(),
    })
    .describe('Says something. Sent again under the same `id`, it is the same message.'),
  seen: z
    .strictObject({ type: z.literal('seen'), seq })
    .describe('How far the client has read; every ten seconds while events come.'),
} as const;
