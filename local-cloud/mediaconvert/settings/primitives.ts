import { z } from 'zod';

/** Whole number in an inclusive range. */
export const int = (min: number, max: number) => z.int().min(min).max(max);

/**
 * A setting whose listed values are accepted without effect here: either they name what happens anyway, or they tune
 * hardware encoders that are not present. Other values are refused.
 */
export const accepted = (first: string, ...others: string[]) => z.enum([first, ...others]).optional();

export const onOff = z.enum(['ENABLED', 'DISABLED']);

/** `s3://bucket/key`, the only kind of address the local cloud can reach. */
export const s3Url = z
  .string()
  .max(1024)
  .regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/.+$/s, 'must be an s3://bucket/key address');

/** An `s3://` address whose key ends as MediaConvert wants files of this kind to end. */
export const s3File = (kind: string, ...extensions: string[]) =>
  s3Url.refine(
    (value) => extensions.some((extension) => value.toLowerCase().endsWith(`.${extension}`)),
    `must name a ${kind} file: ${extensions.map((extension) => `.${extension}`).join(', ')}`,
  );

/** An output location: an S3 prefix ending in `/`, or one followed by a base file name. */
export const destination = z
  .string()
  .max(1024)
  .regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/.*$/s, 'must be an s3://bucket/prefix address')
  .refine((value) => !/\$[a-z]+\$/i.test(value), 'format identifiers such as $dt$ are not supported')
  .refine(
    (value) => !value.split('/').some((part) => part === '.' || part === '..'),
    'must not contain . or ..',
  );

/** ISO 639-2 code in MediaConvert's upper-case spelling. */
export const languageCode = z.string().regex(/^[A-Z]{3}$/, 'must be a three-letter upper-case language code');
export const customLanguageCode = z.string().regex(/^[A-Za-z]{2,3}(-[A-Za-z-]+)?$/);

/** `HH:MM:SS:FF`. */
export const timecode = z
  .string()
  .regex(/^([01]\d|2[0-4]):[0-5]\d:[0-5]\d[:;][0-5]\d$/, 'must be a timecode such as 00:00:10:00');

/** Splits an address that passed `s3Url` or `destination`. */
export function splitS3Url(url: string): { bucket: string; key: string } {
  const rest = url.slice('s3://'.length);
  const slash = rest.indexOf('/');
  return { bucket: rest.slice(0, slash), key: rest.slice(slash + 1) };
}
