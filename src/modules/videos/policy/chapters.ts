import { codePoints, isBlank } from '../../../shared/text.ts';

export interface Chapter {
  readonly startMs: number;
  readonly title: string;
}

export const minChapters = 3;
export const maxChapters = 100;
export const minChapterMs = 10_000;
export const maxChapterTitle = 100;
/** Beyond any film that is accepted, so that sums stay exact. */
export const maxTimeMs = 7 * 86_400_000;

/**
 * What is wrong with a list of chapters by YouTube's rule (https://support.google.com/youtube/answer/9884579): the first
 * begins at 0, there are three at least, in ascending order, each ten seconds long at least. None at all is right, too.
 */
export function chaptersProblem(chapters: readonly Chapter[]): string | undefined {
  if (chapters.length === 0) return undefined;
  if (chapters.length < minChapters) return `must be at least ${minChapters} chapters, or none`;
  if (chapters[0]?.startMs !== 0) return 'must begin with a chapter at 0';
  for (const [index, { startMs }] of chapters.entries()) {
    const previous = chapters[index - 1];
    if (previous !== undefined && startMs - previous.startMs < minChapterMs)
      return `must be in ascending order, each at least ${minChapterMs / 1_000} seconds long`;
  }
  return undefined;
}

/** How long a film must be for the last chapter to have its ten seconds. */
export const chaptersNeedMs = (chapters: readonly Chapter[]): number => {
  const last = chapters.at(-1);
  return last === undefined ? 0 : last.startMs + minChapterMs;
};

/** The chapters a film of this length really has: none when too few are left. A length not known yet cuts nothing. */
export function chaptersWithin(chapters: readonly Chapter[], durationMs: number | null): readonly Chapter[] {
  if (durationMs === null) return chapters;
  const within = chapters.filter(({ startMs }) => startMs + minChapterMs <= durationMs);
  return within.length < minChapters ? [] : within;
}

const stamp = /^[\s\-–—•*([]*(?:(\d{1,3}):)?(\d{1,3}):([0-5]\d)(?=[\s)\]\-–—:|]|$)[\s)\]\-–—:|]*(.*)$/u;

/**
 * The chapters people write into a description, one line each: `0:00 Intro`. They count only if together they keep the
 * rule; other lines that begin with a time are then no chapters either.
 */
export function chaptersInText(text: string): readonly Chapter[] {
  const chapters: Chapter[] = [];
  for (const line of text.split('\n')) {
    const [, hours = '0', minutes = '', seconds = '', rest = ''] = stamp.exec(line) ?? [];
    const title = Array.from(rest.trim()).slice(0, maxChapterTitle).join('').trim();
    if (minutes === '' || isBlank(title) || codePoints(title) === 0) continue;
    const startMs = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000;
    if (startMs > maxTimeMs || chapters.length === maxChapters) return [];
    chapters.push({ startMs, title });
  }
  return chaptersProblem(chapters) === undefined ? chapters : [];
}

/** The chapters of a video: its own, else those of its description, as far as the film goes. */
export const chaptersOf = (video: {
  readonly chapters: readonly Chapter[];
  readonly description: string;
  readonly durationMs: number | null;
}): readonly Chapter[] =>
  chaptersWithin(
    video.chapters.length > 0 ? video.chapters : chaptersInText(video.description),
    video.durationMs,
  );

/** A WebVTT chapters file (https://www.w3.org/TR/webvtt1/#introduction-chapters): each cue lasts until the next begins. */
export function webVttChapters(chapters: readonly Chapter[], durationMs: number | null): string {
  const cues = chapters.map(({ startMs, title }, index) => {
    const endMs = chapters[index + 1]?.startMs ?? Math.max(durationMs ?? 0, startMs + minChapterMs);
    return `\n${index + 1}\n${timestamp(startMs)} --> ${timestamp(endMs)}\n${cueText(title)}\n`;
  });
  return `WEBVTT\n${cues.join('')}`;
}

function timestamp(ms: number): string {
  const part = (value: number, digits: number): string => String(Math.floor(value)).padStart(digits, '0');
  return `${part(ms / 3_600_000, 2)}:${part((ms / 60_000) % 60, 2)}:${part((ms / 1_000) % 60, 2)}.${part(ms % 1_000, 3)}`;
}

const cueText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replace(/\s+/gu, ' ');
