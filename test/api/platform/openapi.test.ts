import { describe, expect, it } from 'vitest';
import { call, callJson } from '../../support/worker/client.ts';

interface Operation {
  readonly operationId: string;
  readonly security?: readonly Record<string, unknown>[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Record<string, unknown>;
    readonly securitySchemes: Record<string, unknown>;
  };
}

describe('/openapi.json', () => {
  it('is an OpenAPI 3.1 document of every operation', async () => {
    const document = await callJson<Document>(200, 'GET', '/openapi.json');
    expect(document.openapi).toBe('3.1.0');
    expect(document.components.securitySchemes).toHaveProperty('bearer');
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    expect(operations.length).toBeGreaterThan(20);
    for (const operation of operations) {
      expect(operation.security, operation.operationId).toBeDefined();
      for (const [status, response] of Object.entries(operation.responses))
        if (Number(status) >= 400 && operation.operationId !== 'getReadiness')
          // A person sees the player's page in a frame, and so its refusals; what every route may answer stays a problem.
          expect(Object.keys(response.content ?? {}), `${operation.operationId} ${status}`).toEqual([
            operation.operationId === 'showEmbedPage' && ['403', '404'].includes(status)
              ? 'text/html'
              : 'application/problem+json',
          ]);
    }
  });

  it('resolves every reference it makes', async () => {
    const document = await callJson<Document>(200, 'GET', '/openapi.json');
    const references = [
      ...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g),
    ].map((match) => match[1]);
    expect(references.length).toBeGreaterThan(0);
    for (const name of references) expect(document.components.schemas).toHaveProperty([String(name)]);
  });
});

it('the reference page loads nothing from elsewhere', async () => {
  const page = await call('GET', '/docs');
  expect(page.status).toBe(200);
  const html = await page.text();
  const addresses = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
  expect(addresses.length).toBeGreaterThan(2);
  for (const address of addresses) {
    expect(address).toMatch(/^\/docs\//);
    expect((await call('GET', address)).status, address).toBe(200);
  }
  expect(page.headers.get('content-security-policy')).not.toContain('http');
});
