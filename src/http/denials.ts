import type { RequestContext } from '../context.ts';
import { insertAudit } from '../db/audit.ts';
import { AppError } from '../shared/errors.ts';
import type { AppMiddleware } from './env.ts';
import {
  apiKeyRefused,
  forbidden,
  insufficientScope,
  staffSecondFactorRequired,
  stepUpRequired,
} from './errors.ts';
import { charge } from './rate-limit/charge.ts';
import type { OperationId, RoutePolicy } from './route-policies.ts';

const deniedKeys: readonly string[] = [apiKeyRefused().code, insufficientScope().code];
const deniedStaff: readonly string[] = [
  ...deniedKeys,
  forbidden().code,
  stepUpRequired().code,
  staffSecondFactorRequired().code,
];

/**
 * A gate whose refusals of known callers are written into the audit log after the response: of API keys everywhere, of all who
 * lack the role, the second factor or the recent login where roles are needed. At most as many an hour as the policy `denials`
 * lets through, so that nobody fills the log.
 */
export function auditedGate(
  gate: AppMiddleware,
  operationId: OperationId,
  policy: RoutePolicy,
): AppMiddleware {
  const denied = policy.roles === undefined ? deniedKeys : deniedStaff;
  return async (c, next) => {
    try {
      return await gate(c, next);
    } catch (error) {
      const { ctx } = c.var;
      if (error instanceof AppError && denied.includes(error.code))
        ctx.background(() => noteDenial(ctx, operationId, error.code));
      throw error;
    }
  };
}

async function noteDenial(ctx: RequestContext, operationId: OperationId, code: string): Promise<void> {
  const { allowed } = await charge(ctx, { limits: ['denials'], units: 1, points: 0 });
  if (!allowed) return;
  await insertAudit(ctx.databases.primary, ctx, {
    action: 'access.denied',
    outcome: 'denied',
    target: { kind: 'operation', id: operationId },
    detail: { code },
  }).execute();
}
