import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type InboxMessage,
  startWebhookInbox,
  type WebhookInbox,
} from '../../../local-cloud/webhook-inbox/server.ts';

let inbox: WebhookInbox;
beforeAll(async () => {
  inbox = await startWebhookInbox({ port: 0 });
});
afterAll(() => inbox.close());

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${inbox.url}${path}`, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const messagesAt = async (path: string): Promise<InboxMessage[]> => {
  const answer = await fetch(`${inbox.url}/api/messages?path=${encodeURIComponent(path)}`);
  return ((await answer.json()) as { messages: InboxMessage[] }).messages;
};
const signed = (secret: string, body: string, at = new Date()) => ({
  'webhook-id': 'evt_1',
  'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
  'webhook-signature': new Webhook(secret).sign('evt_1', at, body),
});
const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

describe('the inbox for webhooks', () => {
  it('keeps what arrives and shows it, as text and not as markup', async () => {
    expect((await post('/in/a', '<script>alert(1)</script>', { 'webhook-id': 'evt_1' })).status).toBe(204);
    expect(await messagesAt('/in/a')).toMatchObject([
      { path: '/in/a', body: '<script>alert(1)</script>', status: 204, verified: null },
    ]);
    const page = await (await fetch(inbox.url)).text();
    expect(page).toContain('/in/a');
    expect(page).not.toContain('<script>');
  });

  it('says whether a signature holds', async () => {
    const secret = newSecret();
    await post('/api/secrets', { path: '/in/b', secret });
    const body = '{"type":"video.published"}';
    await post('/in/b', body, signed(secret, body));
    await post('/in/b', `${body} `, signed(secret, body));
    await post('/in/b', body, signed(newSecret(), body));
    await post('/in/b', body, signed(secret, body, new Date(Date.now() - 3_600_000)));
    await post('/in/b', body);
    const verdicts = (await messagesAt('/in/b')).map(({ verified }) => verified);
    expect(verdicts).toEqual([true, false, false, false, false]);
  });

  it('plays a receiver that fails for a while', async () => {
    await post('/api/answers', { path: '/in/c', status: 503, times: 2 });
    const statuses = [];
    for (let count = 0; count < 3; count += 1) statuses.push((await post('/in/c', '{}')).status);
    expect(statuses).toEqual([503, 503, 204]);
  });

  it('refuses what makes no sense', async () => {
    expect((await post('/elsewhere', '{}')).status).toBe(404);
    expect((await fetch(`${inbox.url}/in/a`)).status).toBe(405);
    expect((await post('/api/secrets', 'not json')).status).toBe(422);
    expect((await post('/api/answers', { path: '/in/a', status: 99, times: 1 })).status).toBe(422);
    expect((await post('/in/a', 'x'.repeat(300_000))).status).toBe(413);
  });
});
