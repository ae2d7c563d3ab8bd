/** Sites that may play a stream in browsers; nobody named means everybody. */
export type OriginRule = { readonly origins: readonly string[]; readonly isStrict: boolean };

export const originsOf = (list: string): string[] =>
  list
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '' && origin !== '*');

const names = (rule: OriginRule, origin: string): boolean =>
  rule.origins.length === 0 || rule.origins.includes(origin);

/** Whether a request may be answered at all. Only strict rules refuse; the others leave it to the browser. */
export function isOriginAllowed(rules: readonly OriginRule[], origin: string | undefined): boolean {
  return rules.every(
    (rule) => !rule.isStrict || rule.origins.length === 0 || (origin !== undefined && names(rule, origin)),
  );
}

/** Value of `Access-Control-Allow-Origin`. */
export function allowOrigin(rules: readonly OriginRule[], origin: string | undefined): string {
  const limiting = rules.filter(({ origins }) => origins.length > 0);
  if (limiting.length === 0) return '*';
  if (origin !== undefined && limiting.every((rule) => names(rule, origin))) return origin;
  return limiting[0]?.origins[0] ?? 'null';
}
