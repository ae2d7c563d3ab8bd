import { encodeId } from '../../shared/ids.ts';
import { deviceNameOf } from '../auth/index.ts';
import { securityEventActorOf, securityEventTypeOf } from './security-events.policy.ts';
import type { SecurityEventRow } from './security-events.repository.ts';

/** An entry as the account's owner sees it; none for one that is not shown. Where staff sat is not shown. */
export function presentSecurityEvents(rows: readonly SecurityEventRow[], userId: string) {
  return rows.flatMap((row) => {
    const type = securityEventTypeOf(row.action, row.outcome);
    if (type === undefined) return [];
    const actor = securityEventActorOf(row, userId);
    const from = actor === 'you' || actor === 'unknown';
    return [
      {
        id: encodeId('securityEvent', row.id),
        type,
        occurred_at: `${row.at.slice(0, -4)}Z`,
        actor,
        device_name: from && row.userAgent !== null ? deviceNameOf(row.userAgent) : null,
        country: from ? row.country : null,
      },
    ];
  });
}
