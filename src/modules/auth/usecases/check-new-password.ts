import type { RequestContext } from '../../../context.ts';
import { isBreached } from '../../../integrations/breached-passwords/index.ts';
import { passwordRefused } from '../auth.errors.ts';
import { type PasswordContext, passwordProblems } from '../policy/password-rules.ts';

/**
 * Refuses a new password that is too short, too common, made of the account's names, or known from a breach. When breaches
 * cannot be looked up, the other rules decide: nobody is kept from changing a password by an outside service.
 * @param pointer where the password stands in the body.
 * @throws auth.password_refused.
 */
export async function checkNewPassword(
  ctx: RequestContext,
  password: string,
  context: PasswordContext,
  pointer: string,
): Promise<void> {
  const problems = passwordProblems(password, context);
  if (problems.length > 0)
    throw passwordRefused({ errors: problems.map((problem) => ({ ...problem, pointer })) });
  const breached = await isBreached(ctx.config.breachedPasswords, password);
  if (breached === undefined)
    ctx.log.log('warn', 'auth.breach_check_failed', { service: 'breached-passwords' });
  if (breached === true)
    throw passwordRefused({
      errors: [
        {
          pointer,
          code: 'breached',
          message: 'This password is known from a breach of another service; attackers try those first.',
        },
      ],
    });
}
