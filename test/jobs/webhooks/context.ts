import { env } from 'cloudflare:workers';
import { type RequestContext, servicesOf } from '../../../src/context.ts';
import { systemContext } from '../../../src/jobs/system-context.ts';
import { decodeId } from '../../../src/shared/ids.ts';
import { testEnv } from '../../support/worker/env.ts';

/** A context in which it is `nowMs`; `settle` waits for its background work. */
export function contextAt(
  nowMs: number,
  bindings: object = {},
): RequestContext & { settle(): Promise<unknown> } {
  const background: Promise<unknown>[] = [];
  const services = servicesOf(
    Object.keys(bindings).length === 0 ? testEnv(env) : { ...testEnv(env), ...bindings },
  );
  const ctx = systemContext(services, { job: 'test', waitUntil: (task) => background.push(task) });
  return { ...ctx, clock: { now: () => nowMs }, settle: () => Promise.all(background) };
}

export const endpointUuid = (id: string): string => decodeId('webhookEndpoint', id) ?? '';
