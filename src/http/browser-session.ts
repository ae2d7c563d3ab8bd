import type { AppContext, AppMiddleware } from './env.ts';
import { csrfCrossSite, csrfHeaderMissing, csrfOriginMissing, csrfOriginRefused } from './errors.ts';

/**
 * What a browser app sends to have its tokens in cookies that no script can read. A page of another origin cannot send it
 * without a preflight, and that is answered to listed origins only.
 */
const modeHeader = 'x-auth-mode';
// The prefix makes browsers insist on Secure, Path=/ and no Domain, so that no sibling host can plant one (RFC 6265bis §4.1.3).
const accessCookie = '__Host-sf_access';
const refreshCookie = '__Host-sf_refresh';
const accessToken = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether the client asked for its tokens in cookies. */
export const wantsCookies = (c: AppContext): boolean => c.req.header(modeHeader)?.toLowerCase() === 'cookie';

/**
 * Refuses requests in cookie mode that change something unless a page of ours sent them, before anything is done: those of
 * a session, and logins, which would put a visitor into an attacker's account.
 * @throws csrf.origin_missing, csrf.origin_refused, csrf.cross_site.
 */
export function guardCookieMode(): AppMiddleware {
  return async (c, next) => {
    if (wantsCookies(c) && !safeMethods.has(c.req.method)) assertOwnPage(c);
    await next();
  };
}

/**
 * The Authorization header of a request, or what stands for it in the cookie of a browser app.
 * @throws csrf.header_missing and those of `guardCookieMode`, when another site may have made the browser send the cookie.
 */
export function authorizationOf(c: AppContext): string | undefined {
  const given = c.req.header('authorization');
  if (given !== undefined) return given;
  const token = cookieOf(c, accessCookie);
  if (token === undefined || !accessToken.test(token)) return undefined;
  if (!safeMethods.has(c.req.method)) {
    if (!wantsCookies(c)) throw csrfHeaderMissing();
    assertOwnPage(c);
  }
  // No page can set headers on a handshake, and CORS does not cover it: the origin alone must do.
  if (c.req.header('upgrade') !== undefined) assertOwnPage(c);
  return `Bearer ${token}`;
}

/**
 * The refresh token in the cookie of a browser app; undefined when there is none.
 * @throws csrf.header_missing.
 */
export function refreshCookieOf(c: AppContext): string | undefined {
  const token = cookieOf(c, refreshCookie);
  if (token !== undefined && !wantsCookies(c)) throw csrfHeaderMissing();
  return token;
}

/** Puts tokens into cookies that end with them. Lives are in seconds. */
export function setSessionCookies(
  c: AppContext,
  tokens: {
    readonly accessToken: string;
    readonly expiresInSeconds: number;
    readonly refreshToken?: string;
    readonly refreshExpiresInSeconds?: number;
  },
): void {
  appendCookie(c, accessCookie, tokens.accessToken, tokens.expiresInSeconds);
  if (tokens.refreshToken !== undefined)
    appendCookie(c, refreshCookie, tokens.refreshToken, tokens.refreshExpiresInSeconds ?? 0);
}

/** Has the browser forget the session and all it kept of this site (https://www.w3.org/TR/clear-site-data/). */
export function clearBrowserSession(c: AppContext): void {
  appendCookie(c, accessCookie, '', 0);
  appendCookie(c, refreshCookie, '', 0);
  c.header('clear-site-data', '"cache", "cookies", "storage"');
}

function assertOwnPage(c: AppContext): void {
  const { corsOrigins } = c.var.ctx.config.http;
  const origin = c.req.header('origin');
  const site = c.req.header('sec-fetch-site');
  // Browsers name the origin on everything but plain reads; only of the same origin do some leave it out.
  if (origin === undefined) {
    if (site === 'same-origin') return;
    throw csrfOriginMissing();
  }
  // Named, not `*`; and our own by configuration, not by the Host header.
  if (!corsOrigins.includes(origin) && origin !== new URL(c.var.ctx.config.auth.issuer).origin)
    throw csrfOriginRefused();
  if (site !== undefined && site !== 'same-origin' && site !== 'same-site') throw csrfCrossSite();
}

function appendCookie(c: AppContext, name: string, value: string, maxAgeSeconds: number): void {
  c.header(
    'set-cookie',
    `${name}=${value}; Max-Age=${Math.max(0, Math.floor(maxAgeSeconds))}; Path=/; HttpOnly; Secure; SameSite=Strict`,
    { append: true },
  );
}

/** The value of a cookie; undefined when it is missing, empty or there more than once. */
function cookieOf(c: AppContext, name: string): string | undefined {
  const values = (c.req.header('cookie') ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 && values[0] !== '' ? values[0] : undefined;
}
