import type { RequestContext } from '../../../context.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { type AccountRow, isReservedUsername, usernameReserved } from '../../users/index.ts';
import { insertUserWithSession } from '../auth.repository.ts';
import type { TokenPair } from '../auth.views.ts';
import { assertMayRegister } from './challenge.ts';
import { checkNewPassword } from './check-new-password.ts';
import { hashPassword } from './hash-password.ts';
import { prepareSession, tokensOf } from './open-session.ts';

export interface Registration {
  readonly username: string;
  readonly email: string;
  readonly password: string;
  readonly displayName: string | undefined;
  readonly challengeResponse?: string | undefined;
}

/**
 * Makes an account and signs it in. The e-mail address is not verified yet, so it is no identity and the answer says nothing
 * about whether others gave the same one; a mail asks to verify it, or tells an owner who has verified it before.
 * @throws users.username_taken, users.username_reserved, auth.password_refused, auth.challenge_required,
 * auth.challenge_failed, service.unavailable.
 */
export async function register(
  ctx: RequestContext,
  input: Registration,
): Promise<{ readonly account: AccountRow; readonly tokens: TokenPair }> {
  if (isReservedUsername(input.username)) throw usernameReserved();
  await checkNewPassword(ctx, input.password, input, '/password');
  await assertMayRegister(ctx, input.challengeResponse);
  const passwordHash = await hashPassword(ctx.config.auth, input.password);
  const session = await prepareSession(ctx, ['pwd']);
  const { account, eventIds } = await insertUserWithSession(
    ctx,
    {
      id: ctx.ids.next(),
      username: input.username,
      email: input.email,
      passwordHash,
      displayName: input.displayName ?? input.username,
    },
    session,
  );
  publishAfterResponse(ctx, eventIds);
  return { account, tokens: await tokensOf(ctx, account, session) };
}
