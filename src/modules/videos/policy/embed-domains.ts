const pattern = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

/** A domain name in lower case, international ones in their ASCII form; undefined for anything else. */
export function normaliseDomain(text: string): string | undefined {
  if (/[\s/?#@:\\%*]/.test(text)) return undefined;
  const url = URL.parse(`https://${text}`);
  const host = url?.hostname ?? '';
  return host.length <= 253 && pattern.test(host) ? host : undefined;
}

/** The host of an origin or address somebody states; undefined when it is none. */
export function hostOf(address: string): string | undefined {
  const url = URL.parse(address);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return undefined;
  return url.hostname === '' ? undefined : url.hostname;
}

/** Whether the player may stand in pages of other sites, some at least. */
export const isEmbeddable = ({ embedMode }: { readonly embedMode: string }): boolean =>
  embedMode !== 'nowhere';

/** The sources of `frame-ancestors` (CSP 3 §6.4.2) that let the player stand where its owner wants it. */
export function frameAncestors(rules: {
  readonly embedMode: 'anywhere' | 'nowhere' | 'listed';
  readonly embedDomains: readonly string[];
}): string {
  if (rules.embedMode === 'anywhere') return '*';
  if (rules.embedMode === 'nowhere') return "'self'";
  return ["'self'", ...rules.embedDomains.flatMap((domain) => [domain, `*.${domain}`])].join(' ');
}
