import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import type { Watermark } from './policy/plan-pictures.ts';

/** A JSON object with the watermark of an owner, or null. `owner` is an SQL expression, never input. */
export const watermarkOf = (owner: SQL): SQL => sql`(
  SELECT json_build_object('key', mark.object_key, 'width', mark.width, 'height', mark.height, 'corner', mark.corner,
    'opacityPercent', mark.opacity_percent, 'widthPercent', mark.width_percent)
  FROM watermarks AS mark WHERE mark.owner_id = ${owner})`;

export async function findWatermark(db: Db, ownerId: string): Promise<Watermark | undefined> {
  const result = await db.execute(sql`SELECT ${watermarkOf(sql`${ownerId}::uuid`)} AS watermark`);
  return (result.rows[0]?.watermark as Watermark | null | undefined) ?? undefined;
}

export async function saveWatermark(db: Db, ownerId: string, mark: Watermark): Promise<void> {
  await db.execute(sql`
    INSERT INTO watermarks (owner_id, object_key, width, height, corner, opacity_percent, width_percent)
    VALUES (${ownerId}::uuid, ${mark.key}, ${mark.width}, ${mark.height}, ${mark.corner}, ${mark.opacityPercent},
      ${mark.widthPercent})
    ON CONFLICT (owner_id) DO UPDATE SET object_key = excluded.object_key, width = excluded.width,
      height = excluded.height, corner = excluded.corner, opacity_percent = excluded.opacity_percent,
      width_percent = excluded.width_percent, updated_at = now()`);
}

/** @returns whether there was one. */
export async function deleteWatermark(db: Db, ownerId: string): Promise<boolean> {
  const result = await db.execute(sql`DELETE FROM watermarks WHERE owner_id = ${ownerId}::uuid RETURNING 1`);
  return result.rows.length > 0;
}
