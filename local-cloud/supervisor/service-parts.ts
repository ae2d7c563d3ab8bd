import { join } from 'node:path';
import { startBreachedPasswordsServer } from '../breached-passwords/server.ts';
import { startMailServer } from '../mail/server.ts';
import { startOAuthServer } from '../oauth/server.ts';
import { oauthSettings } from '../oauth/settings.ts';
import { startSmsServer } from '../sms/server.ts';
import { startTurnstileServer } from '../turnstile/server.ts';
import { startWebhookInbox } from '../webhook-inbox/server.ts';
import { beginStep, type Parts, preferredPorts, region } from './parts.ts';
import { freePort } from './ports.ts';
import { status } from './status.ts';

/** Addresses of the services, and what the Worker needs to know of the OAuth providers. */
export interface Services {
  readonly smsUrl: string;
  readonly oauthUrl: string;
  readonly oauthSettings: Readonly<Record<string, string>>;
  readonly mailUrl: string;
  readonly breachedPasswordsUrl: string;
  readonly webhookInboxUrl: string;
  readonly turnstileUrl: string;
}

/** Starts what stands for the services that are not AWS: SMS, OAuth providers, mail, breached passwords, webhooks, Turnstile. */
export async function startServices(parts: Parts): Promise<Services> {
  const { options, secrets, credentials } = parts;
  const { stateDir } = options;
  let startedAt = beginStep(options);
  const sms = await startSmsServer({
    port: await freePort(preferredPorts.sms),
    accountSid: secrets.smsAccountSid,
    authToken: secrets.smsAuthToken,
  });
  parts.onStop(() => sms.close());
  status.ok('sms', `${sms.url}/messages shows what was sent`, startedAt);

  startedAt = beginStep(options);
  const social = oauthSettings({ secret: secrets.oauthSecret, appleKey: secrets.appleKey });
  const oauth = await startOAuthServer({
    port: await freePort(preferredPorts.oauth),
    clients: social.clients,
    workerUrl: options.workerUrl,
    testControls: options.testControls === true,
  });
  parts.onStop(() => oauth.close());
  status.ok('oauth', `${oauth.url}, stand-ins for Google, Facebook, X, GitHub and Apple`, startedAt);

  startedAt = beginStep(options);
  const mail = await startMailServer({
    port: await freePort(preferredPorts.mail),
    region,
    credentials,
    dataDir: join(stateDir, 'mail'),
    apiUrl: options.workerUrl,
  });
  parts.onStop(() => mail.close());
  const breached = await startBreachedPasswordsServer({
    port: await freePort(preferredPorts.breachedPasswords),
  });
  parts.onStop(() => breached.close());
  status.ok('mail', `${mail.url}, the inbox of everybody`, startedAt);

  startedAt = beginStep(options);
  const webhookInbox = await startWebhookInbox({ port: await freePort(preferredPorts.webhookInbox) });
  parts.onStop(() => webhookInbox.close());
  status.ok(
    'webhooks',
    `${webhookInbox.url}, an inbox: give an endpoint the address /in/<anything>`,
    startedAt,
  );

  startedAt = beginStep(options);
  const turnstile = await startTurnstileServer({
    port: await freePort(preferredPorts.turnstile),
    secret: secrets.turnstileSecret,
  });
  parts.onStop(() => turnstile.close());
  status.ok('turnstile', `${turnstile.url}, /token?action=login plays a solved challenge`, startedAt);
  return {
    smsUrl: sms.url,
    oauthUrl: oauth.url,
    oauthSettings: social.settings,
    mailUrl: mail.url,
    breachedPasswordsUrl: breached.url,
    webhookInboxUrl: webhookInbox.url,
    turnstileUrl: turnstile.url,
  };
}
