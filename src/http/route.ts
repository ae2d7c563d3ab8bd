import { createRoute, OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi';
import { enforceAccess, isOpenToKeys, nobody } from './access.ts';
import { auditedGate } from './denials.ts';
import type { AppEnv, AppMiddleware } from './env.ts';
import { idempotent } from './idempotency.ts';
import { edgeGate, fareOf, rateLimit } from './rate-limit.ts';
import { type OperationId, policyOfOperation, type RoutePolicy } from './route-policies.ts';
import { requireStepUp } from './step-up.ts';
import { rejectInvalid } from './validate.ts';

/** Marks the middleware of a declared route, so that a test can walk the router and find routes nobody declared. */
export const policySymbol = Symbol('route policy');

/** What stands under `policySymbol`. */
export interface DeclaredRoute {
  readonly operationId: OperationId;
  readonly policy: RoutePolicy;
}

type Declared = Omit<RouteConfig, 'middleware' | 'security'>;

/**
 * Declares a route: its OpenAPI operation, and the chain that enforces its policy (see route-policies.ts), in this order:
 * edge gate, access, rate limit, step-up, idempotency, then the validators of its schemas.
 */
export function defineRoute<
  const P extends string,
  const R extends Declared & { path: P; operationId: OperationId },
>(config: R) {
  const policy = policyOfOperation(config.operationId);
  const chain = policy === undefined ? [nobody()] : chainOf(config.operationId, policy);
  const first = chain[0];
  if (first !== undefined && policy !== undefined)
    Object.assign(first, {
      [policySymbol]: { operationId: config.operationId, policy } satisfies DeclaredRoute,
    });
  const kind = policy?.access.kind;
  const security = kind === 'user' ? credentials : kind === 'optional' ? [{}, ...credentials] : [];
  return createRoute({
    ...config,
    middleware: chain,
    security,
    'x-rate-limit': policy?.limit,
    'x-rate-limit-cost': policy === undefined ? undefined : fareOf(policy)?.points,
    'x-api-key-scope': policy === undefined || !isOpenToKeys(policy) ? undefined : policy.scope,
  } as R & {
    middleware: AppMiddleware[];
  });
}

const credentials = [{ bearer: [] }, { cookie: [] }];

function chainOf(operationId: OperationId, policy: RoutePolicy): AppMiddleware[] {
  const audited = (gate: AppMiddleware) => auditedGate(gate, operationId, policy);
  const chain = policy.limit === 'none' ? [] : [edgeGate()];
  chain.push(audited(enforceAccess(policy)));
  const fare = fareOf(policy);
  if (fare !== undefined) chain.push(rateLimit(fare));
  if (policy.stepUp === true)
    chain.push(audited(requireStepUp({ secondFactor: policy.roles !== undefined })));
  if (policy.idempotent === true) chain.push(idempotent());
  return chain;
}

/** A router whose validation failures are problem+json. Modules mount one each. */
export const createRouter = (): OpenAPIHono<AppEnv> =>
  new OpenAPIHono<AppEnv>({ defaultHook: rejectInvalid });

const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    code: z.string(),
    request_id: z.string(),
    'violated-policies': z.array(z.string()).optional(),
    challenge: z.object({ provider: z.string(), site_key: z.string(), action: z.string() }).optional(),
    errors: z.array(z.object({ pointer: z.string(), code: z.string(), message: z.string() })).optional(),
  })
  .openapi('Problem');

const problemContent = { 'application/problem+json': { schema: problemSchema } };

const problemDescriptions: Record<number, string> = {
  400: 'Malformed JSON, parameters or cursor',
  401: 'No valid access token',
  403: 'Not allowed for this account',
  404: 'Not found',
  409: 'Conflicts with the current state',
  413: 'Body too large',
  415: 'Body is not JSON',
  422: 'A field is not valid',
  426: 'Not a WebSocket handshake',
  429: 'Rate limit exceeded',
  502: 'An outside system answered what cannot be used',
  503: 'A dependency is not reachable',
};

type ProblemStatus = 400 | 401 | 403 | 404 | 409 | 413 | 415 | 422 | 426 | 429 | 502 | 503;

/** The problem+json answers of a route, for its `responses`. Rate limiting and unreachable dependencies are added to all. */
export function problems(...statuses: ProblemStatus[]) {
  const responses: Record<string, { description: string; content: typeof problemContent }> = {};
  for (const status of [...statuses, 429, 503])
    responses[status] = { description: problemDescriptions[status] ?? 'Failure', content: problemContent };
  return responses;
}

/** A JSON answer, for a route's `responses`. */
export const jsonResponse = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

/** A JSON body that may be left out, for a route's `request`. */
export const optionalJsonBody = <S extends z.ZodType>(schema: S) => ({
  body: { required: false, content: { 'application/json': { schema } } },
});

/** A required JSON body, for a route's `request`. */
export const jsonBody = <S extends z.ZodType>(schema: S) => ({
  body: { required: true, content: { 'application/json': { schema } } },
});
