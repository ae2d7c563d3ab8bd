import { type SQL, sql } from 'drizzle-orm';
import { textArray } from '../../db/outbox.ts';
import type { AccessChanges } from './access.schemas.ts';
import type { PlaybackRules } from './policy/playback-policy.ts';

/** What a page or a player must know of a video's access and of where its files are. */
export interface AccessRow extends PlaybackRules {
  /** Folder of what is played, ending in a slash. */
  readonly mediaPrefix: string;
  /** Whether copies of the stills lie where nobody needs a signature. */
  readonly stillsOpen: boolean;
}

/** The folder of what is played, for a statement with `videos AS video`. */
export const playedPrefix: SQL = sql`coalesce(video.media_prefix, 'media/' || video.id::text || '/v' || video.revision::text || '/')`;

/** Where the copies of its stills lie when anybody may see them. */
export const openPrefix: SQL = sql`('open/' || substr(${playedPrefix}, 7))`;

/** `AccessRow` as JSON, for a statement with `videos AS video`. */
export const accessJson: SQL = sql`json_build_object(
    'passwordProtected', video.password_hash IS NOT NULL, 'ageRestricted', video.age_restricted,
    'geoMode', video.geo_mode, 'geoCountries', video.geo_countries,
    'embedMode', video.embed_mode, 'embedDomains', video.embed_domains,
    'mediaPrefix', ${playedPrefix}, 'stillsOpen', coalesce(video.open_prefix = ${openPrefix}, false))`;

/** The assignments of an UPDATE of `videos` that make the changes. */
export function accessAssignments(changes: AccessChanges, passwordHash: string | null | undefined): SQL[] {
  const { age_restricted: ageRestricted, geo, embed } = changes;
  const assignments: SQL[] = [];
  if (passwordHash !== undefined) assignments.push(sql`password_hash = ${passwordHash}`);
  if (ageRestricted !== undefined) assignments.push(sql`age_restricted = ${ageRestricted}`);
  if (geo !== undefined)
    assignments.push(
      sql`geo_mode = ${geo?.mode ?? null}, geo_countries = ${textArray(geo?.countries ?? [])}::text[]`,
    );
  if (embed !== undefined)
    assignments.push(sql`embed_mode = ${embed.mode}, embed_domains = ${textArray(embed.domains)}::text[]`);
  return assignments;
}
