import { type SQL, sql } from 'drizzle-orm';

/**
 * The body of a CTE that makes videos of what lies in the bucket of recordings, waiting to be probed; `source` names an earlier CTE
 * with their `id`, `owner_id`, `title`, `description`, `visibility`, `source_key` (null: not there yet) and `chapters`.
 */
export const insertRecordedVideos = (source: SQL): SQL => sql`
  INSERT INTO videos (id, owner_id, title, description, visibility, state, source_key, chapters)
  SELECT id, owner_id, title, description, visibility, 'probing', source_key, chapters FROM ${source}
  ON CONFLICT (id) DO NOTHING RETURNING id, owner_id`;
