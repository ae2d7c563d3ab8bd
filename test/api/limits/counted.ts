import { env } from 'cloudflare:workers';
import type { Bindings } from '../../../src/context.ts';
import { testEnv } from '../../support/worker/env.ts';

/** Bindings that count the calls to rate-limiter objects and remember their names. */
export function countedBindings(): { readonly bindings: Bindings; readonly objects: string[] } {
  const objects: string[] = [];
  const real = testEnv(env);
  const limiter = {
    getByName: (name: string) => {
      objects.push(name);
      return real.RATE_LIMITER.getByName(name);
    },
  };
  return { bindings: { ...real, RATE_LIMITER: limiter as unknown as Bindings['RATE_LIMITER'] }, objects };
}

/** Bindings whose rate-limiter objects are gone. */
export function lostBindings(): Bindings {
  const gone = {
    take: () => Promise.reject(new Error('gone')),
    giveBack: () => Promise.reject(new Error('gone')),
  };
  const limiter = { getByName: () => gone };
  return { ...testEnv(env), RATE_LIMITER: limiter as unknown as Bindings['RATE_LIMITER'] };
}
