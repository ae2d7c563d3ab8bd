/** From this age on people may watch what is for adults. */
export const adultAge = 18;

/** Nobody is older than this, and services like this one are not for younger children (COPPA, 16 CFR 312.2). */
const oldest = 120;
const youngest = 13;

const pattern = /^(\d{4})-(\d{2})-(\d{2})$/;

/** Full years between a calendar date and now, in UTC: those born on 29 February grow older on 1 March. */
export function ageOn(birthDate: string, nowMs: number): number | undefined {
  const [, year, month, day] = (pattern.exec(birthDate) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const now = new Date(nowMs);
  const before =
    now.getUTCMonth() < month - 1 || (now.getUTCMonth() === month - 1 && now.getUTCDate() < day) ? 1 : 0;
  return now.getUTCFullYear() - year - before;
}

/** Whether somebody alive who may have an account can have been born then. */
export function isPlausibleBirthDate(birthDate: string, nowMs: number): boolean {
  const age = ageOn(birthDate, nowMs);
  return age !== undefined && age >= youngest && age <= oldest;
}
