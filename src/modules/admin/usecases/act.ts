import type { RequestContext } from '../../../context.ts';
import { insertAudit } from '../../../db/audit.ts';
import { forbidden } from '../../../http/errors.ts';
import type { Role } from '../../../http/roles.ts';
import { requireSession } from '../../../http/viewer.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import type { AppError } from '../../../shared/errors.ts';
import { announceEnd, type EndedAccess } from '../../auth/index.ts';
import { userNotFound } from '../../users/index.ts';
import type { StaffMember } from '../accounts.repository.ts';
import { notOneself, staffProtected } from '../admin.errors.ts';
import { refusalFor, type Standing } from '../admin.policy.ts';

/** `made`: everywhere. `spreading`: made, but access tokens may live on for a while since their guard was not reached. */
export type Outcome = 'made' | 'spreading';

/** The caller, acting by one of these roles. */
export function staffMember(ctx: RequestContext, by: readonly Role[]): StaffMember {
  const { userId, epoch } = requireSession(ctx);
  return { userId, epoch, by };
}

const refusals = {
  forbidden,
  not_found: userNotFound,
  oneself: notOneself,
  staff: staffProtected,
} as const;

/** Throws if the account may not be touched, and writes that it was tried. */
export function assertAllowed(
  ctx: RequestContext,
  action: string,
  targetId: string,
  standing: Standing,
): void {
  const refusal = refusalFor(standing);
  if (refusal !== undefined) throw refused(ctx, action, targetId, refusals[refusal]());
}

/** Writes a refused act into the audit log. */
export function refused(ctx: RequestContext, action: string, targetId: string, error: AppError): AppError {
  ctx.log.log('warn', 'admin.refused', { operation: action, reason: error.code });
  ctx.background(() =>
    insertAudit(ctx.databases.primary, ctx, {
      action,
      as: 'admin',
      outcome: 'denied',
      target: { kind: 'user', id: targetId },
      detail: { reason: error.code },
    }).execute(),
  );
  return error;
}

/** Tells everybody who remembers access that it ended, and sends the events written with it. */
export async function spread(
  ctx: RequestContext,
  ended: EndedAccess | undefined,
  eventIds: readonly string[],
): Promise<Outcome> {
  ctx.apiKeys.forget();
  publishAfterResponse(ctx, eventIds);
  return ended === undefined || (await announceEnd(ctx, ended)) ? 'made' : 'spreading';
}
