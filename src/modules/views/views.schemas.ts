import { z } from '@hono/zod-openapi';
import { idSchema } from '../../http/params.ts';
import { playerFields } from '../videos/index.ts';
import { maxTokenLength } from './policy/session-token.ts';

export const watchParams = z.strictObject({ video_id: idSchema('video') });

export const sources = [
  'direct',
  'search',
  'home',
  'following',
  'channel',
  'suggested',
  'playlist',
  'notification',
  'post',
  'external',
  'embed',
  'other',
] as const;

const hostName = z
  .string()
  .max(253)
  .regex(
    /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/,
    'must be a host name in lower case',
  );

export const startSessionBody = z
  .strictObject({
    ...playerFields,
    source: z
      .strictObject({
        kind: z.enum(sources).openapi({ description: 'How the viewer came to the video.' }),
        referrer: hostName.optional().openapi({
          description: 'Host of the page outside that linked or embedded.',
          example: 'example.com',
        }),
      })
      .optional(),
  })
  .openapi('StartWatchSession');

export const watchSessionSchema = z
  .object({
    session_token: z
      .string()
      .openapi({ description: 'Send it with every heartbeat. Good for this video and this viewer only.' }),
    heartbeat_seconds: z.int().openapi({ description: 'How often to send a heartbeat while playing.' }),
    expires_at: z.iso.datetime(),
    view_count: z.int(),
  })
  .openapi('WatchSession');

// A film may be as long as seven days.
const filmMs = z.int().min(0).max(604_800_000);
const waitMs = z.int().min(0).max(600_000);

export const heartbeatBody = z
  .strictObject({
    session_token: z.string().min(1).max(maxTokenLength),
    seq: z
      .int()
      .min(1)
      .max(10_000_000)
      .openapi({ description: 'Counts up by one. The same heartbeat sent again has the same number.' }),
    intervals: z
      .array(
        z
          .strictObject({ from_ms: filmMs, to_ms: filmMs })
          .refine((item) => item.from_ms < item.to_ms, 'must end after it begins'),
      )
      .max(20)
      .openapi({
        description:
          'What was played since the last heartbeat that was answered, in milliseconds of the film.',
      }),
    position_ms: filmMs,
    player: z
      .strictObject({
        startup_ms: waitMs
          .optional()
          .openapi({ description: 'From pressing play to the first picture; once.' }),
        rebuffer_ms: waitMs.optional().openapi({ description: 'Waited for data since the last heartbeat.' }),
        errors: z
          .array(z.string().regex(/^[A-Z][A-Z0-9_]{0,39}$/, 'must be an upper-case code'))
          .max(5)
          .optional()
          .openapi({ example: ['MEDIA_ERR_DECODE'] }),
      })
      .optional(),
  })
  .openapi('Heartbeat');

export type HeartbeatInput = z.output<typeof heartbeatBody>;
export type StartSessionInput = z.output<typeof startSessionBody>;

export const heartbeatAnswerSchema = z
  .object({
    watched_ms: z
      .int()
      .openapi({ description: 'Different milliseconds of the film this session is known to have watched.' }),
    next_heartbeat_seconds: z.int(),
  })
  .openapi('HeartbeatAnswer');
