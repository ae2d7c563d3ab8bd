import { invalid, notFound } from '../errors.ts';
import type { Kind } from '../resources.ts';
import type { Store } from '../store.ts';
import { tagsInput } from './schemas.ts';

const MAX_TAGS = 50;
const TAGGED: readonly Kind[] = [
  'channel',
  'stream-key',
  'recording-configuration',
  'playback-key',
  'playback-restriction-policy',
];

/** `/tags/{resourceArn}`. */
export function answerTags(store: Store, method: string, url: URL, body: unknown): unknown {
  const arn = decode(url.pathname.slice('/tags/'.length));
  const kind = TAGGED.find((candidate) => store.find(candidate, arn) !== undefined);
  if (kind === undefined) throw notFound(arn);
  const resource = store.get(kind, arn);
  if (method === 'GET') return { tags: resource.tags };
  let tags: Record<string, string>;
  if (method === 'POST') {
    const parsed = tagsInput.safeParse(body);
    if (!parsed.success) throw invalid(parsed.error.issues.map(({ message }) => message).join('; '));
    tags = { ...resource.tags, ...parsed.data.tags };
    if (Object.keys(tags).length > MAX_TAGS) throw invalid('tags: at most 50 tags');
  } else {
    const gone = new Set(url.searchParams.getAll('tagKeys'));
    if (gone.size === 0) throw invalid('tagKeys: is required');
    tags = Object.fromEntries(Object.entries(resource.tags).filter(([key]) => !gone.has(key)));
  }
  store.save(kind, { ...resource, tags });
  return {};
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw notFound(text);
  }
}
