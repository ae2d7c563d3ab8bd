import type { z } from '@hono/zod-openapi';
import { encodeId } from '../../shared/ids.ts';
import type { CaptionRow } from './captions.repository.ts';
import type { EncodingRow, ExtrasRow } from './encoding.repository.ts';
import type { captionsSchema, encodingSchema, watermarkSchema } from './encoding.schemas.ts';
import type { extrasFields } from './extras.schemas.ts';
import type { Watermark } from './policy/plan-pictures.ts';

const encodeKey = (key: string): string => key.split('/').map(encodeURIComponent).join('/');
const urlOf = (key: string | null, cdnBaseUrl: string): string | null =>
  key === null ? null : `${cdnBaseUrl}/${encodeKey(key)}`;

/** Where the manifests name a track's file: beside themselves. */
const trackKey = (track: CaptionRow, hlsKey: string | null): string | null =>
  hlsKey === null
    ? null
    : `${hlsKey.slice(0, hlsKey.lastIndexOf('/') + 1)}${track.objectKey.slice(track.objectKey.lastIndexOf('/') + 1)}`;

type ExtrasView = { [K in keyof typeof extrasFields]: z.infer<(typeof extrasFields)[K]> };

export const presentExtras = (
  video: { readonly hlsKey: string | null; readonly extras: ExtrasRow },
  cdnBaseUrl: string,
): ExtrasView => {
  const { extras, hlsKey } = video;
  return {
    storyboard_url: urlOf(extras.storyboardKey, cdnBaseUrl),
    preview_url: urlOf(extras.previewKey, cdnBaseUrl),
    download_url: urlOf(extras.downloadKey, cdnBaseUrl),
    captions: extras.captions.map((track) => ({
      language: track.language,
      label: track.label,
      kind: track.kind,
      url: extras.captionsBuilt ? urlOf(trackKey(track, hlsKey), cdnBaseUrl) : null,
    })),
    clipped_from: extras.clippedFrom === null ? null : encodeId('video', extras.clippedFrom),
  };
};

export const presentCaptions = (
  track: CaptionRow,
  shown: {
    readonly hlsKey: string | null;
    readonly isBuilt: boolean;
    readonly cdnBaseUrl: string;
    readonly text: string | null;
  },
): z.infer<typeof captionsSchema> => ({
  language: track.language,
  label: track.label,
  kind: track.kind,
  url: shown.isBuilt ? urlOf(trackKey(track, shown.hlsKey), shown.cdnBaseUrl) : null,
  cue_count: track.cueCount,
  size_bytes: track.sizeBytes,
  updated_at: track.updatedAt,
  text: shown.text,
});

export const presentWatermark = (mark: Watermark): z.infer<typeof watermarkSchema> => ({
  width: mark.width,
  height: mark.height,
  corner: mark.corner,
  opacity_percent: mark.opacityPercent,
  width_percent: mark.widthPercent,
});

export const presentEncoding = (row: EncodingRow): z.infer<typeof encodingSchema> => {
  // What fails or is stopped is not billed.
  const costs = row.jobs
    .filter((job) => job.state !== 'error' && job.state !== 'canceled')
    .map((job) => BigInt(job.actualCostMicros ?? job.estimatedCostMicros ?? '0'));
  return {
    downloads_enabled: row.downloadsEnabled,
    burn_in_captions: row.burnInCaptions,
    cost_micros: costs.reduce((sum, cost) => sum + cost, 0n).toString(),
    currency: row.jobs.find((job) => job.currency !== null)?.currency ?? null,
    jobs: row.jobs.map((job) => ({
      id: encodeId('job', job.id),
      kind: job.kind,
      revision: job.revision,
      attempt: job.attempt,
      state: job.state,
      percent: job.percent,
      queue_position: job.queuePosition,
      acceleration: { asked: job.plan.acceleration === 'PREFERRED', status: job.accelerationStatus },
      lane: job.plan.lane ?? 'standard',
      burned_in: job.plan.burnIn?.language ?? null,
      watermarked: (job.plan.watermark ?? null) !== null,
      estimated_cost_micros: job.estimatedCostMicros,
      actual_cost_micros: job.actualCostMicros,
      currency: job.currency,
      created_at: job.createdAt,
      started_at: job.startedAt,
      finished_at: job.finishedAt,
    })),
  };
};
