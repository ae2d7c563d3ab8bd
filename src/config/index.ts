import { parseSlotMap } from '../db/slots.ts';
import { accountsSection } from './accounts.config.ts';
import { appSection } from './app.config.ts';
import { authSection } from './auth.config.ts';
import { awsSection } from './aws.config.ts';
import { breachedPasswordsSection } from './breached-passwords.config.ts';
import { challengeSection } from './challenge.config.ts';
import { databaseSection } from './database.config.ts';
import { deliverySection } from './delivery.config.ts';
import { emailSection } from './email.config.ts';
import { encodingSection } from './encoding.config.ts';
import { encryptionSection } from './encryption.config.ts';
import { feedsSection } from './feeds.config.ts';
import { historySection } from './history.config.ts';
import { httpSection } from './http.config.ts';
import { liveSection } from './live.config.ts';
import { oauthSection } from './oauth.config.ts';
import { outboundSection } from './outbound.config.ts';
import { ConfigError, type ConfigProblem, parseSection } from './parse.ts';
import { passkeysSection } from './passkeys.config.ts';
import { safetyProblems } from './safety.ts';
import { scanningSection } from './scanning.config.ts';
import type { SectionValues } from './section.ts';
import { smsSection } from './sms.config.ts';
import { videosSection } from './videos.config.ts';
import { viewsSection } from './views.config.ts';
import { webhooksSection } from './webhooks.config.ts';

export { ConfigError } from './parse.ts';

/** Every section, in the order the generated reference prints them. */
export const sections = {
  app: appSection,
  http: httpSection,
  database: databaseSection,
  auth: authSection,
  breachedPasswords: breachedPasswordsSection,
  passkeys: passkeysSection,
  challenge: challengeSection,
  accounts: accountsSection,
  email: emailSection,
  encryption: encryptionSection,
  aws: awsSection,
  videos: videosSection,
  delivery: deliverySection,
  scanning: scanningSection,
  encoding: encodingSection,
  views: viewsSection,
  live: liveSection,
  outbound: outboundSection,
  feeds: feedsSection,
  history: historySection,
  sms: smsSection,
  oauth: oauthSection,
  webhooks: webhooksSection,
} as const;

export type Config = {
  readonly [K in keyof typeof sections]: SectionValues<(typeof sections)[K]['settings']>;
};

/**
 * Reads and checks the whole configuration.
 * @throws ConfigError naming every setting that is missing, malformed or unsafe for the environment.
 */
export function parseConfig(environment: Readonly<Record<string, unknown>>): Config {
  const problems: ConfigProblem[] = [];
  const config: Config = {
    app: parseSection(appSection, environment, problems),
    http: parseSection(httpSection, environment, problems),
    database: parseSection(databaseSection, environment, problems),
    auth: parseSection(authSection, environment, problems),
    breachedPasswords: parseSection(breachedPasswordsSection, environment, problems),
    passkeys: parseSection(passkeysSection, environment, problems),
    challenge: parseSection(challengeSection, environment, problems),
    accounts: parseSection(accountsSection, environment, problems),
    email: parseSection(emailSection, environment, problems),
    encryption: parseSection(encryptionSection, environment, problems),
    aws: parseSection(awsSection, environment, problems),
    videos: parseSection(videosSection, environment, problems),
    delivery: parseSection(deliverySection, environment, problems),
    scanning: parseSection(scanningSection, environment, problems),
    encoding: parseSection(encodingSection, environment, problems),
    views: parseSection(viewsSection, environment, problems),
    live: parseSection(liveSection, environment, problems),
    outbound: parseSection(outboundSection, environment, problems),
    feeds: parseSection(feedsSection, environment, problems),
    history: parseSection(historySection, environment, problems),
    sms: parseSection(smsSection, environment, problems),
    oauth: parseSection(oauthSection, environment, problems),
    webhooks: parseSection(webhooksSection, environment, problems),
  };
  if (problems.length === 0)
    problems.push(
      ...slotMapProblems(config),
      ...encryptionProblems(config),
      ...smsProblems(config),
      ...oauthProblems(config),
      ...pepperProblems(config),
      ...challengeProblems(config),
      ...safetyProblems(config),
    );
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

// What no schema of a single setting can see: the map must name every slot once, and only shards there are.
function slotMapProblems({ database }: Config): ConfigProblem[] {
  try {
    parseSlotMap(database.slotMap, database.shardUrls.length);
    return [];
  } catch (error) {
    return [{ env: 'SHARD_SLOT_MAP', message: error instanceof Error ? error.message : 'is not a slot map' }];
  }
}

function encryptionProblems({ encryption }: Config): ConfigProblem[] {
  return encryption.keys.has(encryption.currentVersion)
    ? []
    : [{ env: 'DATA_ENCRYPTION_KEY_VERSION', message: 'names no key of DATA_ENCRYPTION_KEYS' }];
}

function smsProblems({ sms }: Config): ConfigProblem[] {
  if (sms.accountSid === '') return [];
  const missing = [
    ...(sms.authToken === '' ? ['SMS_AUTH_TOKEN'] : []),
    ...(sms.sender === '' ? ['SMS_SENDER'] : []),
  ];
  return missing.map((env) => ({ env, message: 'is required with SMS_ACCOUNT_SID' }));
}

// A provider that is half configured would fail at the first login instead of at the start.
function oauthProblems({ oauth }: Config): ConfigProblem[] {
  const pairs: readonly (readonly [id: string, env: string, value: string])[] = [
    [oauth.googleClientId, 'GOOGLE_CLIENT_SECRET', oauth.googleClientSecret],
    [oauth.appleClientId, 'APPLE_TEAM_ID', oauth.appleTeamId],
    [oauth.appleClientId, 'APPLE_KEY_ID', oauth.appleKeyId],
    [oauth.appleClientId, 'APPLE_PRIVATE_KEY', oauth.applePrivateKey],
    [oauth.facebookClientId, 'FACEBOOK_APP_SECRET', oauth.facebookClientSecret],
    [oauth.githubClientId, 'GITHUB_CLIENT_SECRET', oauth.githubClientSecret],
    [oauth.xClientId, 'X_CLIENT_SECRET', oauth.xClientSecret],
  ];
  return pairs
    .filter(([id, , value]) => id !== '' && value === '')
    .map(([, env]) => ({ env, message: 'is required because the client id of this provider is set' }));
}

// One number for two secrets would make the hashes of one of them unreadable.
function pepperProblems({ auth }: Config): ConfigProblem[] {
  return auth.oldPasswordPeppers.has(auth.passwordPepperVersion)
    ? [
        {
          env: 'OLD_PASSWORD_PEPPERS',
          message: 'names the version of PASSWORD_PEPPER; raise PASSWORD_PEPPER_VERSION',
        },
      ]
    : [];
}

function challengeProblems({ challenge }: Config): ConfigProblem[] {
  if ((challenge.siteKey === '') === (challenge.secret === '')) return [];
  const env = challenge.siteKey === '' ? 'TURNSTILE_SITE_KEY' : 'TURNSTILE_SECRET';
  return [{ env, message: 'is needed: site key and secret go together' }];
}
