import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { getStreamSession, isAwsError, type StreamSession } from '../../../integrations/aws/index.ts';
import { streamNotFound, streamNotLive } from '../../streams/index.ts';
import { healthUnknown } from '../broadcasts.errors.ts';
import { listSessions, type SessionRow } from '../sessions.repository.ts';

/**
 * The broadcasts of a stream of the caller's, newest first.
 * @throws streams.not_found
 */
export async function getSessions(ctx: RequestContext, streamId: string): Promise<SessionRow[]> {
  const sessions = await listSessions(ctx.readDb, streamId, requireViewerId(ctx));
  if (sessions === undefined) throw streamNotFound();
  return sessions;
}

/**
 * What IVS has measured of the last broadcast of a stream of the caller's.
 * @throws streams.not_found, streams.not_live when it has not begun, streams.health_unknown when IVS does not answer.
 */
export async function getHealth(
  ctx: RequestContext,
  streamId: string,
): Promise<{ readonly row: SessionRow; readonly session: StreamSession | undefined }> {
  const [row] = await getSessions(ctx, streamId);
  if (row === undefined) throw streamNotLive();
  const { channelArn, sessionId } = row;
  try {
    return { row, session: await getStreamSession(ctx.config.aws, { channelArn, streamId: sessionId }) };
  } catch (error) {
    if (!isAwsError(error)) throw error;
    throw healthUnknown({ cause: error, headers: { 'retry-after': '5' } });
  }
}
