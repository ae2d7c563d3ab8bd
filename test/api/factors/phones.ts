import { inject } from 'vitest';
import { call, callJson } from '../../support/worker/client.ts';
import { codeOf, nextCode } from './enrol.ts';

let nextNumber = 0;
const run = String(Math.floor(Math.random() * 100_000)).padStart(5, '0');

/** A number no other test uses. */
export const freshNumber = (): string => {
  nextNumber += 1;
  return `+3519${run}${String(nextNumber).padStart(3, '0')}`;
};

/** The messages a number got, oldest first, as the stand-in of the SMS service kept them. */
export async function messagesTo(
  number: string,
): Promise<{ readonly from: string; readonly body: string }[]> {
  const response = await fetch(`${inject('smsUrl')}/messages?to=${encodeURIComponent(number)}`);
  return ((await response.json()) as { messages: { from: string; body: string }[] }).messages;
}

/** The code in the last message a number got. */
export async function lastCodeTo(number: string): Promise<string> {
  const code = /^(\d{6}) /.exec((await messagesTo(number)).at(-1)?.body ?? '')?.[1];
  if (code === undefined) throw new Error('no code was sent');
  return code;
}

/** Another code than the one given. */
export const otherThan = (code: string): string => (code === '000000' ? '111111' : '000000');

export const setPhone = (token: string, number: string) =>
  call('PUT', '/v1/me/factors/phone', { token, body: { number } });

export const confirmPhone = (token: string, code: string) =>
  call('POST', '/v1/me/factors/phone/confirm', { token, body: { code } });

/** A token of the same session that opens routes which need a recent login. */
export async function steppedUp(token: string, secret: string): Promise<string> {
  const { access_token } = await callJson<{ access_token: string }>(200, 'POST', '/v1/auth/step-up', {
    token,
    body: { code: await codeOf(secret) },
  });
  nextCode();
  return access_token;
}

/** Proves a number of the caller's; `token` must be stepped up. */
export async function provePhone(token: string): Promise<string> {
  const number = freshNumber();
  await callJson(202, 'PUT', '/v1/me/factors/phone', { token, body: { number } });
  await callJson(204, 'POST', '/v1/me/factors/phone/confirm', {
    token,
    body: { code: await lastCodeTo(number) },
  });
  return number;
}
