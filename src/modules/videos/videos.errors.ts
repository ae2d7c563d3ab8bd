import { unavailable } from '../../http/errors.ts';
import { AwsError } from '../../integrations/aws/index.ts';
import { defineError } from '../../shared/errors.ts';

export const videoNotFound = defineError({
  code: 'videos.not_found',
  status: 404,
  title: 'There is no such video.',
});
export const detailsTooLong = defineError({
  code: 'videos.details_beyond_end',
  status: 422,
  title: 'A chapter or end screen lies beyond the end of the film.',
});
/** Why a video that may be seen does not play, and what may be done about it. */
export const playbackRefusals = {
  notReady: defineError({
    code: 'videos.not_ready',
    status: 409,
    title: 'This video has not been converted yet.',
  }),
  embed: defineError({
    code: 'videos.embed_refused',
    status: 403,
    title: 'The owner does not let this video play in pages of this site; watch it at its own page.',
  }),
  country: defineError({
    code: 'videos.country_refused',
    status: 403,
    title: 'This video does not play where you are.',
  }),
  ageUnknown: defineError({
    code: 'videos.age_unknown',
    status: 403,
    title: 'This video is for adults: log in and state your date of birth.',
  }),
  underAge: defineError({
    code: 'videos.under_age',
    status: 403,
    title: 'This video is for adults.',
  }),
  locked: defineError({
    code: 'videos.locked',
    status: 403,
    title: 'This video has a password: exchange it for an unlock token first.',
  }),
  notLocked: defineError({
    code: 'videos.not_locked',
    status: 409,
    title: 'This video has no password.',
  }),
  wrongPassword: defineError({
    code: 'videos.wrong_password',
    status: 403,
    title: 'This is not the password of the video.',
  }),
  tooManyAttempts: defineError({
    code: 'videos.too_many_attempts',
    status: 429,
    title: 'There were too many wrong passwords; wait before the next.',
  }),
} as const;
export const videoNotRetryable = defineError({
  code: 'videos.not_retryable',
  status: 409,
  title: 'Only a video whose conversion failed can be tried again; unusable files must be uploaded anew.',
});
export const thumbnailRefused = defineError({
  code: 'videos.thumbnail_refused',
  status: 422,
  title: 'This picture cannot be shown; why is named under errors.',
});
export const thumbnailMissing = defineError({
  code: 'videos.thumbnail_missing',
  status: 409,
  title: 'There is no such picture; send it to its URL first.',
});
export const addressRefused = defineError({
  code: 'videos.address_refused',
  status: 422,
  title: 'No file is fetched from this address; why is named under errors.',
});
export const alreadyReplacing = defineError({
  code: 'videos.already_replacing',
  status: 409,
  title: 'The file of this video is being replaced already; wait for that to end, or give it up.',
});
export const notReplacing = defineError({
  code: 'videos.not_replacing',
  status: 409,
  title: 'The file of this video is not being replaced.',
});
export const alreadyOut = defineError({
  code: 'videos.already_out',
  status: 409,
  title: 'Others can see this video already; only what they cannot see yet can be scheduled.',
});
export const quotaExceeded = defineError({
  code: 'videos.quota_exceeded',
  status: 429,
  title: 'This upload would go over one of your limits; it is named under errors.',
});
export const uploadsPaused = defineError({
  code: 'videos.uploads_paused',
  status: 503,
  title: 'New uploads are paused just now; those already begun go on. Try again later.',
});
export const uploadNotFound = defineError({
  code: 'uploads.not_found',
  status: 404,
  title: 'There is no such upload.',
});
export const fileTooLarge = defineError({
  code: 'uploads.file_too_large',
  status: 422,
  title: 'The file is larger than is accepted.',
});
export const uploadNotOpen = defineError({
  code: 'uploads.not_open',
  status: 409,
  title: 'This upload has ended; start a new one.',
});
export const partListInvalid = {
  missing: defineError({
    code: 'uploads.part_missing',
    status: 422,
    title: 'Some parts are missing or were not stored as listed; send them again, then complete.',
  }),
  unknown: defineError({
    code: 'uploads.part_unknown',
    status: 422,
    title: 'The list names parts this upload does not have.',
  }),
  repeated: defineError({
    code: 'uploads.part_repeated',
    status: 422,
    title: 'The list names a part more than once.',
  }),
  out_of_order: defineError({
    code: 'uploads.part_out_of_order',
    status: 422,
    title: 'List the parts by ascending number.',
  }),
} as const;
export const partTooSmall = defineError({
  code: 'uploads.part_too_small',
  status: 422,
  title: 'A part other than the last is smaller than 5 MiB; send every part in the size it was signed for.',
});
export const sizeMismatch = defineError({
  code: 'uploads.size_mismatch',
  status: 422,
  title: 'What arrived has not the size that was announced; start a new upload.',
});

/** Waits for a call to AWS; what may pass by itself becomes 503 for the client. Anything else is ours to handle. */
export async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof AwsError && error.retryable)
      throw unavailable({ cause: error, headers: { 'retry-after': '2' } });
    throw error;
  }
}
