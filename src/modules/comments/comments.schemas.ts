import { z } from '@hono/zod-openapi';
import { pageOf, pageQuery } from '../../http/pagination.ts';
import { idSchema } from '../../http/params.ts';
import { plainText } from '../../shared/text.ts';
import { facetSchema } from '../posts/index.ts';
import { userSummarySchema } from '../users/index.ts';
import { filterKeyOf } from './policy/word-filter.ts';

export const commentParams = z.strictObject({ comment_id: idSchema('comment') });
export const commentedVideoParams = z.strictObject({ video_id: idSchema('video') });

const textSchema = plainText({ min: 1, max: 2_000, multiline: true });

export const createCommentBody = z
  .strictObject({
    text: textSchema,
    parent_id: idSchema('comment')
      .nullable()
      .optional()
      .openapi({ description: 'The comment to answer, on the same video.' }),
  })
  .openapi('CreateComment');

export const updateCommentBody = z.strictObject({ text: textSchema }).openapi('UpdateComment');

export const commentOrders = ['top', 'newest'] as const;
export type CommentOrder = (typeof commentOrders)[number];

export const commentsQuery = pageQuery.extend({ order: z.enum(commentOrders).default('top') });

export const holdReasons = ['approval', 'blocked_word', 'link'] as const;
export type HoldReason = (typeof holdReasons)[number];

const commentFields = {
  id: z.string(),
  video_id: z.string(),
  parent_id: z.string().nullable().openapi({ description: 'The comment this one answers.' }),
  thread_id: z.string().nullable().openapi({ description: 'The comment at the top of the thread.' }),
  depth: z.int().min(0).max(5).openapi({ description: 'How far to indent an answer; 0 at the top.' }),
  state: z.enum(['visible', 'held', 'rejected', 'deleted', 'unavailable']).openapi({
    description:
      '`held`: waits for the owner of the video; seen by its author and the owner. `deleted` and `unavailable` ones have no text and keep the answers in their place.',
  }),
  deleted_by: z.enum(['author', 'owner']).nullable(),
  author: userSummarySchema.nullable(),
  text: z.string(),
  facets: z.array(facetSchema),
  like_count: z.int(),
  reply_count: z.int().openapi({ description: 'In the whole thread, for the comment at its top.' }),
  liked: z.boolean().openapi({ description: 'The caller likes this comment.' }),
  pinned: z.boolean(),
  hearted: z.boolean().openapi({ description: 'The owner of the video marked it with a heart.' }),
  created_at: z.iso.datetime(),
  edited_at: z.iso.datetime().nullable(),
};

export const commentSchema = z.object(commentFields).openapi('Comment');
export type CommentView = z.infer<typeof commentSchema>;

export const commentPageSchema = pageOf(commentSchema).openapi('CommentPage');

export const heldCommentSchema = z
  .object({
    ...commentFields,
    held_for: z.enum(holdReasons).nullable(),
    video: z.object({ id: z.string(), title: z.string() }),
  })
  .openapi('HeldComment');

export const heldCommentPageSchema = pageOf(heldCommentSchema).openapi('HeldCommentPage');

export const commentLikeSchema = z.object({ liked: z.boolean(), like_count: z.int() }).openapi('CommentLike');

/** Null: after the pinned comment, which stands first. */
export const commentPositionSchema = z.strictObject({ likes: z.int(), id: z.uuid() }).nullable();
export type CommentPosition = z.infer<typeof commentPositionSchema>;
export const commentIdPositionSchema = z.uuid();

const blockedWordSchema = z
  .string()
  .max(800)
  .pipe(plainText({ min: 1, max: 100 }))
  .refine((word) => filterKeyOf(word) !== undefined, 'must have a letter or digit')
  .openapi({ type: 'string', minLength: 1, maxLength: 100, example: 'buy followers' });

export const maxBlockedWords = 500;
export const linkHolds = ['nobody', 'strangers', 'everybody'] as const;

export const commentSettingsSchema = z
  .strictObject({
    blocked_words: z.array(blockedWordSchema).max(maxBlockedWords).openapi({
      description:
        'Comments with one of these words or phrases are held. Case, accents and common disguises do not matter; `word*` also finds longer words.',
    }),
    hold_links: z.enum(linkHolds).openapi({
      description: 'Whose comments are held when they have a link. Strangers: people you do not follow.',
    }),
  })
  .openapi('CommentSettings');

export type CommentSettings = z.output<typeof commentSettingsSchema>;
