import type { RequestContext } from '../../context.ts';
import { unauthenticated } from '../../http/errors.ts';
import { requireViewerId } from '../../http/viewer.ts';
import { open, seal } from '../../shared/crypto/envelope.ts';
import { fromHex, fromUtf8, utf8 } from '../../shared/encoding.ts';
import { adultAge, ageOn, isPlausibleBirthDate } from './birth-dates.policy.ts';
import { stateBirthDate as keepBirthDate } from './birth-dates.repository.ts';
import { birthDateFixed, birthDateImplausible } from './users.errors.ts';

const placeOf = (userId: string) => ({ table: 'birth_dates', column: 'sealed_date', rowId: userId });

/**
 * Keeps when the caller says they were born. It can be said once: who may see what is for adults must not be a matter of
 * trying dates. Staff may clear a date that is wrong (`clearBirthDate` of the administration), after which it is stated anew.
 * @throws users.birth_date_implausible, users.birth_date_fixed when another date was stated before, auth.unauthenticated.
 */
export async function stateBirthDate(ctx: RequestContext, birthDate: string): Promise<void> {
  const userId = requireViewerId(ctx);
  if (!isPlausibleBirthDate(birthDate, ctx.clock.now())) throw birthDateImplausible();
  const sealed = await seal(ctx.config.encryption, utf8(birthDate), placeOf(userId));
  const stated = await keepBirthDate(ctx, userId, sealed);
  if (!stated.active) throw unauthenticated();
  if ((await birthDateIn(ctx, userId, stated.sealed)) !== birthDate) throw birthDateFixed();
}

/**
 * Whether somebody is of age by what they stated.
 * @param sealedHex `birth_dates.sealed_date` of the user in hexadecimal.
 * @returns undefined when nothing was stated, or it cannot be read.
 */
export async function isOfAge(
  ctx: RequestContext,
  userId: string,
  sealedHex: string | null,
): Promise<boolean | undefined> {
  const birthDate = await birthDateIn(ctx, userId, sealedHex);
  const age = birthDate === undefined ? undefined : ageOn(birthDate, ctx.clock.now());
  return age === undefined ? undefined : age >= adultAge;
}

async function birthDateIn(
  ctx: RequestContext,
  userId: string,
  sealedHex: string | null,
): Promise<string | undefined> {
  if (sealedHex === null) return undefined;
  const bytes = await open(ctx.config.encryption, fromHex(sealedHex), placeOf(userId));
  if (bytes === undefined) ctx.log.log('error', 'birth_date.unreadable', { user_id: userId });
  return bytes === undefined ? undefined : fromUtf8(bytes);
}
