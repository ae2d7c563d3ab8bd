import { type Bindings, servicesOf } from '../../src/context.ts';
import { applyPresence } from '../../src/modules/stream-analytics/flushes.repository.ts';
import type { ApplyPresence } from './presence.ts';

/** The real one. */
export const applyPresenceOf =
  (bindings: Bindings): ApplyPresence =>
  async (flush) => {
    const { databases, log } = servicesOf(bindings);
    try {
      await applyPresence(databases.primary, flush);
    } catch (error) {
      log.log('warn', 'chat.presence_not_flushed', {
        error_name: error instanceof Error ? error.name : 'unknown',
      });
      throw error;
    }
  };
