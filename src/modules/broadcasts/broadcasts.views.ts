import type { z } from '@hono/zod-openapi';
import type { StreamSession } from '../../integrations/aws/index.ts';
import type { healthSchema, sessionSchema } from './broadcasts.schemas.ts';
import type { SessionRow } from './sessions.repository.ts';

export const presentSession = (row: SessionRow): z.infer<typeof sessionSchema> => ({
  session_id: row.sessionId,
  started_at: row.startedAt,
  ended_at: row.endedAt,
  failure_code: row.failureCode,
});

/** What IVS tells of a session it remembers; nothing of one it has forgotten. */
export function presentHealth(
  row: SessionRow,
  session: StreamSession | undefined,
): z.infer<typeof healthSchema> {
  const { video, audio } = session?.ingestConfiguration ?? {};
  const events = (session?.truncatedEvents ?? []).flatMap(({ name, eventTime, code }) =>
    name === undefined || eventTime === undefined ? [] : [{ name, at: eventTime, code: code ?? null }],
  );
  return {
    session: presentSession(row),
    video:
      video === undefined
        ? null
        : {
            codec: video.codec ?? null,
            encoder: video.encoder ?? null,
            width: video.videoWidth ?? null,
            height: video.videoHeight ?? null,
            frame_rate: video.targetFramerate ?? null,
            bitrate: video.targetBitrate ?? null,
          },
    audio:
      audio === undefined
        ? null
        : {
            codec: audio.codec ?? null,
            channels: audio.channels ?? null,
            sample_rate: audio.sampleRate ?? null,
            bitrate: audio.targetBitrate ?? null,
          },
    starvations: events.filter(({ name }) => name === 'Starvation Start').length,
    events,
  };
}
