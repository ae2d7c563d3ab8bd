import { type Chapter, maxChapters, maxChapterTitle, minChapterMs } from '../../videos/index.ts';

/** A session on the clock of the wall, in Unix milliseconds; undefined `endMs`: it goes on. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number | undefined;
}

/**
 * Where a moment of a stream lies in its recording, in milliseconds: while no encoder was connected nothing was recorded. Before
 * the first session it is 0.
 */
export const positionIn = (sessions: readonly Span[], atMs: number): number =>
  sessions.reduce((sum, { startMs, endMs }) => sum + Math.max(0, Math.min(endMs ?? atMs, atMs) - startMs), 0);

/**
 * The chapters a recording gets of the moments that were marked: the first begins at its start, and what comes less than ten
 * seconds after another is left out.
 */
export function chaptersOfMarkers(
  markers: readonly { readonly atMs: number; readonly title: string }[],
  sessions: readonly Span[],
  opening: string,
): Chapter[] {
  // The stream may have other recordings, before this one or after it.
  const fromMs = sessions[0]?.startMs ?? Number.POSITIVE_INFINITY;
  const toMs = sessions.at(-1)?.endMs ?? Number.POSITIVE_INFINITY;
  const within = markers.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
  if (within.length === 0) return [];
  const placed = within
    .map(({ atMs, title }) => ({ startMs: Math.round(positionIn(sessions, atMs)), title }))
    .toSorted((a, b) => a.startMs - b.startMs);
  const [first] = placed;
  const opened =
    first !== undefined && first.startMs < minChapterMs
      ? [{ ...first, startMs: 0 }, ...placed.slice(1)]
      : [{ startMs: 0, title: Array.from(opening).slice(0, maxChapterTitle).join('').trim() }, ...placed];
  const chapters: Chapter[] = [];
  for (const chapter of opened) {
    const last = chapters.at(-1);
    if (
      chapters.length < maxChapters &&
      (last === undefined || chapter.startMs - last.startMs >= minChapterMs)
    )
      chapters.push(chapter);
  }
  return chapters;
}
