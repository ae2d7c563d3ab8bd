import { encodeId } from '../../shared/ids.ts';
import { presentUserSummary, type UserSummaryRow } from '../users/index.ts';
import { presentVideoSummary, type VideoSummaryRow } from '../videos/index.ts';
import type { FacetView, PostView } from './posts.schemas.ts';

/** A facet as stored: mentions hold the user they were resolved to. */
export type StoredFacet = { readonly byteStart: number; readonly byteEnd: number } & (
  | { readonly type: 'mention'; readonly userId: string }
  | { readonly type: 'hashtag'; readonly tag: string }
  | { readonly type: 'link'; readonly url: string }
);

/** What `selectPosts` selects of a post. */
export interface PostRow {
  readonly id: string;
  readonly text: string;
  readonly facets: readonly StoredFacet[];
  readonly createdAt: string;
  readonly author: UserSummaryRow;
  readonly video: VideoSummaryRow | null;
  readonly likes: number;
  readonly liked: boolean;
}

/** `cdnBaseUrl` is `ctx.config.aws.cdnBaseUrl`. */
export const presentPost = (post: PostRow, cdnBaseUrl: string): PostView => ({
  id: encodeId('post', post.id),
  author: presentUserSummary(post.author, cdnBaseUrl),
  text: post.text,
  facets: post.facets.map(presentFacet),
  video: post.video === null ? null : presentVideoSummary(post.video, cdnBaseUrl),
  like_count: post.likes,
  liked: post.liked,
  created_at: post.createdAt,
});

export function presentFacet(facet: StoredFacet): FacetView {
  const range = { byte_start: facet.byteStart, byte_end: facet.byteEnd };
  switch (facet.type) {
    case 'mention':
      return { type: 'mention', ...range, user_id: encodeId('user', facet.userId) };
    case 'hashtag':
      return { type: 'hashtag', ...range, tag: facet.tag };
    case 'link':
      return { type: 'link', ...range, url: facet.url };
    default:
      return facet satisfies never;
  }
}
