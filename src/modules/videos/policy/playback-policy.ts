import type { VideoState, Visibility } from '../videos.schemas.ts';

/** What decides who may see and play a video. `visibility.repository.ts` says the same of `maySee` and `isListedFor` in SQL. */
export interface VideoAccess {
  readonly state: VideoState;
  readonly deleted: boolean;
  /** Whether it only carries the new file of another video. */
  readonly replacement: boolean;
  readonly visibility: Visibility;
  /** Unix milliseconds; null when it shows as soon as it is published. */
  readonly publishAtMs: number | null;
  readonly ownerActive: boolean;
}

/** How the viewer stands to the owner. Nobody who is signed out is blocked, follows or is a member. */
export interface Standing {
  readonly owner: boolean;
  /** Either blocks the other. */
  readonly blocked: boolean;
  readonly follows: boolean;
  readonly member: boolean;
}

export interface PlaybackRules {
  readonly passwordProtected: boolean;
  readonly ageRestricted: boolean;
  readonly geoMode: 'allow' | 'deny' | null;
  /** ISO 3166-1 alpha-2, upper case. */
  readonly geoCountries: readonly string[];
  readonly embedMode: 'anywhere' | 'nowhere' | 'listed';
  /** Host names, lower case; each stands for itself and everything below it. */
  readonly embedDomains: readonly string[];
}

export interface Circumstances {
  /** The password was given. */
  readonly unlocked: boolean;
  /** Whether the viewer has stated to be of age; undefined for those who have stated nothing or are signed out. */
  readonly ofAge: boolean | undefined;
  /** Where the request comes from; undefined when that is unknown. */
  readonly country: string | undefined;
  /** Host of the page the player stands in; undefined when it stands in none but ours. */
  readonly embedHost: string | undefined;
}

export type PlaybackRefusal =
  | 'not_found'
  | 'not_ready'
  | 'embed_refused'
  | 'country_refused'
  | 'age_unknown'
  | 'under_age'
  | 'locked';

/** Whether the viewer may know of the video and read its page. Owners see theirs in every state. */
export function maySee(video: VideoAccess, viewer: Standing, nowMs: number): boolean {
  if (video.deleted || video.replacement) return false;
  if (viewer.owner) return true;
  if (video.state !== 'published' || !video.ownerActive || viewer.blocked) return false;
  if (video.publishAtMs !== null && video.publishAtMs > nowMs) return false;
  return isFor[video.visibility](viewer);
}

/** Whether the video stands in lists of the owner's videos as the viewer sees them. */
export const isListedFor = (video: VideoAccess, viewer: Standing, nowMs: number): boolean =>
  maySee(video, viewer, nowMs) && (viewer.owner || video.visibility !== 'unlisted');

const isFor: Readonly<Record<Visibility, (viewer: Standing) => boolean>> = {
  public: () => true,
  unlisted: () => true,
  followers: (viewer) => viewer.follows,
  members: (viewer) => viewer.member,
  private: () => false,
};

/**
 * Why the viewer may not play the video now; undefined when they may. The one decision about every file of a video, taken
 * whenever addresses are signed and whenever watching is counted. Owners may always play what has been converted.
 */
export function refusePlayback(
  video: VideoAccess & PlaybackRules,
  viewer: Standing,
  here: Circumstances,
  nowMs: number,
): PlaybackRefusal | undefined {
  if (!maySee(video, viewer, nowMs)) return 'not_found';
  if (video.state !== 'published') return 'not_ready';
  if (viewer.owner) return undefined;
  if (!mayEmbed(video, here.embedHost)) return 'embed_refused';
  if (!isOpenIn(video, here.country)) return 'country_refused';
  if (video.ageRestricted && here.ofAge !== true)
    return here.ofAge === undefined ? 'age_unknown' : 'under_age';
  if (video.passwordProtected && !here.unlocked) return 'locked';
  return undefined;
}

/** Whether a player may stand in a page of that host. */
export function mayEmbed(
  { embedMode, embedDomains }: Pick<PlaybackRules, 'embedMode' | 'embedDomains'>,
  host: string | undefined,
): boolean {
  if (host === undefined || embedMode === 'anywhere') return true;
  if (embedMode === 'nowhere') return false;
  return embedDomains.some((domain) => host === domain || host.endsWith(`.${domain}`));
}

// XX is Cloudflare's word for not knowing, T1 is Tor: neither is a country.
const nowhere = new Set(['XX', 'T1']);

/** An unknown country is on no list: what is for some countries only stays closed, what is against some stays open. */
function isOpenIn({ geoMode, geoCountries }: PlaybackRules, country: string | undefined): boolean {
  if (geoMode === null) return true;
  const listed = country !== undefined && !nowhere.has(country) && geoCountries.includes(country);
  return geoMode === 'allow' ? listed : !listed;
}

/** Whether playing needs more than knowing the address of the page: signatures for such videos live shortly. */
export const isRestricted = (video: Pick<VideoAccess, 'visibility'> & PlaybackRules): boolean =>
  (video.visibility !== 'public' && video.visibility !== 'unlisted') ||
  video.passwordProtected ||
  video.ageRestricted ||
  video.geoMode !== null;

/** Whether its stills may be shown to anybody who knows the address of the page. Says nothing about its state. */
export const hasOpenStills = (
  video: Pick<VideoAccess, 'visibility'> & Pick<PlaybackRules, 'passwordProtected' | 'ageRestricted'>,
): boolean =>
  (video.visibility === 'public' || video.visibility === 'unlisted') &&
  !video.passwordProtected &&
  !video.ageRestricted;
