import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import type { ProviderName } from '../../integrations/oauth/index.ts';

export type FlowPurpose = 'sign_in' | 'link' | 'step_up';

/** The session a flow was begun in, of purposes that need one. */
export interface FlowOwner {
  readonly userId: string;
  readonly sessionId: string;
}

/** Times are RFC 3339, hashes SHA-256 in hex. */
export interface NewFlow {
  readonly id: string;
  readonly provider: ProviderName;
  readonly purpose: FlowPurpose;
  readonly stateHash: string;
  readonly clientChallenge: string;
  readonly returnTo: string;
  readonly owner: FlowOwner | undefined;
  readonly now: string;
  readonly expiresAt: string;
}

/** Remembers that a client set out to a provider. */
export async function insertFlow(db: Db, flow: NewFlow): Promise<void> {
  await db.execute(sql`
    INSERT INTO oauth_flows (id, provider, purpose, state_hash, client_challenge, return_to, user_id, session_id, created_at, expires_at)
    VALUES (${flow.id}::uuid, ${flow.provider}, ${flow.purpose}, decode(${flow.stateHash}, 'hex'), ${flow.clientChallenge},
      ${flow.returnTo}, ${flow.owner?.userId ?? null}::uuid, ${flow.owner?.sessionId ?? null}::uuid,
      ${flow.now}::timestamptz, ${flow.expiresAt}::timestamptz)`);
}

export interface OpenFlow {
  readonly id: string;
  readonly purpose: FlowPurpose;
  readonly returnTo: string;
}

/** A flow that has not come back from its provider yet. */
export async function findOpenFlow(
  db: Db,
  flow: { readonly provider: ProviderName; readonly stateHash: string },
  now: string,
): Promise<OpenFlow | undefined> {
  const result = await db.execute(sql`
    SELECT id, purpose, return_to AS "returnTo" FROM oauth_flows
    WHERE state_hash = decode(${flow.stateHash}, 'hex') AND provider = ${flow.provider} AND returned_at IS NULL
      AND expires_at > ${now}::timestamptz`);
  return result.rows[0] as OpenFlow | undefined;
}

/**
 * Takes a flow back from its provider, once: with a grant and the handoff code of it, or with nothing when it was refused there.
 * False when it came back before.
 */
export async function markReturned(
  db: Db,
  flowId: string,
  returned:
    | { readonly handoffHash: string; readonly handoffExpiresAt: string; readonly sealedGrant: string }
    | undefined,
  now: string,
): Promise<boolean> {
  const result = await db.execute(sql`
    UPDATE oauth_flows SET returned_at = ${now}::timestamptz, handoff_hash = decode(${returned?.handoffHash ?? null}, 'hex'),
      handoff_expires_at = ${returned?.handoffExpiresAt ?? null}::timestamptz,
      sealed_grant = decode(${returned?.sealedGrant ?? null}, 'hex')
    WHERE id = ${flowId}::uuid AND returned_at IS NULL AND expires_at > ${now}::timestamptz
    RETURNING id`);
  return result.rows.length > 0;
}

export interface TakenFlow {
  readonly id: string;
  readonly provider: ProviderName;
  /** In hex. */
  readonly sealedGrant: string;
}

/**
 * Uses a handoff code up: for the client that began the flow, in the session it was begun in, for what it was begun for. Of
 * concurrent uses one gets the flow.
 */
export async function takeHandoff(
  db: Db,
  handoff: {
    readonly hash: string;
    readonly purpose: FlowPurpose;
    readonly clientChallenge: string;
    readonly owner: FlowOwner | undefined;
  },
  now: string,
): Promise<TakenFlow | undefined> {
  const result = await db.execute(sql`
    WITH held AS (
      SELECT id, sealed_grant FROM oauth_flows
      WHERE handoff_hash = decode(${handoff.hash}, 'hex') AND purpose = ${handoff.purpose} AND completed_at IS NULL
        AND handoff_expires_at > ${now}::timestamptz AND client_challenge = ${handoff.clientChallenge}
        AND user_id IS NOT DISTINCT FROM ${handoff.owner?.userId ?? null}::uuid
        AND session_id IS NOT DISTINCT FROM ${handoff.owner?.sessionId ?? null}::uuid
      FOR UPDATE
    )
    UPDATE oauth_flows SET completed_at = ${now}::timestamptz, sealed_grant = NULL
    FROM held WHERE oauth_flows.id = held.id AND oauth_flows.completed_at IS NULL
    RETURNING oauth_flows.id, oauth_flows.provider, encode(held.sealed_grant, 'hex') AS "sealedGrant"`);
  return result.rows[0] as TakenFlow | undefined;
}

/** Keeps who came back until they chose a username. */
export async function keepForRegistration(
  db: Db,
  flowId: string,
  pending: { readonly hash: string; readonly sealedProfile: string; readonly expiresAt: string },
): Promise<void> {
  await db.execute(sql`
    UPDATE oauth_flows SET registration_hash = decode(${pending.hash}, 'hex'),
      registration_expires_at = ${pending.expiresAt}::timestamptz, sealed_profile = decode(${pending.sealedProfile}, 'hex'),
      expires_at = greatest(expires_at, ${pending.expiresAt}::timestamptz)
    WHERE id = ${flowId}::uuid`);
}

export interface PendingRegistration {
  readonly flowId: string;
  readonly provider: ProviderName;
  /** In hex. */
  readonly sealedProfile: string;
}

/** Somebody who came back and has no account yet. */
export async function findRegistration(
  db: Db,
  hash: string,
  now: string,
): Promise<PendingRegistration | undefined> {
  const result = await db.execute(sql`
    SELECT id AS "flowId", provider, encode(sealed_profile, 'hex') AS "sealedProfile" FROM oauth_flows
    WHERE registration_hash = decode(${hash}, 'hex') AND registered_at IS NULL
      AND registration_expires_at > ${now}::timestamptz`);
  return result.rows[0] as PendingRegistration | undefined;
}
