// What programs that fetch pages call themselves. Libraries inside players (okhttp, ExoPlayer, AVPlayer) are not among them.
const automatic =
  /bot\b|bot[/;)]|crawl|spider|slurp|scrap|headless|phantomjs|puppeteer|playwright|selenium|webdriver|lighthouse|pingdom|uptime|monitor|preview|facebookexternalhit|embedly|whatsapp\/|curl\/|wget\/|python|java\/|go-http-client|libwww|httpclient|axios\/|node-fetch|undici|postman|insomnia|perl\b|ruby\b/i;

/** What Cloudflare's Bot Management says of a request, where a zone has it. */
export interface BotSigns {
  readonly score?: number;
  readonly verifiedBot?: boolean;
}

// Cloudflare: 1 is certainly automated, 2-29 likely (https://developers.cloudflare.com/bots/concepts/bot-score/).
const likelyHuman = 30;

/** Whether a viewer is a program. One that does not say what it is, is. */
export function isBot(userAgent: string | undefined, signs: BotSigns | undefined): boolean {
  if (signs?.verifiedBot === true) return true;
  if (signs?.score !== undefined && signs.score > 0 && signs.score < likelyHuman) return true;
  return userAgent === undefined || userAgent.trim() === '' || automatic.test(userAgent);
}

/** The signs in `request.cf`, which only Cloudflare can set; undefined without Bot Management. */
export function botSignsOf(cf: unknown): BotSigns | undefined {
  const signs = (cf as { botManagement?: unknown } | undefined)?.botManagement;
  if (typeof signs !== 'object' || signs === null) return undefined;
  const { score, verifiedBot } = signs as { score?: unknown; verifiedBot?: unknown };
  return {
    ...(typeof score === 'number' ? { score } : {}),
    ...(typeof verifiedBot === 'boolean' ? { verifiedBot } : {}),
  };
}

export const devices = ['desktop', 'mobile', 'tablet', 'tv', 'console', 'other'] as const;
export type Device = (typeof devices)[number];

const deviceSigns: readonly (readonly [RegExp, Device])[] = [
  [
    /smart-?tv|appletv|apple tv|google ?tv|googletv|hbbtv|netcast|web0s|webos|tizen.*tv|bravia|roku|aft[a-z]|crkey|viera/i,
    'tv',
  ],
  [/playstation|xbox|nintendo/i, 'console'],
  [/ipad|tablet|kindle|silk\/|android(?!.*mobile)/i, 'tablet'],
  [/iphone|ipod|mobile|android|windows phone/i, 'mobile'],
  [/windows nt|macintosh|x11|linux|cros/i, 'desktop'],
];

/** What a viewer watches on, as far as its User-Agent tells. */
export const deviceOf = (userAgent: string | undefined): Device =>
  deviceSigns.find(([sign]) => sign.test(userAgent ?? ''))?.[1] ?? 'other';
