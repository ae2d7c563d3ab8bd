import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AwsClient } from 'aws4fetch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MailServer, startMailServer } from '../../../local-cloud/mail/server.ts';

const credentials = [{ accessKeyId: 'TESTKEY', secretAccessKey: 'a secret of the tests' }] as const;
let dataDir: string;
let mail: MailServer;
const start = () =>
  startMailServer({ port: 0, region: 'eu-west-1', credentials, dataDir, apiUrl: 'http://127.0.0.1:8787' });

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'social-flow-mail-'));
  mail = await start();
});
afterAll(async () => {
  await mail.close();
  await rm(dataDir, { recursive: true, force: true });
});

const message = (overrides: Record<string, unknown> = {}) => ({
  FromEmailAddress: 'Social Flow <no-reply@social-flow.test>',
  Destination: { ToAddresses: ['ada@example.com'] },
  Content: {
    Simple: {
      Subject: { Data: 'Hello', Charset: 'UTF-8' },
      Body: { Text: { Data: 'A text 🦉' }, Html: { Data: '<p>A text</p>' } },
    },
  },
  ...overrides,
});
const send = (body: unknown, signing: { secret?: string; service?: string; region?: string } = {}) =>
  new AwsClient({
    accessKeyId: 'TESTKEY',
    secretAccessKey: signing.secret ?? credentials[0].secretAccessKey,
    service: signing.service ?? 'ses',
    region: signing.region ?? 'eu-west-1',
    retries: 0,
  }).fetch(`${mail.url}/v2/email/outbound-emails`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const list = async (to: string) =>
  ((await (await fetch(`${mail.url}/api/mails?to=${to}`)).json()) as { mails: { subject: string }[] }).mails;

describe('SendEmail', () => {
  it('takes a signed mail, gives its id, and shows it in the inbox and as JSON', async () => {
    const answer = await send(message());
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ MessageId: expect.stringMatching(/^local-/) });
    expect(await list('ADA@example.com')).toEqual([
      expect.objectContaining({ subject: 'Hello', text: 'A text 🦉', to: ['ada@example.com'] }),
    ]);
    expect(await (await fetch(mail.url)).text()).toContain('Hello');
  });

  it.each([
    ['another secret', { secret: 'wrong' }, 403, 'InvalidSignatureException'],
    ['another service', { service: 'email' }, 400, 'IncompleteSignatureException'],
    ['another region', { region: 'us-east-1' }, 400, 'IncompleteSignatureException'],
  ])('refuses a signature by %s', async (_, signing, status, code) => {
    const answer = await send(message({ Destination: { ToAddresses: ['nobody@example.com'] } }), signing);
    expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([status, code]);
    expect(await list('nobody@example.com')).toEqual([]);
  });

  it('refuses a mail without a signature', async () => {
    const answer = await fetch(`${mail.url}/v2/email/outbound-emails`, { method: 'POST', body: '{}' });
    expect(answer.status).toBe(403);
  });

  it.each([
    ['no recipient', message({ Destination: { ToAddresses: [] } })],
    ['two addresses in one', message({ Destination: { ToAddresses: ['a@b.test,c@d.test'] } })],
    ['no sender', message({ FromEmailAddress: undefined })],
    ['no body', message({ Content: { Simple: { Subject: { Data: 'x' }, Body: {} } } })],
    ['a field it does not know', message({ Surprise: 1 })],
    ['no JSON', '{'],
  ])('refuses %s with 400', async (_, body) => {
    expect((await send(body)).status).toBe(400);
  });
});

describe('the inbox', () => {
  it('shows markup as text, and mails as HTML without scripts', async () => {
    await send(
      message({
        Destination: { ToAddresses: ['eve@example.com'] },
        Content: {
          Simple: {
            Subject: { Data: '<script>alert(1)</script>' },
            Body: { Text: { Data: '"><img src=x>' }, Html: { Data: '"><script>alert(2)</script>' } },
          },
        },
      }),
    );
    const inbox = await fetch(mail.url);
    const page = await inbox.text();
    expect(page).not.toContain('<script>');
    expect(inbox.headers.get('content-security-policy')).toContain("default-src 'none'");
    const path = /href="(\/mails\/[^"]+)">&lt;script/.exec(page)?.[1];
    const shown = await (await fetch(`${mail.url}${path}`)).text();
    expect(shown).not.toMatch(/<script|<img/);
    expect(shown).toContain('<iframe sandbox srcdoc=');
  });

  it('shows how to use a link with curl', async () => {
    const token = `sfp_${'a'.repeat(49)}`;
    await send(
      message({
        Destination: { ToAddresses: ['bob@example.com'] },
        Content: {
          Simple: { Subject: { Data: 'Reset' }, Body: { Text: { Data: `https://app#token=${token}` } } },
        },
      }),
    );
    const path = /href="(\/mails\/[^"]+)">Reset/.exec(await (await fetch(mail.url)).text())?.[1];
    const shown = await (await fetch(`${mail.url}${path}`)).text();
    expect(shown).toContain('http://127.0.0.1:8787/v1/auth/password-reset/confirm');
    expect(shown).toContain(token);
    expect(await (await fetch(`${mail.url}/app/reset-password`)).text()).toContain('location.hash');
  });

  it('is not for other sites whose name points here', async () => {
    const status = await new Promise((resolve, reject) => {
      request(
        { port: mail.port, host: '127.0.0.1', path: '/api/mails', headers: { host: 'evil.test' } },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        },
      )
        .on('error', reject)
        .end();
    });
    expect(status).toBe(421);
  });

  it('keeps mails across a restart until they are deleted', async () => {
    await mail.close();
    mail = await start();
    expect(await list('ada@example.com')).toHaveLength(1);
    expect((await fetch(`${mail.url}/api/mails`, { method: 'DELETE' })).status).toBe(204);
    expect(await list('ada@example.com')).toEqual([]);
  });
});
