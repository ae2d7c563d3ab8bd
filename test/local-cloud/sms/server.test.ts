import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SmsServer, startSmsServer } from '../../../local-cloud/sms/server.ts';

const accountSid = `AC${'a'.repeat(32)}`;
const authToken = 'a-token-of-the-test';
const path = `/2010-04-01/Accounts/${accountSid}/Messages.json`;
let sms: SmsServer;

beforeAll(async () => {
  sms = await startSmsServer({ port: 0, accountSid, authToken });
});
afterAll(() => sms.close());

const basic = (user: string, secret: string) =>
  `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
const send = (form: Record<string, string>, options: { authorization?: string; to?: string } = {}) =>
  fetch(`${sms.url}${options.to ?? path}`, {
    method: 'POST',
    headers: { authorization: options.authorization ?? basic(accountSid, authToken) },
    body: new URLSearchParams(form),
  });
const message = { To: '+351912345678', From: '+15005550006', Body: 'hello' };

describe('the stand-in for the SMS service', () => {
  it('takes a message and shows it by number, newest last', async () => {
    const response = await send(message);
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({
      status: 'queued',
      to: message.To,
      sid: expect.stringMatching(/^SM[0-9a-f]{32}$/),
    });
    await send({ ...message, Body: 'again' });
    await send({ ...message, To: '+351912345679' });
    const shown = await fetch(`${sms.url}/messages?to=%2B351912345678`);
    expect(
      ((await shown.json()) as { messages: { body: string }[] }).messages.map(({ body }) => body),
    ).toEqual(['hello', 'again']);
  });

  it('checks the credentials', async () => {
    for (const authorization of ['', 'Basic', basic(accountSid, 'wrong'), basic('AC0', authToken)]) {
      const response = await send(message, { authorization });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ code: 20_003, status: 401 });
    }
    const other = await send(message, { to: path.replace(accountSid, `AC${'b'.repeat(32)}`) });
    expect(other.status).toBe(401);
  });

  it.each([
    [{ ...message, To: '' }, 21_604],
    [{ ...message, From: '' }, 21_603],
    [{ ...message, Body: '' }, 21_602],
    [{ ...message, Body: 'x'.repeat(1_601) }, 21_617],
    [{ ...message, To: '12345' }, 21_211],
    [{ ...message, To: '+15005550009' }, 21_614],
    [{ ...message, To: '+15005550003' }, 21_408],
  ])('refuses as the service does: %o', async (form, code) => {
    const response = await send(form);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code,
      status: 400,
      more_info: `https://www.twilio.com/docs/errors/${code}`,
    });
  });

  it('knows no other addresses', async () => {
    expect((await fetch(`${sms.url}/elsewhere`)).status).toBe(404);
    expect((await fetch(`${sms.url}${path}`)).status).toBe(405);
  });
});
