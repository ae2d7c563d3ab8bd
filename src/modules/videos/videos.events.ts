import { z } from 'zod';
import { defineMessage } from '../../jobs/message.ts';

const videoData = z.strictObject({ video_id: z.uuid(), revision: z.int().positive() });
const awsEventData = z.strictObject({
  event_id: z.string().max(128),
  time: z.iso.datetime({ offset: true }),
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
  // Its file has arrived in quarantine, or is on its way out of it.
  defineMessage('video.uploaded', videoData),
  defineMessage('video.encode_requested', videoData.extend({ job_id: z.uuid().optional() })),
  // What is made of a published film beside what is played: scrub pictures, preview, download, captions in the manifests.
  defineMessage('video.extras_requested', z.strictObject({ video_id: z.uuid() })),
  // Its file was found clean.
  defineMessage('video.released', videoData),
  defineMessage('video.progressed', ownedVideoData),
  defineMessage('video.published', ownedVideoData),
  defineMessage('video.failed', ownedVideoData),
  defineMessage('video.rated', ratingData),
  defineMessage('video.unrated', ratingData),
  // Its jobs are to be stopped and its files removed.
  defineMessage('video.deleted', ownedVideoData),
  // An EventBridge `MediaConvert Job State Change`, as received: `detail` is parsed by the handler.
  defineMessage('mediaconvert.job_changed', awsEventData),
  // An EventBridge `GuardDuty Malware Protection Object Scan Result`, likewise.
  defineMessage('guardduty.object_scanned', awsEventData),
] as const;
