import { type Bindings, servicesOf } from '../../src/context.ts';
import { keepChat } from '../../src/modules/chat/archive.repository.ts';
import type { ArchiveOutside } from './archive.ts';

/** The archive's way to the database and to the log. */
export const archiveOutsideOf = (bindings: Bindings): ArchiveOutside => ({
  send: (flush) => keepChat(servicesOf(bindings).databases.primary, flush),
  warn: (error) =>
    servicesOf(bindings).log.log('warn', 'chat.archive_failed', {
      error_name: error instanceof Error ? error.name : 'unknown',
    }),
});
