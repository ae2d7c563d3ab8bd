import { z } from '@hono/zod-openapi';
import { idSchema } from '../../http/params.ts';
import { plainText } from '../../shared/text.ts';
import { categoryIds } from './policy/categories.ts';
import { chaptersProblem, maxChapters, maxChapterTitle, maxTimeMs } from './policy/chapters.ts';
import { maxEndScreens, minEndScreenMs } from './policy/end-screens.ts';
import { canonicalLanguage } from './policy/languages.ts';
import { licenceIds } from './policy/licences.ts';
import { distinctTags, maxTagLength, maxTags, tidyTag } from './policy/tags.ts';

export const commentPolicies = ['open', 'approve', 'off'] as const;
export type CommentPolicy = (typeof commentPolicies)[number];

const tagSchema = z
  .string()
  .max(maxTagLength * 8)
  .pipe(plainText({ min: 1, max: maxTagLength }))
  .transform((text, context) => {
    const tag = tidyTag(text);
    if (tag !== undefined) return tag;
    context.addIssue({
      code: 'custom',
      message: `must be a word or a few, at most ${maxTagLength} characters`,
    });
    return z.NEVER;
  })
  .openapi({ type: 'string', minLength: 1, maxLength: maxTagLength });

const tagsSchema = z.array(tagSchema).max(maxTags).transform(distinctTags);

const languageSchema = z
  .string()
  .min(2)
  .max(35)
  .transform((tag, context) => {
    const canonical = canonicalLanguage(tag);
    if (canonical !== undefined) return canonical;
    context.addIssue({ code: 'custom', message: 'must be a language tag (BCP 47) without extensions' });
    return z.NEVER;
  })
  .openapi({ type: 'string', example: 'pt-BR', description: 'BCP 47, without extensions.' });

const timeSchema = z.int().min(0).max(maxTimeMs);

const chaptersSchema = z
  .array(z.strictObject({ start_ms: timeSchema, title: plainText({ min: 1, max: maxChapterTitle }) }))
  .max(maxChapters)
  .transform((chapters, context) => {
    const list = chapters.map(({ start_ms, title }) => ({ startMs: start_ms, title }));
    const problem = chaptersProblem(list);
    if (problem === undefined) return list;
    context.addIssue({ code: 'custom', message: problem });
    return z.NEVER;
  })
  .openapi({
    description:
      'The first begins at 0; three at least, each ten seconds long at least, in ascending order. An empty list removes them.',
  });

const share = z.number().min(0).max(1);
const place = {
  start_ms: timeSchema,
  end_ms: timeSchema,
  x: share.openapi({ description: 'Left edge, as a share of the width of the picture.' }),
  y: share.openapi({ description: 'Upper edge, as a share of its height.' }),
  width: share.openapi({ description: 'As a share of the width of the picture.' }),
};

const webAddress = z
  .string()
  .max(2_000)
  .refine((text) => {
    const url = URL.parse(text);
    return url?.protocol === 'https:' && url.username === '' && url.password === '';
  }, 'must be an https address without credentials')
  .transform((text) => new URL(text).href)
  .openapi({ type: 'string', format: 'uri', example: 'https://example.com/shop' });

const endScreenSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('video'), video_id: idSchema('video'), ...place }),
    z.strictObject({ kind: z.literal('playlist'), playlist_id: idSchema('playlist'), ...place }),
    z.strictObject({ kind: z.literal('channel'), user_id: idSchema('user'), ...place }),
    z.strictObject({
      kind: z.literal('link'),
      url: webAddress,
      title: plainText({ min: 1, max: 60 }),
      ...place,
    }),
  ])
  .superRefine((screen, context) => {
    if (screen.end_ms - screen.start_ms < minEndScreenMs)
      context.addIssue({
        code: 'custom',
        path: ['end_ms'],
        message: 'must be at least 5 seconds after start_ms',
      });
    if (screen.width < 0.05 || screen.x + screen.width > 1)
      context.addIssue({
        code: 'custom',
        path: ['width'],
        message: 'must be at least 0.05 and end within the picture',
      });
  })
  .transform(({ start_ms, end_ms, x, y, width, ...what }) => {
    const shown = { startMs: start_ms, endMs: end_ms, x, y, width };
    switch (what.kind) {
      case 'video':
        return { kind: what.kind, id: what.video_id, ...shown };
      case 'playlist':
        return { kind: what.kind, id: what.playlist_id, ...shown };
      case 'channel':
        return { kind: what.kind, id: what.user_id, ...shown };
      case 'link':
        return { kind: what.kind, url: what.url, title: what.title, ...shown };
      default:
        return what satisfies never;
    }
  });

/** What an owner may say about a video, beside its title, description and visibility. */
export const detailFields = {
  tags: tagsSchema.optional().openapi({ description: 'Tags that are the same but for case count once.' }),
  category: z.enum(categoryIds).nullable().optional(),
  language: languageSchema.nullable().optional(),
  licence: z.enum(licenceIds).optional(),
  chapters: chaptersSchema.optional(),
  end_screens: z.array(endScreenSchema).max(maxEndScreens).optional(),
  comment_policy: z
    .enum(commentPolicies)
    .optional()
    .openapi({ description: '`approve`: comments are held until you approve them.' }),
};

export type DetailsInput = z.output<z.ZodObject<typeof detailFields>>;

const shownPlace = { start_ms: z.int(), end_ms: z.int(), x: z.number(), y: z.number(), width: z.number() };

/** The same as shown, with what others think of the video. */
export const detailViewFields = {
  tags: z.array(z.string()),
  category: z.enum(categoryIds).nullable(),
  language: z.string().nullable(),
  licence: z.enum(licenceIds),
  chapters: z.array(z.object({ start_ms: z.int(), title: z.string() })).openapi({
    description: 'Set by the owner, or found in the description. Within the length of the film.',
  }),
  end_screens: z.array(
    z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('video'), video_id: z.string(), ...shownPlace }),
      z.object({ kind: z.literal('playlist'), playlist_id: z.string(), ...shownPlace }),
      z.object({ kind: z.literal('channel'), user_id: z.string(), ...shownPlace }),
      z.object({ kind: z.literal('link'), url: z.string(), title: z.string(), ...shownPlace }),
    ]),
  ),
  comment_policy: z.enum(commentPolicies),
  comment_count: z.int(),
  like_count: z.int(),
  dislike_count: z.int().nullable().openapi({ description: 'For the owner; null for everybody else.' }),
  own_rating: z.enum(['like', 'dislike']).nullable().openapi({ description: "The caller's." }),
};

export type DetailsView = z.infer<z.ZodObject<typeof detailViewFields>>;

export const categoriesSchema = z
  .object({ data: z.array(z.object({ id: z.enum(categoryIds), title: z.string() })) })
  .openapi('VideoCategories');

export const licencesSchema = z
  .object({
    data: z.array(z.object({ id: z.enum(licenceIds), title: z.string(), url: z.url().nullable() })),
  })
  .openapi('VideoLicences');
