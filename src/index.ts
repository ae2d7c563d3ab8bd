import { createApp } from './app.ts';
import { type Bindings, servicesOf } from './context.ts';
import { consumeBatch } from './jobs/consume.ts';
import { runCron } from './jobs/cron.ts';

export { ChatRelay } from '../durable-objects/chat-relay/chat-relay.ts';
export { ChatRoom } from '../durable-objects/chat-room/chat-room.ts';
export { Idempotency } from '../durable-objects/idempotency/idempotency.ts';
export { Lock } from '../durable-objects/lock/lock.ts';
export { RateLimiter } from '../durable-objects/rate-limiter/rate-limiter.ts';
export { SessionGuard } from '../durable-objects/session-guard/session-guard.ts';
export { UserHub } from '../durable-objects/user-hub/user-hub.ts';
export { ViewCounter } from '../durable-objects/view-counter/view-counter.ts';

const app = createApp();

export default {
  fetch: (request, env, executionContext) => app.fetch(request, env, executionContext),
  queue: (batch, env) => consumeBatch(batch, servicesOf(env)),
  scheduled: (event, env, executionContext) =>
    runCron(event, servicesOf(env), (task) => executionContext.waitUntil(task)),
} satisfies ExportedHandler<Bindings>;
