import { isBlank } from '../../../shared/text.ts';

const maxTitleLength = 200;

/** A title for a film that was given none: its file name without the extension. */
export function titleOf(fileName: string): string {
  const name = fileName.replace(/\.[A-Za-z0-9]{1,5}$/, '').trim();
  const title = Array.from(name).slice(0, maxTitleLength).join('').trim();
  return isBlank(title) ? 'Untitled' : title;
}
