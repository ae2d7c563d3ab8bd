import type { RequestContext } from '../../../context.ts';
import { viewerIdOf } from '../../../http/viewer.ts';
import { signedQuery } from '../../../integrations/aws/index.ts';
import { streamNotFound, streamNotLive } from '../../streams/index.ts';
import { signFolder } from '../../videos/index.ts';
import { noDvr, sentAway } from '../live.errors.ts';
import { findRunningRecording } from '../recordings.repository.ts';
import { grantPlayback } from '../viewers.repository.ts';

/** As long as IVS takes tokens of live playback for. */
const grantSeconds = 600;

export interface DvrPlayback {
  readonly hlsUrl: string;
  /** What every further request for the recording must have as its query. */
  readonly query: string;
  /** RFC 3339; null when the CDN asks for no signature. */
  readonly expiresAt: string | null;
  readonly beganAt: string;
}

/**
 * Where the caller can go back in a stream that is live: its recording, as far as it has come.
 * @throws streams.not_found, streams.not_live, live.sent_away, live.no_dvr.
 */
export async function requestDvr(ctx: RequestContext, streamId: string): Promise<DvrPlayback> {
  const { primary } = ctx.databases;
  const grant = await grantPlayback(primary, streamId, viewerIdOf(ctx));
  if (grant === undefined) throw streamNotFound();
  if (grant.isSentAway) throw sentAway();
  if (!grant.isLive) throw streamNotLive();
  const recording = await findRunningRecording(primary, streamId);
  if (recording === undefined) throw noDvr();
  const folder = `${recording.prefix}/media/hls/`;
  const signed = await signFolder(ctx, { prefix: folder, ttlSeconds: grantSeconds });
  const query = signed === undefined ? '' : signedQuery(signed);
  const url = `${ctx.config.aws.cdnBaseUrl}/${folder}master.m3u8`;
  return {
    hlsUrl: query === '' ? url : `${url}?${query}`,
    query,
    expiresAt: signed === undefined ? null : new Date(signed.expiresAt * 1_000).toISOString(),
    beganAt: recording.beganAt,
  };
}
