import { describe, expect, it } from 'vitest';
import { isOpenToKeys, nobody } from '../../../src/http/access.ts';
import { apiKeyScopes, roles } from '../../../src/http/roles.ts';
import { policyOfOperation, type RoutePolicy } from '../../../src/http/route-policies.ts';
import { httpApp, httpContext, send } from '../../support/worker/http-app.ts';

describe('a route nobody wrote a policy for', () => {
  it('has none, whatever it is called', () => {
    for (const operationId of ['newRoute', 'toString', '__proto__', 'constructor', ''])
      expect(policyOfOperation(operationId)).toBeUndefined();
  });

  it('answers 403 to everybody', async () => {
    for (const scopes of [[], [...roles], [...apiKeyScopes]]) {
      const app = httpApp(() =>
        httpContext({
          actor: { kind: 'user', userId: 'u', sessionId: 's', scopes, amr: ['pwd'], authTime: 0, epoch: 0 },
        }),
      );
      app.get('/new', nobody(), (c) => c.text('reached'));
      const response = await send(app, '/new');
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({ code: 'auth.forbidden' });
    }
  });
});

describe('API keys', () => {
  const policy: RoutePolicy = { access: { kind: 'user' }, scope: 'posts:read', limit: 'read' };

  it('may call what names a scope and asks for nothing only a person has', () => {
    expect(isOpenToKeys(policy)).toBe(true);
    expect(isOpenToKeys({ access: { kind: 'user' }, limit: 'read' })).toBe(false);
    expect(isOpenToKeys({ ...policy, sensitive: true })).toBe(false);
    expect(isOpenToKeys({ ...policy, stepUp: true })).toBe(false);
    expect(isOpenToKeys({ ...policy, roles: ['user'] })).toBe(false);
  });
});
