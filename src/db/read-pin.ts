const cookieName = '__Host-sf_read_pin';
const cookiePattern = new RegExp(`(?:^|;\\s*)${cookieName}=(\\d{1,16})(?:;|$)`);
const maxPinMs = 60_000;

/**
 * Whether this client wrote a moment ago and must read from the primary. The pin is the Unix-millisecond time it ends,
 * in the `X-Read-Pin` header or the cookie; a forged one only costs the forger a primary read.
 */
export function readPinOf(header: string | undefined, cookies: string | undefined, nowMs: number): boolean {
  const value = header ?? cookiePattern.exec(cookies ?? '')?.[1];
  if (value === undefined || !/^\d{1,16}$/.test(value)) return false;
  const until = Number(value);
  return until > nowMs && until <= nowMs + maxPinMs;
}

/** Headers that pin the client to the primary for `seconds`. */
export function readPinHeaders(
  nowMs: number,
  seconds: number,
): { 'x-read-pin': string; 'set-cookie': string } {
  const until = String(nowMs + seconds * 1000);
  return {
    'x-read-pin': until,
    'set-cookie': `${cookieName}=${until}; Max-Age=${seconds}; Path=/; HttpOnly; Secure; SameSite=Lax`,
  };
}
