import { encodeId } from '../src/shared/ids.ts';
import type { ScenarioName } from './options.ts';
import type { BenchRequest } from './servers.ts';
import { type People, size } from './world/people.ts';
import { type SigningKey, signAccessToken } from './world/tokens.ts';

export interface Scenario {
  readonly name: ScenarioName;
  readonly title: string;
  /** Everybody in turn, so that no caller is special and none meets a rate limit. */
  readonly requests: readonly BenchRequest[];
}

/** The requests of a scenario, signed in as every viewer of the world. Good for an hour, the life of a token. */
export async function describeScenario(
  name: ScenarioName,
  people: People,
  key: SigningKey,
): Promise<Scenario> {
  if (name === 'livez') return { name, title: 'GET /livez', requests: [{ path: '/livez', headers: {} }] };
  const video = name === 'video';
  const requests = people.users.slice(0, size.viewers).map(
    async ({ id }, index): Promise<BenchRequest> => ({
      path: video
        ? `/v1/videos/${encodeId('video', people.videos[videoOfViewer(index)]?.id ?? '')}`
        : '/v1/feeds/home',
      headers: {
        'cf-connecting-ip': `10.0.${index >> 8}.${index & 255}`,
        authorization: `Bearer ${await signAccessToken(key, id)}`,
      },
    }),
  );
  return {
    name,
    title: video ? 'GET /v1/videos/{id}' : 'GET /v1/feeds/home',
    requests: await Promise.all(requests),
  };
}

/** Index of the video a viewer looks at. */
export const videoOfViewer = (viewer: number): number => viewer % size.videos;
