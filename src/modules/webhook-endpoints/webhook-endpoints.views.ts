import type { z } from '@hono/zod-openapi';
import { encodeId } from '../../shared/ids.ts';
import type { deliveryDetailSchema, deliverySchema } from './deliveries.schemas.ts';
import type { endpointSchema } from './webhook-endpoints.schemas.ts';

/** What a repository must select of an endpoint. Times are RFC 3339 in UTC. */
export interface EndpointRow {
  readonly id: string;
  readonly url: string;
  readonly eventTypes: readonly string[];
  readonly description: string;
  readonly enabled: boolean;
  readonly disabledReason: 'owner' | 'gone' | 'failing' | null;
  readonly disabledAt: string | null;
  readonly failingSince: string | null;
  readonly oldSecretExpiresAt: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface DeliveryRow {
  readonly id: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly type: string;
  readonly state: 'waiting' | 'succeeded' | 'failed';
  readonly failureReason: 'exhausted' | 'endpoint_disabled' | 'gone' | null;
  readonly attempts: number;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly dueAt: string | null;
  readonly createdAt: string;
  readonly finishedAt: string | null;
}

export interface DeliveryDetailRow extends DeliveryRow {
  readonly body: string;
  readonly attemptLog: readonly {
    readonly startedAt: string;
    readonly durationMs: number;
    readonly status: number | null;
    readonly error: string | null;
    readonly responseExcerpt: string;
  }[];
}

/** `oldSecretExpiresAt` is shown only while that is still to come. */
export const presentEndpoint = (row: EndpointRow, nowMs: number): z.infer<typeof endpointSchema> => ({
  id: encodeId('webhookEndpoint', row.id),
  url: row.url,
  event_types: row.eventTypes.length === 0 ? null : [...row.eventTypes],
  description: row.description,
  enabled: row.enabled,
  disabled_reason: row.disabledReason,
  disabled_at: row.disabledAt,
  failing_since: row.failingSince,
  old_secret_expires_at:
    row.oldSecretExpiresAt !== null && Date.parse(row.oldSecretExpiresAt) > nowMs
      ? row.oldSecretExpiresAt
      : null,
  created_at: row.createdAt,
  updated_at: row.updatedAt,
});

export const presentDelivery = (row: DeliveryRow): z.infer<typeof deliverySchema> => ({
  id: encodeId('webhookDelivery', row.id),
  endpoint_id: encodeId('webhookEndpoint', row.endpointId),
  event_id: encodeId('event', row.eventId),
  type: row.type,
  state: row.state,
  failure_reason: row.failureReason,
  attempts: row.attempts,
  last_status: row.lastStatus,
  last_error: row.lastError,
  next_attempt_at: row.dueAt,
  created_at: row.createdAt,
  finished_at: row.finishedAt,
});

export const presentDeliveryDetail = (row: DeliveryDetailRow): z.infer<typeof deliveryDetailSchema> => ({
  ...presentDelivery(row),
  payload: JSON.parse(row.body) as Record<string, unknown>,
  attempt_log: row.attemptLog.map((attempt) => ({
    started_at: attempt.startedAt,
    duration_ms: attempt.durationMs,
    status: attempt.status,
    error: attempt.error,
    response_excerpt: attempt.responseExcerpt,
  })),
});
