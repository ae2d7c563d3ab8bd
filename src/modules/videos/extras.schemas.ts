import { z } from '@hono/zod-openapi';

export const captionKind = z.enum(['subtitles', 'captions']).openapi({
  description: '`captions` also tell sounds, for those who do not hear them.',
});

export const captionsFields = {
  language: z.string(),
  label: z.string(),
  kind: captionKind,
  url: z.url().nullable().openapi({ description: 'The WebVTT file, once the manifests name it.' }),
};

const videoCaptionsSchema = z.object(captionsFields).openapi('VideoCaptions');

/** What an encode gives the page of a video beside what is played. */
export const extrasFields = {
  storyboard_url: z
    .url()
    .nullable()
    .openapi({ description: 'WebVTT whose cues name parts of scrub pictures.' }),
  preview_url: z.url().nullable().openapi({ description: 'A short moving GIF.' }),
  download_url: z
    .url()
    .nullable()
    .openapi({ description: 'The film as one MP4, where its owner allows it.' }),
  captions: z.array(videoCaptionsSchema),
  clipped_from: z.string().nullable().openapi({ description: 'The video this is a part of.' }),
};
