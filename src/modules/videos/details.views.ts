import { encodeId } from '../../shared/ids.ts';
import type { CommentPolicy, DetailsView } from './details.schemas.ts';
import type { CategoryId } from './policy/categories.ts';
import { type Chapter, chaptersOf } from './policy/chapters.ts';
import { type EndScreen, endScreensWithin } from './policy/end-screens.ts';
import type { LicenceId } from './policy/licences.ts';

/** What `detailColumns` selects. */
export interface DetailsRow {
  readonly tags: readonly string[];
  readonly category: CategoryId | null;
  readonly language: string | null;
  readonly licence: LicenceId;
  readonly chapters: readonly Chapter[];
  readonly endScreens: readonly EndScreen[];
  readonly commentPolicy: CommentPolicy;
  readonly comments: number;
  readonly likes: number;
  /** Null for all but the owner. */
  readonly dislikes: number | null;
  readonly ownRating: 'like' | 'dislike' | null;
}

export const presentDetails = (video: {
  readonly details: DetailsRow;
  readonly description: string;
  readonly durationMs: number | null;
}): DetailsView => {
  const { details, description, durationMs } = video;
  return {
    tags: [...details.tags],
    category: details.category,
    language: details.language,
    licence: details.licence,
    chapters: chaptersOf({ chapters: details.chapters, description, durationMs }).map(presentChapter),
    end_screens: endScreensWithin(details.endScreens, durationMs).map(presentEndScreen),
    comment_policy: details.commentPolicy,
    comment_count: details.comments,
    like_count: details.likes,
    dislike_count: details.dislikes,
    own_rating: details.ownRating,
  };
};

const presentChapter = ({ startMs, title }: Chapter) => ({ start_ms: startMs, title });

function presentEndScreen(screen: EndScreen): DetailsView['end_screens'][number] {
  const { startMs, endMs, x, y, width } = screen;
  const place = { start_ms: startMs, end_ms: endMs, x, y, width };
  switch (screen.kind) {
    case 'video':
      return { kind: 'video', video_id: encodeId('video', screen.id), ...place };
    case 'playlist':
      return { kind: 'playlist', playlist_id: encodeId('playlist', screen.id), ...place };
    case 'channel':
      return { kind: 'channel', user_id: encodeId('user', screen.id), ...place };
    case 'link':
      return { kind: 'link', url: screen.url, title: screen.title, ...place };
    default:
      return screen satisfies never;
  }
}
