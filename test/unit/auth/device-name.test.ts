import { describe, expect, it } from 'vitest';
import { deviceNameOf } from '../../../src/modules/auth/policy/device-name.ts';

const mozilla = 'Mozilla/5.0';
const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)';

describe('a device is called', () => {
  it.each([
    [`${mozilla} (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0`, 'Firefox on Linux'],
    [
      `${mozilla} (Windows NT 10.0; Win64; x64) ${webkit} Chrome/141.0.0.0 Safari/537.36`,
      'Chrome on Windows',
    ],
    [`${mozilla} (Windows NT 10.0) ${webkit} Chrome/141.0.0.0 Safari/537.36 Edg/141.0`, 'Edge on Windows'],
    [
      `${mozilla} (X11; CrOS x86_64 14541.0.0) ${webkit} Chrome/141.0.0.0 Safari/537.36`,
      'Chrome on ChromeOS',
    ],
    [
      `${mozilla} (Linux; Android 16; Pixel 9) ${webkit} Chrome/141.0.0.0 Mobile Safari/537.36`,
      'Chrome on Android',
    ],
    [
      `${mozilla} (Linux; Android 16; SM-S921B) ${webkit} SamsungBrowser/28.0 Chrome/130.0 Mobile Safari/537.36`,
      'Samsung Internet on Android',
    ],
    [
      `${mozilla} (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148 Safari/604.1`,
      'Safari on iPhone',
    ],
    [
      `${mozilla} (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 CriOS/141.0 Mobile`,
      'Chrome on iPhone',
    ],
    [
      `${mozilla} (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/19.0 Safari/605.1.15`,
      'Safari on macOS',
    ],
    ['SocialFlow/3.1 (iPad; iOS 19.0)', 'SocialFlow on iPad'],
    ['curl/8.15.0', 'curl'],
    ['Probe/1.0 (test)', 'Probe'],
    [mozilla, 'Unknown device'],
    [`${mozilla} (Windows NT 10.0)`, 'Windows'],
    ['', 'Unknown device'],
    ['🦉', 'Unknown device'],
    ["'; DROP TABLE sessions; --", 'Unknown device'],
    ['<script>alert(1)</script>', 'Unknown device'],
    [undefined, 'Unknown device'],
  ])('by its user agent %j: %s', (userAgent, name) => {
    expect(deviceNameOf(userAgent)).toBe(name);
  });

  it('the same after an update of its browser', () => {
    const of = (version: string) =>
      deviceNameOf(`${mozilla} (X11; Linux x86_64) Gecko/20100101 Firefox/${version}`);
    expect(of('141.0')).toBe(of('140.0.2'));
  });

  it('by no more than 80 plain characters, whatever it claims', () => {
    for (const userAgent of [
      'x'.repeat(400),
      `${'a '.repeat(199)}Windows`,
      `a\u0000b${'\u202e'.repeat(300)}`,
    ]) {
      const name = deviceNameOf(userAgent);
      expect(name.length).toBeLessThanOrEqual(80);
      expect(name).toMatch(/^[A-Za-z0-9 ._-]+$/);
    }
  });
});
