import { codePoints, foldText, isBlank } from '../../../shared/text.ts';

export const maxTags = 30;
export const maxTagLength = 50;

export interface Tags {
  /** As shown. */
  readonly tags: readonly string[];
  /** The same in the form they are searched for. */
  readonly keys: readonly string[];
}

/** A tag as shown: NFKC, without the # people type in front, words one space apart. Undefined when nothing fit is left. */
export function tidyTag(text: string): string | undefined {
  const tag = text
    .normalize('NFKC')
    .replace(/^[#＃\s]+/u, '')
    .replace(/\s+/gu, ' ')
    .trim();
  return isBlank(tag) || foldText(tag) === '' || codePoints(tag) > maxTagLength ? undefined : tag;
}

/** Drops tags that are the same but for case, width or invisible characters; the first spelling stays. */
export function distinctTags(tags: readonly string[]): Tags {
  const byKey = new Map<string, string>();
  for (const tag of tags) {
    const key = foldText(tag);
    if (!byKey.has(key)) byKey.set(key, tag);
  }
  return { tags: [...byKey.values()], keys: [...byKey.keys()] };
}
