import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// By address, since the Worker's sources are type-checked against workerd's types and this test against Node's.
const source = (path: string) => import(new URL(`../../src/modules/passkeys/${path}`, import.meta.url).href);

const browser = [
  process.env.CHROMIUM_PATH ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path !== '' && existsSync(path));
if (browser === undefined)
  console.warn('NOT TESTED: passkeys of a real browser. Install Chromium or set CHROMIUM_PATH to one.');

/** Speaks the Chrome DevTools protocol (https://chromedevtools.github.io/devtools-protocol/). */
interface DevTools {
  send(method: string, params?: unknown, sessionId?: string): Promise<Record<string, unknown>>;
  close(): void;
}

async function connect(address: string): Promise<DevTools> {
  const socket = new WebSocket(address);
  const waiting = new Map<
    number,
    { resolve: (value: Record<string, unknown>) => void; reject: (error: Error) => void }
  >();
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data));
    const call = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error === undefined) call?.resolve(message.result);
    else call?.reject(new Error(message.error.message));
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', reject);
  });
  let lastId = 0;
  return {
    send: (method, params = {}, sessionId = undefined) =>
      new Promise((resolve, reject) => {
        lastId += 1;
        waiting.set(lastId, { resolve, reject });
        socket.send(JSON.stringify({ id: lastId, method, params, sessionId }));
      }),
    close: () => socket.close(),
  };
}

describe.skipIf(browser === undefined)('passkeys of Chromium', () => {
  let profile: string;
  let chromium: ChildProcess;
  let server: Server;
  let devTools: DevTools;
  let session: string;
  let origin: string;

  beforeAll(async () => {
    profile = await mkdtemp(join(tmpdir(), 'social-flow-chromium-'));
    server = createServer((_, response) => {
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>Passkeys</title>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://localhost:${(server.address() as AddressInfo).port}`;
    chromium = spawn(
      browser ?? '',
      [
        '--headless=new',
        '--no-sandbox',
        '--disable-gpu',
        '--remote-debugging-port=0',
        `--user-data-dir=${profile}`,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const address = await new Promise<string>((resolve, reject) => {
      chromium.on('exit', (code) => reject(new Error(`chromium ended with ${code}`)));
      createInterface({ input: chromium.stderr as NodeJS.ReadableStream }).on('line', (line) => {
        const found = /DevTools listening on (ws:\S+)/.exec(line)?.[1];
        if (found !== undefined) resolve(found);
      });
    });
    devTools = await connect(address);
    const { targetId } = await devTools.send('Target.createTarget', { url: 'about:blank' });
    session = String((await devTools.send('Target.attachToTarget', { targetId, flatten: true })).sessionId);
    await devTools.send('WebAuthn.enable', {}, session);
    await devTools.send('Page.navigate', { url: origin }, session);
    for (let look = 0; look < 100 && (await evaluate('location.origin')) !== origin; look += 1)
      await new Promise((resolve) => setTimeout(resolve, 50));
  });

  afterAll(async () => {
    devTools?.close();
    if (chromium?.exitCode === null) {
      const ended = new Promise((resolve) => chromium.on('exit', resolve));
      chromium.kill('SIGKILL');
      await ended;
    }
    server?.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  });

  async function evaluate(expression: string): Promise<unknown> {
    const answer = (await devTools.send(
      'Runtime.evaluate',
      { expression, awaitPromise: true, returnByValue: true },
      session,
    )) as { result: { value?: unknown }; exceptionDetails?: { exception?: { description?: string } } };
    if (answer.exceptionDetails !== undefined)
      throw new Error(answer.exceptionDetails.exception?.description ?? 'failed in the page');
    return answer.result.value;
  }

  it('are made from our options, and what they give is accepted: once made, then used', async () => {
    const [views, schemas, webauthn, prove] = await Promise.all(
      ['passkeys.views.ts', 'passkeys.schemas.ts', 'webauthn.policy.ts', 'usecases/prove-passkey.ts'].map(
        source,
      ),
    );
    const { authenticatorId } = await devTools.send(
      'WebAuthn.addVirtualAuthenticator',
      {
        options: {
          protocol: 'ctap2',
          transport: 'internal',
          hasResidentKey: true,
          hasUserVerification: true,
          isUserVerified: true,
          automaticPresenceSimulation: true,
        },
      },
      session,
    );
    const config = { rpId: 'localhost', rpName: 'Social Flow', origins: [origin] };
    const issued = { challengeToken: 'token', expiresInSeconds: 300 };
    const userId = '01964d2e-6d30-7c3a-8d2f-5a1b3c4d5e6f';
    const userHandle = prove.userHandleOf(userId);
    const challenge = Buffer.alloc(32, 7).toString('base64url');
    const creation = views.presentRegistrationOptions(
      {
        ...issued,
        challenge,
        userHandle,
        owner: { username: 'ada', displayName: 'Ada Lovelace', credentials: [] },
      },
      config,
    );
    const created = await evaluate(
      `navigator.credentials.create({publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(${JSON.stringify(creation.public_key)})})
        .then((credential) => credential.toJSON())`,
    );
    const body = schemas.registerPasskeyBody.parse({ challenge_token: 'token', credential: created });
    const credential = await webauthn.verifyRegistration(config, challenge, body.credential);
    expect(credential).toMatchObject({ backupEligible: expect.any(Boolean), signCount: expect.any(Number) });
    expect(await webauthn.verifyRegistration(config, 'A'.repeat(43), body.credential)).toBeUndefined();
    const elsewhere = { ...config, origins: ['http://localhost:1'] };
    expect(await webauthn.verifyRegistration(elsewhere, challenge, body.credential)).toBeUndefined();

    const request = views.presentAssertionOptions({ ...issued, challenge, credentials: [] }, config);
    const used = await evaluate(
      `navigator.credentials.get({publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(${JSON.stringify(request.public_key)})})
        .then((credential) => credential.toJSON())`,
    );
    const answer = schemas.assertionBody.parse({ challenge_token: 'token', credential: used });
    expect(answer.credential.response.userHandle).toBe(userHandle);
    const verified = await webauthn.verifyAssertion(config, challenge, answer.credential, credential);
    expect(verified.signCount).toBeGreaterThan(credential.signCount);
    expect(
      await webauthn.verifyAssertion(config, 'A'.repeat(43), answer.credential, credential),
    ).toBeUndefined();

    // A browser refuses to make a second passkey where options exclude the first.
    const again = views.presentRegistrationOptions(
      {
        ...issued,
        challenge,
        userHandle,
        owner: {
          username: 'ada',
          displayName: 'Ada Lovelace',
          credentials: [
            {
              credentialId: Buffer.from(credential.credentialId, 'base64url').toString('hex'),
              transports: ['internal'],
            },
          ],
        },
      },
      config,
    );
    await expect(
      evaluate(
        `navigator.credentials.create({publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(${JSON.stringify(again.public_key)})})`,
      ),
    ).rejects.toThrow('InvalidStateError');
    await devTools.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId }, session);
  });
});
