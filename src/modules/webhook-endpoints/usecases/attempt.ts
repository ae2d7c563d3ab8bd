import type { RequestContext } from '../../../context.ts';
import { postWebhook } from '../../../integrations/webhooks/index.ts';
import { encodeId } from '../../../shared/ids.ts';
import type { Attempt } from '../dispatch.repository.ts';
import type { SealedSecrets } from '../endpoints.repository.ts';
import { signedHeaders } from '../policy/signature.ts';
import { verdictOf } from '../policy/verdict.ts';
import { openSecrets } from './secrets.ts';

/** An attempt before anybody decided when there is another. */
export type Outcome = Omit<Attempt, 'dueAt'> & { readonly retryAfterSeconds: number | undefined };

/** Signs and posts an event once. Whatever the receiver does is an outcome, not an error. */
export async function attempt(
  ctx: RequestContext,
  delivery: SealedSecrets & {
    readonly id: string;
    readonly endpointId: string;
    readonly eventId: string;
    readonly url: string;
    readonly body: string;
  },
): Promise<Outcome> {
  const nowMs = ctx.clock.now();
  const headers = await signedHeaders({
    id: encodeId('event', delivery.eventId),
    body: delivery.body,
    secrets: await openSecrets(ctx, delivery.endpointId, delivery),
    nowMs,
  });
  const answer = await postWebhook(ctx.config, { url: delivery.url, headers, body: delivery.body });
  const verdict = verdictOf(answer);
  ctx.log.log('info', 'webhook.attempted', {
    endpoint_id: delivery.endpointId,
    delivery_id: delivery.id,
    verdict,
    status: answer.status,
    error_code: answer.error,
    duration_ms: answer.durationMs,
  });
  return {
    ...answer,
    id: ctx.ids.next(),
    deliveryId: delivery.id,
    url: delivery.url,
    startedAt: new Date(nowMs).toISOString(),
    verdict,
  };
}
