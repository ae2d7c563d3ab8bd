const maxNameLength = 60;

// The first that matches names it: browsers list the engines and browsers they are compatible with after themselves, so the
// particular stands before the general.
const browsers: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\bOPR\/|\bOpera\b/, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bVivaldi\//, 'Vivaldi'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|CriOS|Chromium)\//, 'Chrome'],
  [/\bVersion\/[\d.]+.*\bSafari\//, 'Safari'],
];

const systems: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
];

const nameIn = (table: typeof browsers, userAgent: string): string | undefined =>
  table.find(([pattern]) => pattern.test(userAgent))?.[1];

/**
 * What the owner of a device would call it: `Firefox on Linux`, or the product name of a program that is no browser. Versions
 * are left out, so that an update is not a new device. The text is the client's claim and proves nothing.
 */
export function deviceNameOf(userAgent: string | undefined): string {
  if (userAgent === undefined) return 'Unknown device';
  const browser = nameIn(browsers, userAgent);
  const system = nameIn(systems, userAgent);
  if (browser !== undefined) return system === undefined ? browser : `${browser} on ${system}`;
  const product = /^[A-Za-z][A-Za-z0-9 ._-]*/.exec(userAgent)?.[0].trim().slice(0, maxNameLength) ?? '';
  if (product === '' || product === 'Mozilla') return system ?? 'Unknown device';
  return system === undefined ? product : `${product} on ${system}`;
}
