import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import { importJWK, jwtVerify } from 'jose';
import pg from 'pg';
import { parseSlotMap, slotOf } from '../../src/db/slots.ts';
import { decodeId } from '../../src/shared/ids.ts';
import { type ReplayStatement, replayValues } from '../replay.ts';
import { serveNode } from './node-adapter.ts';
import { type PostRow, postPage, type VideoRow, videoPage } from './pages.ts';
import type { PeerSpec } from './spec.ts';

// The same three endpoints as a small Node service would have them: Hono, pg over TCP, jose. It sends the very statements
// our Worker was seen to send, and answers with the same bytes (the bench compares them), without what our Worker adds:
// validation by schema, request log, trace context, problem documents, security headers.
const spec = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as PeerSpec;
const key = await importJWK(spec.publicJwk, 'EdDSA');
const pool = (connectionString: string): pg.Pool => new pg.Pool({ connectionString, max: spec.poolSize });
const replica = pool(spec.replicaUrl);
const shards = spec.shardUrls.map(pool);
const shardBySlot = parseSlotMap(spec.slotMap, shards.length);

const authenticate = createMiddleware<{ Variables: { viewer: string } }>(async (c, next) => {
  const token = /^Bearer (\S+)$/.exec(c.req.header('authorization') ?? '')?.[1];
  if (token === undefined) return c.json({ title: 'Unauthenticated' }, 401);
  const { payload } = await jwtVerify(token, key, {
    algorithms: ['EdDSA'],
    typ: 'at+jwt',
    issuer: spec.issuer,
    audience: spec.audience,
  });
  const viewer = decodeId('user', payload.sub ?? '');
  if (viewer === undefined) return c.json({ title: 'Unauthenticated' }, 401);
  c.set('viewer', viewer);
  return next();
});

async function rowsOf<T>(
  database: pg.Pool | undefined,
  statement: ReplayStatement | undefined,
  subject: Parameters<typeof replayValues>[1],
): Promise<T[]> {
  if (database === undefined || statement === undefined)
    throw new RangeError('this endpoint was not recorded');
  const { rows } = await database.query(statement.text, replayValues(statement, subject));
  return rows as T[];
}

const app = new Hono();

app.get('/livez', (c) => c.json({ status: 'ok', release: spec.release }));

app.get('/v1/videos/:video_id', authenticate, async (c) => {
  const video = decodeId('video', c.req.param('video_id'));
  if (video === undefined) return c.json({ title: 'Not found' }, 404);
  const subject = { viewer: c.var.viewer, video };
  const [row] = await rowsOf<VideoRow>(replica, spec.statements.video, subject);
  return row === undefined ? c.json({ title: 'Not found' }, 404) : c.json(videoPage(row, spec.cdnBaseUrl));
});

app.get('/v1/feeds/home', authenticate, async (c) => {
  const { viewer } = c.var;
  const { timeline, posts } = spec.statements;
  const shard = shards[shardBySlot[slotOf(viewer)] ?? 0];
  const entries = await rowsOf<{ readonly id: string }>(shard, timeline, { viewer });
  const skeleton = entries.map(({ id }) => id);
  const rows = await rowsOf<PostRow>(replica, posts, { viewer, skeleton });
  return c.json(postPage(rows, { viewer, cdnBaseUrl: spec.cdnBaseUrl, cursorSecret: spec.cursorSecret }));
});

const server = await serveNode(app);
process.once('disconnect', () => process.exit(0));
process.send?.({ port: (server.address() as AddressInfo).port });
