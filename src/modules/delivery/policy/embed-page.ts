import { escapeHtml, escapeXmlText } from './markup.ts';

/** What the pages and feeds say about a video that anybody may see. */
export interface ShownVideo {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly durationSeconds: number | null;
  readonly publishedAt: string | null;
  readonly ownerName: string;
  readonly ownerUrl: string;
  /** The page people are sent to. */
  readonly watchUrl: string;
  /** The page that stands in frames. */
  readonly embedUrl: string;
  readonly oembedUrl: string;
  readonly thumbnail: Thumbnail | null;
}

export interface Thumbnail {
  readonly url: string;
  readonly width: number;
  readonly height: number;
}

const siteName = 'Social Flow';
const defaultSize = { width: 1280, height: 720 } as const;

/** The content security policy of the player page: our own scripts, media of the CDN, frames as the owner wants. */
export const embedPagePolicy = (options: {
  readonly nonce: string;
  readonly cdnOrigin: string;
  readonly frameAncestors: string;
}): string =>
  [
    "default-src 'none'",
    `script-src 'nonce-${options.nonce}'`,
    `style-src 'nonce-${options.nonce}'`,
    `img-src ${options.cdnOrigin}`,
    `media-src blob: ${options.cdnOrigin}`,
    `connect-src 'self' ${options.cdnOrigin}`,
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${options.frameAncestors}`,
  ].join('; ');

/** The page of the player, with what link previews read (https://ogp.me, Twitter's player card, oEmbed discovery). */
export function embedPage(video: ShownVideo, nonce: string): string {
  const { width, height } = sizeOf(video);
  const meta: [attribute: 'property' | 'name', name: string, content: string | number | null][] = [
    ['name', 'description', video.description.slice(0, 300)],
    ['property', 'og:site_name', siteName],
    ['property', 'og:type', 'video.other'],
    ['property', 'og:title', video.title],
    ['property', 'og:description', video.description.slice(0, 300)],
    ['property', 'og:url', video.watchUrl],
    ['property', 'og:image', video.thumbnail?.url ?? null],
    ['property', 'og:image:width', video.thumbnail?.width ?? null],
    ['property', 'og:image:height', video.thumbnail?.height ?? null],
    ['property', 'og:video', video.embedUrl],
    ['property', 'og:video:secure_url', video.embedUrl.startsWith('https:') ? video.embedUrl : null],
    ['property', 'og:video:type', 'text/html'],
    ['property', 'og:video:width', width],
    ['property', 'og:video:height', height],
    [
      'property',
      'og:video:duration',
      video.durationSeconds === null ? null : Math.round(video.durationSeconds),
    ],
    ['property', 'og:video:release_date', video.publishedAt],
    ['name', 'twitter:card', 'player'],
    ['name', 'twitter:title', video.title],
    ['name', 'twitter:description', video.description.slice(0, 200)],
    ['name', 'twitter:image', video.thumbnail?.url ?? null],
    ['name', 'twitter:player', video.embedUrl],
    ['name', 'twitter:player:width', width],
    ['name', 'twitter:player:height', height],
  ];
  const tags = meta
    .filter(([, , content]) => content !== null && content !== '')
    .map(
      ([attribute, name, content]) =>
        `<meta ${attribute}="${name}" content="${escapeHtml(String(content))}">`,
    );
  const poster = video.thumbnail === null ? '' : ` poster="${escapeHtml(video.thumbnail.url)}"`;
  return `<!doctype html>
<html lang="en" prefix="og: https://ogp.me/ns#">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(video.title)}</title>
<link rel="canonical" href="${escapeHtml(video.watchUrl)}">
<link rel="alternate" type="application/json+oembed" href="${escapeHtml(video.oembedUrl)}" title="${escapeHtml(video.title)}">
${tags.join('\n')}
<style nonce="${nonce}">
html, body { margin: 0; height: 100%; background: #000; color: #fff; font: 16px/1.5 system-ui, sans-serif; }
video { width: 100%; height: 100%; display: block; }
#message { position: fixed; inset: 0; display: grid; place-content: center; gap: 12px; padding: 24px; text-align: center; background: #000; }
#chat { position: fixed; top: 0; right: 0; bottom: 80px; width: min(320px, 45%); margin: 0; padding: 48px 12px 0; overflow: hidden; display: flex; flex-direction: column; justify-content: flex-end; list-style: none; box-sizing: border-box; pointer-events: none; overflow-wrap: anywhere; text-shadow: 0 0 3px #000, 0 0 3px #000; }
#chat-button { position: fixed; top: 12px; right: 12px; }
[hidden] { display: none !important; }
</style>
</head>
<body data-video="${escapeHtml(video.id)}">
<video id="player" controls playsinline${poster} aria-label="${escapeHtml(video.title)}"></video>
<ol id="chat" aria-label="Chat" hidden></ol>
<button id="chat-button" type="button" aria-controls="chat" aria-expanded="true" hidden>Chat</button>
<div id="message" role="alert" hidden>
<p id="text"></p>
<form id="unlock" hidden><label>Password <input name="password" type="password" autocomplete="off" maxlength="128" required></label> <button>Play</button></form>
</div>
<noscript>This player needs JavaScript.</noscript>
<script nonce="${nonce}" src="/player/hls.js"></script>
<script nonce="${nonce}" src="/player/player.js"></script>
</body>
</html>
`;
}

/** The page of a video that is not there, or not for strangers, or not for this place. */
export const noticePage = (title: string): string =>
  `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title></head><body><p>${escapeHtml(title)}</p></body></html>\n`;

/** What `/oembed` answers (https://oembed.com, §2.3.4.2), within the size the consumer has. */
export function oembedOf(
  video: ShownVideo,
  bounds: { readonly maxWidth: number | undefined; readonly maxHeight: number | undefined },
) {
  const { width, height } = fitted(sizeOf(video), bounds);
  return {
    version: '1.0' as const,
    type: 'video' as const,
    title: video.title,
    author_name: video.ownerName,
    author_url: video.ownerUrl,
    provider_name: siteName,
    provider_url: new URL(video.watchUrl).origin,
    cache_age: 3_600,
    width,
    height,
    html: `<iframe src="${escapeHtml(video.embedUrl)}" width="${width}" height="${height}" title="${escapeHtml(video.title)}" frameborder="0" allow="fullscreen; picture-in-picture; encrypted-media" allowfullscreen></iframe>`,
    ...(video.thumbnail === null
      ? {}
      : {
          thumbnail_url: video.thumbnail.url,
          thumbnail_width: video.thumbnail.width,
          thumbnail_height: video.thumbnail.height,
        }),
  };
}

/** A channel as RSS 2.0 with Media RSS (https://www.rssboard.org/media-rss). */
export function rssOf(channel: {
  readonly title: string;
  readonly link: string;
  readonly feedUrl: string;
  readonly videos: readonly ShownVideo[];
}): string {
  const text = escapeXmlText;
  const items = channel.videos.map((video) => {
    const { width, height } = sizeOf(video);
    const duration = video.durationSeconds === null ? '' : ` duration="${Math.round(video.durationSeconds)}"`;
    const thumbnail =
      video.thumbnail === null
        ? ''
        : `\n        <media:thumbnail url="${text(video.thumbnail.url)}" width="${video.thumbnail.width}" height="${video.thumbnail.height}"/>`;
    return `    <item>
      <title>${text(video.title)}</title>
      <link>${text(video.watchUrl)}</link>
      <guid isPermaLink="false">${text(video.id)}</guid>${
        video.publishedAt === null
          ? ''
          : `\n      <pubDate>${new Date(video.publishedAt).toUTCString()}</pubDate>`
      }
      <description>${text(video.description)}</description>
      <media:group>
        <media:title type="plain">${text(video.title)}</media:title>
        <media:description type="plain">${text(video.description)}</media:description>
        <media:content url="${text(video.embedUrl)}" type="text/html" medium="video" width="${width}" height="${height}"${duration}/>
        <media:player url="${text(video.embedUrl)}" width="${width}" height="${height}"/>${thumbnail}
      </media:group>
    </item>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/" xmlns:atom="http://www.w3.org/2005/Atom">
  <channel>
    <title>${text(channel.title)}</title>
    <link>${text(channel.link)}</link>
    <description>${text(`Videos of ${channel.title}`)}</description>
    <atom:link href="${text(channel.feedUrl)}" rel="self" type="application/rss+xml"/>
${items.join('\n')}
  </channel>
</rss>
`;
}

const sizeOf = ({ width, height }: ShownVideo): { readonly width: number; readonly height: number } =>
  width === null || height === null ? defaultSize : { width, height };

function fitted(
  size: { readonly width: number; readonly height: number },
  { maxWidth, maxHeight }: { readonly maxWidth: number | undefined; readonly maxHeight: number | undefined },
) {
  const scale = Math.min(1, (maxWidth ?? size.width) / size.width, (maxHeight ?? size.height) / size.height);
  return {
    width: Math.max(1, Math.floor(size.width * scale)),
    height: Math.max(1, Math.floor(size.height * scale)),
  };
}
