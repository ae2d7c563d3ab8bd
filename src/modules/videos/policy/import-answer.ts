import type { FailureCode } from './failures.ts';

/** Where an import stands when its file is asked for. */
export interface ImportPosition {
  readonly doneBytes: number;
  /** Null when the server has not told. */
  readonly totalBytes: number | null;
}

export type ImportAnswer =
  /** The body goes on at `startsAt`. */
  | {
      readonly kind: 'bytes';
      readonly startsAt: number;
      readonly totalBytes: number | null;
      /** For `If-Range`; null when the server cannot go on where it stopped. */
      readonly validator: string | null;
    }
  /** Everything is here already. */
  | { readonly kind: 'complete' }
  /** What is here is of no use: the file is another one now. */
  | { readonly kind: 'changed' }
  /** May pass. */
  | { readonly kind: 'later' }
  | { readonly kind: 'failed'; readonly code: FailureCode };

const passing: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * What a server's answer to a ranged request means (RFC 9110 §14, §15.3.7 and §15.5.17). It is believed only as far as it is
 * consistent with itself and with what was said before.
 */
export function readAnswer(
  status: number,
  headers: { get(name: string): string | null },
  position: ImportPosition,
): ImportAnswer {
  if (passing.has(status) || status >= 500) return { kind: 'later' };
  if (status === 416) return outOfRange(headers, position);
  if (status !== 200 && status !== 206) return { kind: 'failed', code: 'import_not_available' };
  // What is compressed on the way has neither a length nor positions we could use.
  if (!/^(identity)?$/i.test(headers.get('content-encoding') ?? ''))
    return { kind: 'failed', code: 'import_not_available' };
  const validator = validatorOf(headers);
  if (status === 200) return { kind: 'bytes', startsAt: 0, totalBytes: lengthOf(headers), validator: null };
  const range = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(headers.get('content-range') ?? '');
  if (range === null) return { kind: 'failed', code: 'import_not_available' };
  const startsAt = Number(range[1]);
  const endsAt = Number(range[2]);
  const totalBytes = range[3] === '*' ? null : Number(range[3]);
  const isWhole = totalBytes === null || endsAt === totalBytes - 1;
  if (startsAt !== position.doneBytes || endsAt < startsAt || !isWhole)
    return { kind: 'failed', code: 'import_not_available' };
  if (startsAt > 0 && totalBytes !== position.totalBytes) return { kind: 'changed' };
  return { kind: 'bytes', startsAt, totalBytes, validator };
}

function outOfRange(headers: { get(name: string): string | null }, position: ImportPosition): ImportAnswer {
  if (position.doneBytes === 0) return { kind: 'failed', code: 'import_not_available' };
  const total = /^bytes \*\/(\d{1,15})$/.exec(headers.get('content-range') ?? '')?.[1];
  return Number(total) === position.doneBytes ? { kind: 'complete' } : { kind: 'changed' };
}

function lengthOf(headers: { get(name: string): string | null }): number | null {
  const text = headers.get('content-length') ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** A strong ETag, else the date of the last change. */
function validatorOf(headers: { get(name: string): string | null }): string | null {
  const etag = headers.get('etag') ?? '';
  if (/^"[\x21\x23-\x7e]{1,400}"$/.test(etag)) return etag;
  const date = headers.get('last-modified') ?? '';
  return date.length <= 100 && Number.isFinite(Date.parse(date)) ? date : null;
}

/** A name for an imported file: the last part of its address, else its host. */
export function fileNameOf(address: string): string {
  const url = new URL(address);
  const last = url.pathname.split('/').findLast((segment) => segment !== '') ?? '';
  let name = last;
  try {
    name = decodeURIComponent(last);
  } catch {
    // Percent signs that encode nothing stay as they are.
  }
  const plain = name.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu, '').trim();
  return Array.from(plain).slice(0, 255).join('') || url.hostname.slice(0, 255);
}
