import type { Hono, NotFoundHandler } from 'hono';
import type { AppEnv } from './env.ts';
import { methodNotAllowed } from './errors.ts';

/** Answers 405 with `Allow` when the address exists under other methods (RFC 9110 §15.5.6), else falls through to 404. */
export function rejectWrongMethod(
  app: Hono<AppEnv>,
  otherwise: NotFoundHandler<AppEnv>,
): NotFoundHandler<AppEnv> {
  let templates: { readonly method: string; readonly pattern: RegExp }[] | undefined;
  return (c) => {
    templates ??= app.routes
      .filter((route) => route.method !== 'ALL')
      .map((route) => ({ method: route.method, pattern: patternOf(route.path) }));
    const methods = new Set(
      templates.filter(({ pattern }) => pattern.test(c.req.path)).map(({ method }) => method),
    );
    if (methods.has('GET')) methods.add('HEAD');
    if (methods.size === 0 || methods.has(c.req.method)) return otherwise(c);
    throw methodNotAllowed({ headers: { allow: [...methods].sort().join(', ') } });
  };
}

const patternOf = (path: string): RegExp => {
  const source = path
    .split('/')
    .map((segment) =>
      segment.startsWith(':')
        ? '[^/]+'
        : segment === '*'
          ? '.*'
          : segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
    )
    .join('/');
  return new RegExp(`^${source}$`);
};
