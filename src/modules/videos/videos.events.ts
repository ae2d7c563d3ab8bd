import { z } from 'zod';
import { defineMessage } from '../../jobs/message.ts';

const videoData = z.strictObject({ video_id: z.uuid(), revision: z.int().positive() });
const ownedVideoData = z.strictObject({ video_id: z.uuid(), owner_id: z.uuid() });

export const videoMessages = [
  defineMessage('video.uploaded', videoData),
  defineMessage('video.encode_requested', videoData.extend({ job_id: z.uuid().optional() })),
  // What is made of a published film beside what is played: scrub pictures, preview, download, captions in the manifests.
  defineMessage('video.extras_requested', z.strictObject({ video_id: z.uuid() })),
  defineMessage('video.progressed', ownedVideoData),
  defineMessage('video.published', ownedVideoData),
  defineMessage('video.failed', ownedVideoData),
  // Its jobs are to be stopped and its files removed.
  defineMessage('video.deleted', ownedVideoData),
  // An EventBridge `MediaConvert Job State Change`, as received: `detail` is parsed by the handler.
  defineMessage(
    'mediaconvert.job_changed',
    z.strictObject({
      event_id: z.string().max(128),
      time: z.iso.datetime({ offset: true }),
      detail: z.record(z.string(), z.unknown()),
    }),
  ),
] as const;
