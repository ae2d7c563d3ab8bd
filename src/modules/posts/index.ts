export { eraseLikes, erasePosts } from './erasure.repository.ts';
export { authorVisible, postShows, selectPosts } from './posts.repository.ts';
export { postsRoutes } from './posts.routes.ts';
export { type PostView, postPageSchema, postPositionSchema, postSchema } from './posts.schemas.ts';
export { postCounters, postLikes, posts } from './posts.table.ts';
export { createPost, deletePost, getPost, postHandlers } from './posts.usecases.ts';
export { type PostRow, presentPost } from './posts.views.ts';
