import { type Provisioned, withClient } from '../local-cloud/postgres/index.ts';
import type { ScenarioName } from './options.ts';
import type { PeerSpec } from './peers/spec.ts';
import { serveApp, type Workshop } from './peers.ts';
import { type RecordedStatement, startRecorder } from './record.ts';
import { type RecordedSubject, type ReplayStatement, replayOf } from './replay.ts';
import { type Scenario, videoOfViewer } from './scenarios.ts';
import { bodyOf } from './servers.ts';
import type { Settings } from './settings.ts';
import type { People } from './world/people.ts';

export interface Recording {
  readonly statements: PeerSpec['statements'];
  /** A body of each scenario, for the bare Worker. */
  readonly bodies: Readonly<Partial<Record<ScenarioName, string>>>;
}

/** The recorded viewer: any but the first, whose request wakes the isolate. */
const subjectIndex = 1;

/** Calls each endpoint of our Worker and notes which statements it sends, so that the peer cannot drift from it. */
export async function recordEndpoints(
  workshop: Workshop,
  bundle: string,
  settings: Settings,
  world: { readonly bridgeUrl: string; readonly urls: Provisioned; readonly people: People },
  scenarios: readonly Scenario[],
): Promise<Recording> {
  const recorder = await startRecorder(world.bridgeUrl, workshop.cleanup);
  const app = await serveApp(workshop, 'recorded', bundle, { ...settings, NEON_PROXY_URL: recorder.url });
  const { users, videos } = world.people;
  const subject: RecordedSubject = {
    viewer: users[subjectIndex]?.id ?? '',
    video: videos[videoOfViewer(subjectIndex)]?.id ?? '',
  };
  const bodies: Partial<Record<ScenarioName, string>> = {};
  let statements: PeerSpec['statements'] = {};
  for (const { name, requests } of scenarios) {
    const [first, request = first] = requests;
    if (first === undefined || request === undefined) throw new RangeError(`${name} has no requests`);
    await bodyOf(app, first);
    recorder.take();
    bodies[name] = await bodyOf(app, request);
    statements = { ...statements, ...(await replayed(name, recorder.take(), subject, world.urls)) };
  }
  await app.stop();
  return { statements, bodies };
}

async function replayed(
  scenario: ScenarioName,
  recorded: readonly RecordedStatement[],
  subject: RecordedSubject,
  urls: Provisioned,
): Promise<PeerSpec['statements']> {
  const [first, second] = recorded;
  const expect = (count: number): void => {
    if (recorded.length !== count)
      throw new Error(`${scenario} sends ${recorded.length} statements; the peer is made for ${count}`);
  };
  switch (scenario) {
    case 'livez':
      expect(0);
      return {};
    case 'video':
      expect(1);
      return { video: fromReplica(first, subject, urls) };
    default: {
      expect(2);
      if (first === undefined) return {};
      const shard = urls.shards.find(({ app }) => isConnection(first, app));
      if (shard === undefined) throw new Error(`the timeline was read from ${first.connection}, not a shard`);
      const skeleton = await withClient(shard.app, async (client) => {
        const { rows } = await client.query<{ id: string }>(first.text, [...first.params]);
        return rows.map(({ id }) => id);
      });
      return {
        timeline: replayOf(first, subject),
        posts: fromReplica(second, { ...subject, skeleton }, urls),
      };
    }
  }
}

function fromReplica(
  statement: RecordedStatement | undefined,
  subject: RecordedSubject,
  urls: Provisioned,
): ReplayStatement {
  if (statement === undefined || !isConnection(statement, urls.primary.replica))
    throw new Error(`expected a statement on the replica, got one on ${statement?.connection}`);
  return replayOf(statement, subject);
}

function isConnection({ connection }: RecordedStatement, url: string): boolean {
  const { username, pathname } = new URL(url.replace(/^postgres(ql)?:/, 'http:'));
  return connection === `${decodeURIComponent(username)}${pathname}`;
}
