import type { RequestContext } from '../../context.ts';
import { newEvent } from '../../db/outbox.ts';
import { invalidRequest } from '../../http/errors.ts';
import { publishAfterResponse } from '../../jobs/publish.ts';
import { secretsEqual } from '../../shared/crypto.ts';
import { webhookUnauthenticated } from './webhooks.errors.ts';
import { relevantDetail, takenEvents } from './webhooks.policy.ts';
import { takeInboundEvent } from './webhooks.repository.ts';
import { eventBridgeEvent } from './webhooks.schemas.ts';

/**
 * Takes an event from the EventBridge API destination: proves the sender, drops what was taken before, queues the rest.
 * Nothing else happens here, so that the answer comes well within the 5 s EventBridge waits.
 * @throws webhooks.unauthenticated before anything of the body is looked at; request.invalid for another body than an event.
 */
export async function takeAwsEvent(
  ctx: RequestContext,
  apiKey: string | undefined,
  readBody: () => Promise<unknown>,
): Promise<{ readonly accepted: boolean; readonly duplicate: boolean }> {
  if (!(await secretsEqual(apiKey ?? '', ctx.config.aws.webhookSecret))) throw webhookUnauthenticated();
  const parsed = eventBridgeEvent.safeParse(await readBody());
  if (!parsed.success)
    throw invalidRequest({
      errors: parsed.error.issues.slice(0, 20).map(({ path, code, message }) => ({
        pointer: path.map((part) => `/${String(part)}`).join(''),
        code,
        message,
      })),
    });
  const { id, source, time, resources, detail, 'detail-type': detailType } = parsed.data;
  const kind = `${source}/${detailType}`;
  const type = isTaken(kind) ? takenEvents[kind] : undefined;
  if (type === undefined) {
    ctx.log.log('info', 'webhook.ignored', { source, detail_type: detailType });
    return { accepted: false, duplicate: false };
  }
  const relevant = relevantDetail(type, detail);
  if (relevant === undefined) {
    ctx.log.log('error', 'webhook.too_long', { source, detail_type: detailType });
    return { accepted: false, duplicate: false };
  }
  const event = newEvent(ctx, type, { event_id: id, time, resource: resources?.[0], detail: relevant });
  const isNew = await takeInboundEvent(ctx.databases.primary, { source, eventId: id }, event);
  if (isNew) publishAfterResponse(ctx, [event.id]);
  return { accepted: true, duplicate: !isNew };
}

const isTaken = (kind: string): kind is keyof typeof takenEvents => Object.hasOwn(takenEvents, kind);
