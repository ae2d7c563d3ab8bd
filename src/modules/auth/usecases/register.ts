import type { RequestContext } from '../../../context.ts';
import { type AccountRow, isReservedUsername, usernameReserved } from '../../users/index.ts';
import { passwordRefused } from '../auth.errors.ts';
import { insertUserWithSession } from '../auth.repository.ts';
import type { TokenPair } from '../auth.views.ts';
import { passwordProblems } from '../policy/password-rules.ts';
import { assertMayRegister } from './challenge.ts';
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
 * about whether others gave the same one.
 * @throws users.username_taken, users.username_reserved, auth.password_refused, auth.challenge_required,
 * auth.challenge_failed, service.unavailable.
 */
export async function register(
  ctx: RequestContext,
  input: Registration,
): Promise<{ readonly account: AccountRow; readonly tokens: TokenPair }> {
  if (isReservedUsername(input.username)) throw usernameReserved();
  const errors = passwordProblems(input.password, input);
  if (errors.length > 0) throw passwordRefused({ errors });
  await assertMayRegister(ctx, input.challengeResponse);
  const passwordHash = await hashPassword(ctx.config.auth, input.password);
  const session = await prepareSession(ctx, ['pwd']);
  const account = await insertUserWithSession(
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
  return { account, tokens: await tokensOf(ctx, account, session) };
}
