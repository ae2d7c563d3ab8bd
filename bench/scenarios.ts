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

/** The measured requests, signed in as every viewer of the world. */
export async function describeScenarios(people: People, key: SigningKey): Promise<Scenario[]> {
  const viewers = await Promise.all(
    people.users.slice(0, size.viewers).map(async ({ id }, index) => ({
      'cf-connecting-ip': `10.0.${index >> 8}.${index & 255}`,
      authorization: `Bearer ${await signAccessToken(key, id)}`,
    })),
  );
  const requests = (pathOf: (index: number) => string): BenchRequest[] =>
    viewers.map((headers, index) => ({ path: pathOf(index), headers }));
  const videoPath = (index: number): string =>
    `/v1/videos/${encodeId('video', people.videos[videoOfViewer(index)]?.id ?? '')}`;
  return [
    { name: 'livez', title: 'GET /livez', requests: [{ path: '/livez', headers: {} }] },
    { name: 'video', title: 'GET /v1/videos/{id}', requests: requests(videoPath) },
    { name: 'feed', title: 'GET /v1/feeds/home', requests: requests(() => '/v1/feeds/home') },
  ];
}

/** Index of the video a viewer looks at: one whose owner and they do not block each other. */
export const videoOfViewer = (viewer: number): number => viewer % size.videos;
