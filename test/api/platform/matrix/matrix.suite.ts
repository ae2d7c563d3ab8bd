import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createApp } from '../../../../src/app.ts';
import { isOpenToKeys } from '../../../../src/http/access.ts';
import { type DeclaredRoute, policySymbol } from '../../../../src/http/route.ts';
import { type RoutePolicy, routePolicies } from '../../../../src/http/route-policies.ts';
import { encodeId, randomIds } from '../../../../src/shared/ids.ts';
import { call, type TestUser } from '../../../support/worker/client.ts';
import { seedStaff } from '../../admin/staff.ts';
import { type Caller, type CallerKind, callerKinds, expectationOf, makeCaller } from './callers.ts';
import { contentOfTables } from './database.ts';
import {
  adviceFor,
  alreadySo,
  bodies,
  byToken,
  fillPath,
  makers,
  parametersOf,
  sockets,
  words,
} from './things.ts';

const app = createApp();

interface Route {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly operationId: string;
  readonly policy: RoutePolicy;
  readonly takesBody: boolean;
}

const takesJson = (body: object | undefined): boolean =>
  body !== undefined && 'content' in body && Object.hasOwn(body.content as object, 'application/json');

const takingBody = new Set(
  app.openAPIRegistry.definitions.flatMap((definition) =>
    definition.type === 'route' && takesJson(definition.route.request?.body)
      ? [definition.route.operationId]
      : [],
  ),
);

const allRoutes: Route[] = app.routes.flatMap(({ handler, method, path }) => {
  const marked = (handler as { [policySymbol]?: DeclaredRoute })[policySymbol];
  if (marked === undefined) return [];
  const { operationId, policy } = marked;
  const name = `${method} ${path}`;
  return [{ name, method, path, operationId, policy, takesBody: takingBody.has(operationId) }];
});
const named = (some: readonly Route[]) => some.map((route) => [route.name, route] as const);

// What the gate in front of every route refuses with. A route may refuse too, but in words of its own.
const gateCodes = new Set([
  'auth.unauthenticated',
  'auth.forbidden',
  'auth.insufficient_scope',
  'auth.api_key_refused',
  'auth.step_up_required',
  'admin.second_factor_required',
]);

const send = (route: Route, path: string, token: string | undefined, body?: unknown): Promise<Response> =>
  call(route.method, path, {
    token,
    ...(route.takesBody ? { body: body ?? bodies[route.operationId] ?? {} } : {}),
    ...(sockets.has(route.operationId) ? { headers: { upgrade: 'websocket' } } : {}),
  });

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly body: unknown;
}

async function answerOf(response: Response): Promise<Answer> {
  response.webSocket?.accept();
  response.webSocket?.close(1000);
  // What goes on for ever is not waited for.
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (isStream) await response.body?.cancel();
  const text = response.status === 101 || isStream ? '' : await response.text();
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') === true;
  const body: Record<string, unknown> | undefined = isProblem ? JSON.parse(text) : undefined;
  const { request_id: _, ...problem } = body ?? {};
  return { status: response.status, code: body?.code as string | undefined, body: problem };
}

const sendAs = async (route: Route, path: string, token: string | undefined): Promise<Answer> =>
  answerOf(await send(route, path, token));

/** Whether the gate let a request through; what the route itself says then is its own affair. */
const passed = ({ status, code }: Answer): boolean =>
  !(code !== undefined && gateCodes.has(code)) && (status < 500 || status === 503);

const refusedCallers = new Map<string, Promise<Caller>>();

// Refused requests change nothing, so one caller of a kind serves all of them; keys are told apart by their scopes.
function refusedCaller(kind: CallerKind, policy: RoutePolicy): Promise<Caller> {
  const key = kind.startsWith('key') ? `${kind}:${isOpenToKeys(policy) ? policy.scope : ''}` : kind;
  const known = refusedCallers.get(key) ?? makeCaller(kind, policy);
  refusedCallers.set(key, known);
  return known;
}

/**
 * Tries every `count`th route, from the `first` on, with every kind of caller. In shares, since each request is held against all
 * of the tables, which grow with the callers made.
 */
