import { randomIds } from '../../../src/shared/ids.ts';
import { callJson, sqlRows, type TestUser } from './client.ts';
import { deliver, type SentMessage } from './queues.ts';
import { hookUrl } from './receiver.ts';

export interface EndpointJson {
  readonly id: string;
  readonly url: string;
  readonly event_types: readonly string[] | null;
  readonly description: string;
  readonly enabled: boolean;
  readonly disabled_reason: string | null;
  readonly disabled_at: string | null;
  readonly failing_since: string | null;
  readonly old_secret_expires_at: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface DeliveryJson {
  readonly id: string;
  readonly endpoint_id: string;
  readonly event_id: string;
  readonly type: string;
  readonly state: 'waiting' | 'succeeded' | 'failed';
  readonly failure_reason: string | null;
  readonly attempts: number;
  readonly last_status: number | null;
  readonly last_error: string | null;
  readonly next_attempt_at: string | null;
  readonly created_at: string;
  readonly finished_at: string | null;
}

export interface DeliveryDetailJson extends DeliveryJson {
  readonly payload: Readonly<Record<string, unknown>>;
  readonly attempt_log: readonly {
    readonly started_at: string;
    readonly duration_ms: number;
    readonly status: number | null;
    readonly error: string | null;
    readonly response_excerpt: string;
  }[];
}

export const endpointsPath = '/v1/me/webhook-endpoints';

/** Makes an endpoint through the API. */
export const createEndpoint = (
  user: Pick<TestUser, 'token'>,
  body: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly endpoint: EndpointJson; readonly secret: string }> =>
  callJson(201, 'POST', endpointsPath, { token: user.token, body: { url: hookUrl(), ...body } });

export const getEndpoint = (user: TestUser, id: string): Promise<EndpointJson> =>
  callJson(200, 'GET', `${endpointsPath}/${id}`, { token: user.token });

export const deliveriesOf = async (
  user: Pick<TestUser, 'token'>,
  endpointId: string,
  query = '',
): Promise<DeliveryJson[]> =>
  (
    await callJson<{ data: DeliveryJson[] }>(
      200,
      'GET',
      `${endpointsPath}/${endpointId}/deliveries${query}`,
      {
        token: user.token,
      },
    )
  ).data;

export const deliveryOf = (
  user: Pick<TestUser, 'token'>,
  endpointId: string,
  deliveryId: string,
): Promise<DeliveryDetailJson> =>
  callJson(200, 'GET', `${endpointsPath}/${endpointId}/deliveries/${deliveryId}`, { token: user.token });

/** A message that a video of a user's was deleted: an event that needs no video. */
export const videoDeleted = (user: TestUser, id = randomIds.next()): SentMessage => ({
  queue: 'social-flow-events',
  body: {
    id,
    type: 'video.deleted',
    ...{ occurred_at: '2026-11-26T19:20:21.000Z' },
    data: { video_id: randomIds.next(), owner_id: user.uuid },
  },
});

/** Tells the Worker that a video of a user's was deleted; what that asks for is left to the test. */
export async function emit(user: TestUser, message = videoDeleted(user)): Promise<string> {
  const { retried } = await deliver([message]);
  if (retried > 0) throw new Error('the event was not taken');
  return message.body.id;
}

export const seedVideo = async (user: TestUser, state = 'published'): Promise<string> => {
  const id = randomIds.next();
  await sqlRows(
    `INSERT INTO videos (id, owner_id, title, state, published_at, hls_key, dash_key, failure_code, failure_message)
     VALUES ($1, $2, 'A film', $3, now(), 'media/x.m3u8', 'media/x.mpd',
       CASE WHEN $3 = 'failed' THEN 'no_video' END, CASE WHEN $3 = 'failed' THEN 'There is no picture in it.' END)`,
    [id, user.uuid, state],
  );
  return id;
};
