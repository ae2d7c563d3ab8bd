import type { CaptionRow } from '../captions.repository.ts';

/** A track of which a clip is to have a part. */
export interface CaptionsToCut extends Pick<CaptionRow, 'language' | 'label' | 'kind' | 'objectKey'> {
  /** Of the part, on the clock of the file. */
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * What a clip of a video is to have of its captions. Of a video that is itself a clip and still waits for some, the part of
 * that part.
 */
export function captionsToCut(
  source: {
    readonly captions: readonly CaptionRow[];
    readonly captionsToCut: readonly CaptionsToCut[] | null;
  },
  clip: { readonly startMs: number; readonly endMs: number },
): CaptionsToCut[] {
  const own = source.captions.map(({ language, label, kind, objectKey }) => ({
    language,
    label,
    kind,
    objectKey,
    ...clip,
  }));
  const has = new Set(own.map(({ language }) => language));
  const waiting = (source.captionsToCut ?? [])
    .filter(({ language }) => !has.has(language))
    .map((track) => ({
      ...track,
      startMs: track.startMs + clip.startMs,
      endMs: Math.min(track.endMs, track.startMs + clip.endMs),
    }));
  return [...own, ...waiting];
}