export function tryRoutes(first: number, count: number): void {
  // Each test is some dozen requests.
  vi.setConfig({ testTimeout: 180_000 });
  const routes = allRoutes.filter((_, index) => index % count === first);
  const namingThings = routes.filter(({ path }) =>
    parametersOf(path).some((name) => makers[name] !== undefined),
  );

  let bystander: TestUser;
  beforeAll(async () => {
    bystander = await seedStaff();
  });

  describe('the table of policies', () => {
    it('has an entry for every route, and a route for every entry', () => {
      expect([...new Set(allRoutes.map(({ operationId }) => operationId))].toSorted()).toEqual(
        Object.keys(routePolicies).toSorted(),
      );
    });

    it.each(named(routes))('can be tried out: %s', (_, { path, operationId, policy, takesBody }) => {
      for (const parameter of parametersOf(path))
        expect(
          makers[parameter] !== undefined || words[parameter] !== undefined,
          adviceFor(parameter, path),
        ).toBe(true);
      const namesThings = parametersOf(path).some((parameter) => makers[parameter] !== undefined);
      expect(
        policy.ids !== undefined,
        `${operationId}: \`ids\` in src/http/route-policies.ts must say whose things its path names, if it names any`,
      ).toBe(namesThings);
      if (namesThings && takesBody)
        expect(
          bodies[operationId],
          `${operationId} takes ids and a body: add a valid body to \`bodies\` in test/api/platform/matrix/things.ts`,
        ).toBeDefined();
    });

    it.each(named(routes))('does not contradict itself about %s', (_, { policy }) => {
      const { access, scope, sensitive, stepUp, roles } = policy;
      if (scope !== undefined) expect({ sensitive, stepUp, roles }, 'no key may do that').toEqual({});
      if (access.kind !== 'user')
        expect({ sensitive, stepUp, roles }, 'only accounts have sessions and roles').toEqual({});
      if (roles !== undefined) expect(stepUp, 'staff must have logged in recently').toBe(true);
    });
  });

  describe('every caller of', () => {
    it.each(named(routes))('%s gets what the table says', async (_, route) => {
      const { policy } = route;
      const path = await fillPath(route.path, ({ make }) => make(bystander));
      const refused = callerKinds.flatMap((kind) => {
        const expectation = expectationOf(policy, kind);
        return expectation === 'let through' ? [] : [{ kind, expectation }];
      });
      const callers = [];
      for (const { kind } of refused) callers.push(await refusedCaller(kind, policy));
      const before = await contentOfTables();
      const answers = await Promise.all(callers.map(({ token }) => sendAs(route, path, token)));
      expect(
        answers.map(({ status, code }, index) => ({ kind: refused[index]?.kind, status, code })),
      ).toEqual(refused.map(({ kind, expectation }) => ({ kind, ...expectation })));
      expect(await contentOfTables(), 'a refused request wrote something').toEqual(before);

      const missing = await fillPath(route.path, async (maker) => maker.missing());
      for (const kind of callerKinds) {
        if (expectationOf(policy, kind) !== 'let through') continue;
        const caller = await makeCaller(kind, policy);
        const answer = await sendAs(route, missing, caller.token);
        expect(passed(answer), `${kind}: ${JSON.stringify(answer)}`).toBe(true);
      }
    });
  });

  describe('what belongs to somebody', () => {
    const own = namingThings.filter(({ policy }) => policy.ids === 'own');

    it.each(named(own))('is found by %s for its owner and nobody else', async (_, route) => {
      // With a second factor shown, since making a passkey makes one needed.
      const owner = await seedStaff();
      const path = await fillPath(route.path, ({ make }) => make(owner));
      const missing = await fillPath(route.path, async (maker) => maker.missing());
      const strangers: CallerKind[] = ['user', 'moderator', 'admin'];
      if (isOpenToKeys(route.policy)) strangers.push('key with only the scope');
      for (const kind of strangers) {
        const { token } = await makeCaller(kind, route.policy);
        const before = await contentOfTables();
        const nothing = await sendAs(route, missing, token);
        const theirs = await sendAs(route, path, token);
        expect(nothing.status, kind).toBe(404);
        expect(theirs, `${kind} can tell that it exists`).toEqual(nothing);
        expect(await contentOfTables(), `${kind} changed something`).toEqual(before);
      }
      const mine = await sendAs(route, path, owner.token);
      expect(mine.status, JSON.stringify(mine)).not.toBe(404);
      expect(passed(mine), JSON.stringify(mine)).toBe(true);
    });
  });

  describe('what is open', () => {
    const any = namingThings.filter(({ policy }) => policy.ids === 'any');
    const kindFor = ({ policy }: Route): CallerKind => (policy.roles === undefined ? 'user' : 'admin');

    it.each(named(any))('is found by %s, and what does not exist is not', async (_, route) => {
      const { token } = await makeCaller(kindFor(route), route.policy);
      const path = await fillPath(route.path, ({ make }) => make(bystander));
      const found = await sendAs(route, path, token);
      expect(found.status, JSON.stringify(found)).not.toBe(404);
      expect(passed(found), JSON.stringify(found)).toBe(true);
      const missing = await fillPath(route.path, async (maker) => maker.missing());
      const before = await contentOfTables();
      const nothing = await sendAs(route, missing, token);
      if (byToken.has(route.operationId)) expect(nothing).toMatchObject({ status: 403, code: found.code });
      else if (alreadySo.has(route.operationId)) expect(nothing.status).toBe(204);
      else expect(nothing.status, JSON.stringify(nothing)).toBe(404);
      expect(await contentOfTables()).toEqual(before);
    });

    // What staff look at may be hidden from everybody else.
    const hiding = any.filter(
      ({ path, policy }) =>
        policy.roles === undefined && parametersOf(path).some((name) => makers[name]?.hidden !== undefined),
    );

    it.each(named(hiding))('does not tell %s of what is hidden', async (_, route) => {
      const owner = await seedStaff();
      const path = await fillPath(route.path, ({ hidden, make }) => (hidden ?? make)(owner));
      const missing = await fillPath(route.path, async (maker) => maker.missing());
      const { token } = await makeCaller(kindFor(route), route.policy);
      const nothing = await sendAs(route, missing, token);
      expect(nothing.status).toBe(byToken.has(route.operationId) ? 403 : 404);
      expect(await sendAs(route, path, token)).toEqual(nothing);
      // Where no token is read, owners are strangers, too.
      if (route.policy.access.kind !== 'public')
        expect((await sendAs(route, path, owner.token)).status).not.toBe(404);
    });
  });

  describe('a field that is nobody’s to set', () => {
    const stray = {
      id: encodeId('user', randomIds.next()),
      status: 'active',
      roles: ['admin'],
      is_admin: true,
    };
    // Asked about, not set.
    const filtersOf: Readonly<Record<string, readonly string[]>> = { searchUsers: ['/id', '/status'] };
    const taking = routes.filter(({ takesBody, policy }) => takesBody && policy.access.kind !== 'webhook');

    it.each(named(taking))('is refused by %s', async (_, route) => {
      const kind = route.policy.roles === undefined ? 'user' : 'admin';
      const { token } = await makeCaller(kind, route.policy);
      const path = await fillPath(route.path, async (maker) => maker.missing());
      const before = await contentOfTables();
      const response = await send(route, path, route.policy.access.kind === 'public' ? undefined : token, {
        ...(bodies[route.operationId] as object | undefined),
        ...stray,
      });
      const problem = (await response.json()) as { errors?: { pointer: string; code: string }[] };
      expect(response.status, JSON.stringify(problem)).toBe(422);
      const unknown = (problem.errors ?? []).filter(({ code }) => code === 'unknown_field');
      expect(unknown.map(({ pointer }) => pointer).toSorted()).toEqual(
        ['/id', '/is_admin', '/roles', '/status'].filter(
          (pointer) => !filtersOf[route.operationId]?.includes(pointer),
        ),
      );
      expect(await contentOfTables()).toEqual(before);
    });
  });
}
