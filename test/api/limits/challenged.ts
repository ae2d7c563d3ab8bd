import { env } from 'cloudflare:workers';
import { inject } from 'vitest';
import type { Bindings } from '../../../src/context.ts';
import { testEnv } from '../../support/worker/env.ts';

export const siteKey = '0x4AAAAAAADnPIDROrmt1Wwj';

/** Bindings of a deployment with challenges, verified by the Turnstile stand-in. */
export const challengedBindings = (settings: Readonly<Record<string, string>> = {}): Bindings => ({
  ...testEnv(env),
  TURNSTILE_SITE_KEY: siteKey,
  TURNSTILE_SECRET: inject('turnstileSecret'),
  TURNSTILE_HOSTNAMES: 'app.test',
  TURNSTILE_VERIFY_URL: `${inject('turnstileUrl')}/turnstile/v0/siteverify`,
  ...settings,
});

/** Bindings of a deployment whose Turnstile gives no answer that means anything. */
export const downBindings = (settings: Readonly<Record<string, string>> = {}): Bindings =>
  challengedBindings({ TURNSTILE_VERIFY_URL: `${inject('turnstileUrl')}/not/found`, ...settings });

/** What the widget would give a person who solved it. */
export async function solve(action: string, hostname = 'app.test'): Promise<string> {
  const answer = await fetch(`${inject('turnstileUrl')}/token?action=${action}&hostname=${hostname}`);
  return ((await answer.json()) as { token: string }).token;
}
