import { z } from 'zod';
import type { RequestContext } from '../../../context.ts';
import { forbidden } from '../../../http/errors.ts';
import { decodeCursor, nextCursor, page } from '../../../http/pagination.ts';
import { requireSession } from '../../../http/viewer.ts';
import { userNotFound } from '../../users/index.ts';
import { isAdmin } from '../admin.policy.ts';
import {
  type AccountViewRow,
  type FoundUserRow,
  insertDeniedSearch,
  searchAccounts,
  type UserFilters,
  viewAccount,
} from '../search.repository.ts';

/**
 * Accounts the filters name, the newest first. Only administrators search by e-mail address, and only verified ones are found.
 * @throws auth.forbidden, request.invalid_cursor.
 */
export async function searchUsers(
  ctx: RequestContext,
  filters: UserFilters,
  { limit, cursor }: { readonly limit: number; readonly cursor: string | undefined },
): Promise<{ readonly users: readonly FoundUserRow[]; readonly next: string | null }> {
  const actor = requireSession(ctx);
  if (filters.email !== undefined && !isAdmin(actor.scopes)) {
    ctx.background(() => insertDeniedSearch(ctx));
    throw forbidden();
  }
  const scope = { list: 'admin:users', filters: { ...filters }, userId: actor.userId };
  const secret = ctx.config.http.cursorSecret;
  const afterId = await decodeCursor(secret, cursor, scope, z.uuid());
  const rows = await searchAccounts(ctx, filters, { limit, afterId });
  const { items, nextPosition } = page(rows, limit, (row) => row.id);
  return { users: items, next: await nextCursor(secret, scope, nextPosition) };
}

/**
 * One account. The e-mail address is for administrators.
 * @throws users.not_found.
 */
export async function lookAtAccount(
  ctx: RequestContext,
  userId: string,
): Promise<{ readonly account: AccountViewRow; readonly showsEmail: boolean }> {
  const account = await viewAccount(ctx, userId, new Date(ctx.clock.now()).toISOString());
  if (account === undefined) throw userNotFound();
  return { account, showsEmail: isAdmin(requireSession(ctx).scopes) };
}
