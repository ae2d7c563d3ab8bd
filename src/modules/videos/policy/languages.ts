/**
 * A language tag (BCP 47) in its canonical form, `pt-BR` for `PT-br`; undefined for what is none. Extensions
 * (`de-u-co-phonebk`) say how to sort and print, not what is spoken, and are refused.
 */
export function canonicalLanguage(tag: string): string | undefined {
  try {
    const [canonical = ''] = Intl.getCanonicalLocales(tag);
    return new Intl.Locale(canonical).baseName === canonical ? canonical : undefined;
  } catch {
    return undefined;
  }
}
