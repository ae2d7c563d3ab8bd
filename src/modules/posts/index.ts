export { eraseLikes, erasePosts } from './erasure.repository.ts';
export { extractFacets, type FacetCandidate } from './posts.policy.ts';
export { authorVisible, postShows, resolveFacets, selectPosts } from './posts.repository.ts';
export { postsRoutes } from './posts.routes.ts';
export {
  facetSchema,
  type PostView,
  postPageSchema,
  postPositionSchema,
  postSchema,
} from './posts.schemas.ts';
export { postCounters, postLikes, posts } from './posts.table.ts';
export { createPost, deletePost, getPost, postHandlers } from './posts.usecases.ts';
export { type PostRow, presentFacet, presentPost, type StoredFacet } from './posts.views.ts';
