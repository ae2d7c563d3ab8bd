import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BrowserPage, chromiumPath, openBrowser } from '../support/node/chromium.ts';

// By address, since the Worker's sources are type-checked against workerd's types and this test against Node's.
const source = (path: string) => import(new URL(`../../src/modules/passkeys/${path}`, import.meta.url).href);

if (chromiumPath === undefined)
  console.warn('NOT TESTED: passkeys of a real browser. Install Chromium or set CHROMIUM_PATH to one.');

describe.skipIf(chromiumPath === undefined)('passkeys of Chromium', () => {
  let page: BrowserPage;
  let server: Server;
  let origin: string;

  beforeAll(async () => {
    server = createServer((_, response) => {
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>Passkeys</title>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://localhost:${(server.address() as AddressInfo).port}`;
    page = await openBrowser();
    await page.send('WebAuthn.enable');
    await page.open(`${origin}/`);
  });

  afterAll(async () => {
    await page?.close();
    server?.close();
  });

  const evaluate = (expression: string) => page.evaluate(expression);

  it('are made from our options, and what they give is accepted: once made, then used', async () => {
    const [views, schemas, webauthn, prove] = await Promise.all(
      ['passkeys.views.ts', 'passkeys.schemas.ts', 'webauthn.policy.ts', 'usecases/prove-passkey.ts'].map(
        source,
      ),
    );
    const { authenticatorId } = await page.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
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
    await page.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId });
  });
});
