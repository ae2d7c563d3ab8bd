import type { IncomingHttpHeaders } from 'node:http';
import { AwsError, noSuchKey, notImplemented, preconditionFailed } from './errors.ts';
import type { Precondition } from './objects.ts';
import type { ObjectRecord } from './types.ts';

const weakTag = (tag: string): string => tag.trim().replace(/^W\//, '');

const matchesAny = (list: string, eTag: string): boolean =>
  list.split(',').some((item) => {
    const tag = weakTag(item);
    return tag === '*' || tag === eTag || tag === `"${eTag}"`;
  });

/** HTTP dates have whole seconds, so the object's time is cut to them. */
const isModifiedSince = (record: ObjectRecord, date: string): boolean | undefined => {
  const sinceMs = Date.parse(date);
  return Number.isNaN(sinceMs) ? undefined : Math.floor(record.lastModifiedMs / 1000) * 1000 > sinceMs;
};

type ReadConditions = {
  ifMatch: string | undefined;
  ifNoneMatch: string | undefined;
  ifModifiedSince: string | undefined;
  ifUnmodifiedSince: string | undefined;
};

export const readConditions = (headers: IncomingHttpHeaders): ReadConditions => ({
  ifMatch: headers['if-match'],
  ifNoneMatch: headers['if-none-match'],
  ifModifiedSince: headers['if-modified-since'],
  ifUnmodifiedSince: headers['if-unmodified-since'],
});

/** The same conditions on the source of a copy, `x-amz-copy-source-if-*`. */
export const copySourceConditions = (amz: ReadonlyMap<string, string>): ReadConditions => ({
  ifMatch: amz.get('x-amz-copy-source-if-match'),
  ifNoneMatch: amz.get('x-amz-copy-source-if-none-match'),
  ifModifiedSince: amz.get('x-amz-copy-source-if-modified-since'),
  ifUnmodifiedSince: amz.get('x-amz-copy-source-if-unmodified-since'),
});

/** Evaluates the conditions of a read in the order of RFC 9110 section 13.2.2. Throws `PreconditionFailed`. */
export const evaluateRead = (
  record: ObjectRecord,
  conditions: ReadConditions,
): 'proceed' | 'not-modified' => {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  if (ifMatch !== undefined) {
    if (!matchesAny(ifMatch, record.eTag)) throw preconditionFailed('If-Match');
  } else if (ifUnmodifiedSince !== undefined && isModifiedSince(record, ifUnmodifiedSince) === true) {
    throw preconditionFailed('If-Unmodified-Since');
  }
  if (ifNoneMatch !== undefined) return matchesAny(ifNoneMatch, record.eTag) ? 'not-modified' : 'proceed';
  const unmodified = ifModifiedSince !== undefined && isModifiedSince(record, ifModifiedSince) === false;
  return unmodified ? 'not-modified' : 'proceed';
};

/** A copy has no 304: what would be one is a failed precondition. */
export const evaluateCopySource = (record: ObjectRecord, conditions: ReadConditions): void => {
  if (evaluateRead(record, conditions) === 'not-modified')
    throw preconditionFailed('x-amz-copy-source-If-None-Match');
};

/** Conditional writes: `If-None-Match: *` (create only) and `If-Match: <etag>` (replace only that). */
export const writePrecondition = (headers: IncomingHttpHeaders, key: string): Precondition | undefined => {
  const ifNoneMatch = headers['if-none-match'];
  const ifMatch = headers['if-match'];
  if (ifNoneMatch !== undefined && (ifMatch !== undefined || ifNoneMatch.trim() !== '*'))
    throw notImplemented();
  if (ifNoneMatch !== undefined) {
    return (existing) => {
      if (existing !== undefined) throw preconditionFailed('If-None-Match');
    };
  }
  if (ifMatch === undefined) return undefined;
  return (existing) => {
    if (existing === undefined) throw noSuchKey(key);
    if (!matchesAny(ifMatch, existing.eTag)) throw preconditionFailed('If-Match');
  };
};

const invalidRange = (record: ObjectRecord, asked: string): AwsError =>
  new AwsError(416, 'InvalidRange', 'The requested range is not satisfiable', {
    RangeRequested: asked,
    ActualObjectSize: String(record.size),
  });

export type ByteRange = { start: number; end: number };

/**
 * The one range a read asks for, both ends included; undefined means the whole object. Several ranges and malformed
 * ones are ignored, as S3 does; `If-Range` with another ETag also. Throws `InvalidRange` (416).
 */
export const parseRange = (headers: IncomingHttpHeaders, record: ObjectRecord): ByteRange | undefined => {
  const asked = headers.range;
  const match = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/.exec(asked ?? '');
  if (asked === undefined || match === null) return undefined;
  const ifRange = headers['if-range'];
  if (ifRange !== undefined && ifRange !== `"${record.eTag}"`) {
    const isDate = !ifRange.includes('"') && isModifiedSince(record, String(ifRange)) === false;
    if (!isDate) return undefined;
  }
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  if (first === '') {
    if (Number(last) === 0 || record.size === 0) throw invalidRange(record, asked);
    return { start: Math.max(record.size - Number(last), 0), end: record.size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? record.size - 1 : Math.min(Number(last), record.size - 1);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= record.size) throw invalidRange(record, asked);
  return { start, end };
};

/** The inclusive range of a part copy; both ends are required and must exist. */
export const parseCopyRange = (text: string | undefined, record: ObjectRecord): ByteRange => {
  if (text === undefined) return { start: 0, end: record.size - 1 };
  const match = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(text);
  const start = Number(match?.[1]);
  const end = Number(match?.[2]);
  if (match === null || start > end) {
    throw new AwsError(
      400,
      'InvalidArgument',
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
    );
  }
  if (end >= record.size) throw invalidRange(record, text);
  return { start, end };
};
