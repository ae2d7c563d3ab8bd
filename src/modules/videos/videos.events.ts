import { z } from 'zod';
import { defineMessage } from '../../jobs/message.ts';

const videoData = z.strictObject({ video_id: z.uuid(), revision: z.int().positive() });
const awsEventData = z.strictObject({
  event_id: z.string().max(128),
  time: z.iso.datetime({ offset: true }),
  resource: z.string().max(2_048).optional(),
  detail: z.record(z.string(), z.unknown()),
});
const ownedVideoData = z.strictObject({ video_id: z.uuid(), owner_id: z.uuid() });

// `rating_id` names this very rating, so that its end, should it be heard of first, is known to be its end.
const ratingData = z.strictObject({
  video_id: z.uuid(),
  user_id: z.uuid(),
  rating: z.enum(['like', 'dislike']),
  rating_id: z.uuid(),
});

export const videoMessages = [
  // Each of 25, 50, 75 and 100 % once, as S3 holds the bytes.
  defineMessage(
    'upload.progressed',
    z.strictObject({
      upload_id: z.uuid(),
      video_id: z.uuid(),
      owner_id: z.uuid(),
      percent: z.union([z.literal(25), z.literal(50), z.literal(75), z.literal(100)]),
    }),
  ),
  // Its file has arrived in quarantine, or is on its way out of it.
  defineMessage('video.uploaded', videoData),
  defineMessage('video.encode_requested', videoData.extend({ job_id: z.uuid().optional() })),
  // What is made of a published film beside what is played: scrub pictures, preview, download, captions in the manifests.
  defineMessage('video.extras_requested', z.strictObject({ video_id: z.uuid() })),
  // Its file was found clean.
  defineMessage('video.released', videoData),
  // Its file is to be fetched from the address its owner gave.
  defineMessage('video.import_requested', z.strictObject({ upload_id: z.uuid() })),
  defineMessage('video.progressed', ownedVideoData),
  defineMessage('video.published', ownedVideoData),
  // The row may be one that nobody sees, whose file was to replace a video's.
  defineMessage('video.failed', ownedVideoData),
  // A published video is played from another file now.
  defineMessage('video.replaced', ownedVideoData),
  defineMessage('video.rated', ratingData),
  defineMessage('video.unrated', ratingData),
  // Who may see or play it may have changed.
  defineMessage('video.access_changed', ownedVideoData),
  // Its jobs are to be stopped and its files removed.
  defineMessage('video.deleted', ownedVideoData),
  // Its file was found harmful after all: jobs that write below `prefix` are to be stopped, and what lies there removed.
  defineMessage(
    'video.withdrawn',
    ownedVideoData.extend({ prefix: z.string().regex(/^media\/[0-9a-f-]{36}\/v\d+\/$/) }),
  ),
  // An EventBridge `MediaConvert Job State Change`, as received: `detail` is parsed by the handler.
  defineMessage('mediaconvert.job_changed', awsEventData),
  // An EventBridge `GuardDuty Malware Protection Object Scan Result`, likewise.
  defineMessage('guardduty.object_scanned', awsEventData),
] as const;
