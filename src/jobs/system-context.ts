import type { RequestContext, Services } from '../context.ts';
import { continueTrace } from '../observability/trace.ts';
import { randomIds } from '../shared/ids.ts';

/**
 * The context of work no request asked for: queue messages and cron runs. Reads come from the primary. Background work is
 * handed to `waitUntil`, which must see it to its end before the message or run is done.
 */
export function systemContext(
  services: Services,
  origin: {
    readonly job: string;
    readonly requestId?: string;
    readonly traceparent?: string | undefined;
    waitUntil?: (task: Promise<unknown>) => void;
  },
): RequestContext {
  const requestId = origin.requestId ?? crypto.randomUUID();
  const trace = continueTrace(origin.traceparent, undefined);
  const log = services.log.with({
    request_id: requestId,
    trace_id: trace.traceId,
    span_id: trace.spanId,
    job: origin.job,
  });
  return {
    ...services,
    log,
    actor: { kind: 'system', job: origin.job },
    requestId,
    trace,
    ip: undefined,
    country: undefined,
    userAgent: undefined,
    ids: randomIds,
    readDb: services.databases.primary,
    background(task) {
      // Begun whether or not anybody waits: an argument of `waitUntil?.(...)` would not even be evaluated.
      const running = task().catch((error: unknown) =>
        log.log('error', 'background.failed', {
          error_name: error instanceof Error ? error.name : 'unknown',
        }),
      );
      origin.waitUntil?.(running);
    },
  };
}
