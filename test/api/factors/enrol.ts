import { vi } from 'vitest';
import { hotp, stepOf, stepSeconds } from '../../../src/modules/factors/totp.policy.ts';
import { type CallOptions, callJson } from '../../support/worker/client.ts';

export interface Enrolment {
  /** Base32. */
  readonly secret: string;
  readonly backupCodes: readonly string[];
}

export interface MfaRequired {
  readonly mfa_required: true;
  readonly mfa_token: string;
  readonly expires_in: number;
  readonly factors: readonly string[];
}

/** Stops the clock of the Worker, so that no test runs over the edge of a time step. */
export const stopClock = (): void => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
};

export const restartClock = (): void => {
  vi.useRealTimers();
};

export const passSeconds = (seconds: number): void => {
  vi.setSystemTime(Date.now() + seconds * 1_000);
};

/** Waits, by the stopped clock, until the app shows another code. */
export const nextCode = (): void => passSeconds(stepSeconds);

/** What the app shows now, or `offset` steps from now. */
export const codeOf = (secret: string, offset = 0): Promise<string> =>
  hotp(fromBase32(secret), stepOf(Math.floor(Date.now() / 1_000)) + offset, 6);

/** Another code than the app shows now and showed before. */
export async function wrongCode(secret: string): Promise<string> {
  const right = [await codeOf(secret, -1), await codeOf(secret), await codeOf(secret, 1)];
  const wrong = ['000000', '111111', '222222', '333333'].find((code) => !right.includes(code));
  return wrong ?? '444444';
}

/** Sets an authenticator up; the next code is free. */
export async function enrol(token: string): Promise<Enrolment> {
  const { secret } = await callJson<{ secret: string }>(201, 'POST', '/v1/me/factors/totp', { token });
  const { backup_codes } = await callJson<{ backup_codes: string[] }>(
    200,
    'POST',
    '/v1/me/factors/totp/confirm',
    { token, body: { code: await codeOf(secret) } },
  );
  nextCode();
  return { secret, backupCodes: backup_codes };
}

/** The first half of a login, from `ip`. */
export const askForFactor = (username: string, password: string, options: CallOptions = {}) =>
  callJson<MfaRequired>(200, 'POST', '/v1/auth/login', {
    ...options,
    body: { identifier: username, password },
  });

function fromBase32(text: string): Uint8Array {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...text]
    .map((character) => alphabet.indexOf(character).toString(2).padStart(5, '0'))
    .join('');
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}
