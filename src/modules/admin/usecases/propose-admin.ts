import type { RequestContext } from '../../../context.ts';
import { forbidden } from '../../../http/errors.ts';
import { newSecurityNotice } from '../../notices/index.ts';
import { userNotFound } from '../../users/index.ts';
import {
  alreadyAdministrator,
  notOneself,
  ownProposal,
  proposalClosed,
  proposalExists,
  proposalNotFound,
  wrongStatus,
} from '../admin.errors.ts';
import { proposalHours } from '../admin.policy.ts';
import {
  approveProposal,
  findProposal,
  insertProposal,
  listOpenProposals,
  type ProposalRow,
  withdrawProposal,
} from '../proposals.repository.ts';
import { type Outcome, refused, spread, staffMember } from './act.ts';

const hourMs = 3_600_000;

/** Proposals that wait for a second administrator, the oldest first. */
export const listProposals = (ctx: RequestContext): Promise<ProposalRow[]> =>
  listOpenProposals(ctx, new Date(ctx.clock.now()).toISOString());

/**
 * Proposes to make an account an administrator. Another one must approve it within 24 hours.
 * @throws users.not_found, admin.not_oneself, admin.wrong_status, admin.already_administrator, admin.proposal_exists.
 */
export async function proposeAdmin(
  ctx: RequestContext,
  input: { readonly userId: string; readonly reason: string },
): Promise<ProposalRow> {
  const actor = staffMember(ctx, ['admin']);
  const action = 'admin.admin_proposed';
  const nowMs = ctx.clock.now();
  if (input.userId === actor.userId) throw refused(ctx, action, input.userId, notOneself());
  const proposed = await insertProposal(ctx, actor, {
    id: ctx.ids.next(),
    ...input,
    now: new Date(nowMs).toISOString(),
    expiresAt: new Date(nowMs + proposalHours * hourMs).toISOString(),
  });
  if (proposed.proposal !== undefined) return proposed.proposal;
  if (!proposed.actorStands) throw refused(ctx, action, input.userId, forbidden());
  if (proposed.targetStatus === null) throw userNotFound();
  if (proposed.targetIsAdmin === true) throw alreadyAdministrator();
  throw proposed.targetStatus === 'active' ? proposalExists() : wrongStatus();
}

/**
 * Approves a proposal of another: the account is an administrator from its next token on.
 * @throws admin.proposal_not_found, admin.own_proposal, admin.proposal_closed.
 */
export async function approveAdmin(ctx: RequestContext, proposalId: string): Promise<Outcome> {
  const actor = staffMember(ctx, ['admin']);
  const action = 'admin.role_granted';
  const proposal = await findProposal(ctx.databases.primary, proposalId);
  if (proposal === undefined) throw proposalNotFound();
  const { userId } = proposal;
  if (actor.userId === proposal.proposedBy || actor.userId === userId)
    throw refused(ctx, action, userId, ownProposal());
  const notice = newSecurityNotice(ctx, {
    userId,
    notice: 'roles_changed',
    detail: { role: 'admin', change: 'granted' },
  });
  const now = new Date(ctx.clock.now()).toISOString();
  const { actorStands, ended } = await approveProposal(ctx, actor, proposal, now, notice);
  if (!actorStands) throw refused(ctx, action, userId, forbidden());
  if (ended === undefined) throw refused(ctx, action, userId, proposalClosed());
  return spread(ctx, ended, [notice.id]);
}

/**
 * Closes a proposal without making anybody an administrator.
 * @throws admin.proposal_not_found, admin.proposal_closed.
 */
export async function withdrawAdminProposal(ctx: RequestContext, proposalId: string): Promise<void> {
  const proposal = await findProposal(ctx.databases.primary, proposalId);
  if (proposal === undefined) throw proposalNotFound();
  const now = new Date(ctx.clock.now()).toISOString();
  const { actorStands, closed } = await withdrawProposal(ctx, staffMember(ctx, ['admin']), proposal, now);
  if (!actorStands) throw refused(ctx, 'admin.proposal_withdrawn', proposal.userId, forbidden());
  if (!closed) throw proposalClosed();
}
