import type { Config } from './index.ts';
import type { ConfigProblem } from './parse.ts';

const minimumSecretLength = 32;
const minimumDistinctKeyBytes = 20;
const localHost = /^(localhost|127\.|0\.0\.0\.0|\[?::1\]?|.*\.local$|host\.docker\.internal)/i;
const dummyTurnstileKey = /^[123]x0{10}/;
const weakSecret = /change.?me|placeholder|secret|password|example|(.)\1{7}/i;

const hostOf = (url: string): string => {
  try {
    return new URL(url).hostname;
  } catch {
    return '';
  }
};

/** What makes a parsed configuration unsafe outside development. Empty in `development` and `test`. */
export function safetyProblems(config: Config): ConfigProblem[] {
  if (config.app.environment === 'development' || config.app.environment === 'test') return [];
  const problems: ConfigProblem[] = [];
  const refuse = (env: string, message: string) => problems.push({ env, message });

  const secrets: [string, string][] = [
    ['CURSOR_SECRET', config.http.cursorSecret],
    ['PASSWORD_PEPPER', config.auth.passwordPepper],
    ...[...config.auth.oldPasswordPeppers.values()].map((pepper): [string, string] => [
      'OLD_PASSWORD_PEPPERS',
      pepper,
    ]),
    ['AWS_WEBHOOK_SECRET', config.aws.webhookSecret],
  ];
  for (const [env, value] of secrets) {
    if (value.length < minimumSecretLength)
      refuse(
        env,
        `needs at least ${minimumSecretLength} random characters; make one with: openssl rand -base64 33`,
      );
    else if (weakSecret.test(value))
      refuse(env, 'looks like a placeholder; make one with: openssl rand -base64 33');
  }

  // Random bytes repeat so often about once in 10^14 keys.
  for (const key of config.encryption.keys.values())
    if (new Set(key).size < minimumDistinctKeyBytes)
      refuse(
        'DATA_ENCRYPTION_KEYS',
        'holds a key that looks like a placeholder; make one with: openssl rand -base64 32',
      );

  const urls: [string, string][] = [
    ['DATABASE_URL', config.database.primaryUrl],
    ['DATABASE_REPLICA_URL', config.database.replicaUrl],
    ...config.database.shardUrls.map((url): [string, string] => ['DATABASE_SHARD_URLS', url]),
    ['NEON_PROXY_URL', config.database.neonProxyUrl],
    ['TOKEN_ISSUER', config.auth.issuer],
    ['S3_ENDPOINT', config.aws.s3Endpoint],
    ['S3_PUBLIC_ENDPOINT', config.aws.s3PublicEndpoint],
    ['CDN_BASE_URL', config.aws.cdnBaseUrl],
    ['CLOUDFRONT_ENDPOINT', config.delivery.cloudFrontEndpoint],
    ['MEDIACONVERT_ENDPOINT', config.aws.mediaConvertEndpoint],
    ['IVS_ENDPOINT', config.aws.ivsEndpoint],
    ['GUARDDUTY_ENDPOINT', config.aws.guardDutyEndpoint],
    ['SMS_API_URL', config.sms.apiUrl],
    ['TURNSTILE_VERIFY_URL', config.challenge.verifyUrl],
    ['SES_ENDPOINT', config.email.sesEndpoint],
    ['APP_BASE_URL', config.email.appBaseUrl],
    ['BREACHED_PASSWORDS_URL', config.breachedPasswords.baseUrl],
    ['DOH_URL', config.outbound.dohUrl],
  ];
  for (const [env, url] of urls) {
    if (url === '') continue;
    if (localHost.test(hostOf(url))) refuse(env, 'points at this machine; use the public address');
    else if (url.startsWith('http:')) refuse(env, 'must use https');
  }

  problems.push(...passkeyProblems(config.passkeys));
  if (config.delivery.signingKeys.length === 0)
    refuse('CDN_SIGNING_KEYS', 'must hold a key: without one anybody could fetch every video');
  if (config.live.playbackKey === undefined)
    refuse('LIVE_PLAYBACK_KEY', 'must hold a key: without one nobody can watch a live stream');
  if (config.live.recordingConfigurationArn.includes(':000000000000:'))
    refuse('LIVE_RECORDING_CONFIGURATION_ARN', 'is the local one; use the one of your account');
  if (config.aws.mediaConvertRoleArn.includes('::000000000000:'))
    refuse('MEDIACONVERT_ROLE_ARN', 'is the local placeholder; use the role of your account');
  if (config.aws.mediaConvertQueueArn.includes(':000000000000:'))
    refuse('MEDIACONVERT_QUEUE_ARN', 'is the local placeholder; use the queue of your account');
  if (config.scanning.scanner === 'off' && !config.scanning.offAcknowledged)
    refuse(
      'UPLOAD_SCANNER',
      'is off; set UPLOAD_SCANNER_OFF_ACKNOWLEDGED=true to take unscanned files all the same',
    );
  if (config.oauth.standInUrl !== '') refuse('OAUTH_STAND_IN_URL', 'must be empty: stand-ins let anybody in');
  for (const url of config.oauth.returnUrls) {
    if (localHost.test(hostOf(url))) refuse('OAUTH_RETURN_URLS', `must not allow ${url}`);
    else if (url.startsWith('http:')) refuse('OAUTH_RETURN_URLS', 'must use https');
  }
  if (/\.(test|example|invalid|localhost)$/i.test(config.email.fromAddress))
    refuse('EMAIL_FROM_ADDRESS', 'is a placeholder; use an address verified with Amazon SES');
  if (config.breachedPasswords.baseUrl === '')
    refuse('BREACHED_PASSWORDS_URL', 'must not be empty: new passwords are checked against breaches');
  const { challenge } = config;
  if (challenge.secret !== '') {
    if (dummyTurnstileKey.test(challenge.secret)) refuse('TURNSTILE_SECRET', 'is one for testing');
    if (dummyTurnstileKey.test(challenge.siteKey)) refuse('TURNSTILE_SITE_KEY', 'is one for testing');
    if (challenge.hostnames.length === 0)
      refuse('TURNSTILE_HOSTNAMES', 'must name the hosts of your clients');
  }
  if (config.outbound.trustedHosts.length > 0)
    refuse('OUTBOUND_TRUSTED_HOSTS', 'must be empty: it lets users reach what is not public');
  if (config.app.debugErrors) refuse('DEBUG_ERRORS', 'must be false');
  if (config.app.logLevel === 'debug' || config.app.logLevel === 'silent')
    refuse('LOG_LEVEL', 'must be info, warn or error');
  if (!config.http.rateLimitsEnabled) refuse('RATE_LIMITS_ENABLED', 'must be true');
  for (const origin of config.http.corsOrigins) {
    if (origin === '*') refuse('CORS_ORIGINS', 'must name each origin instead of *');
    else if (localHost.test(hostOf(origin))) refuse('CORS_ORIGINS', `must not allow ${origin}`);
  }
  return problems;
}

// Browsers refuse passkeys of other hosts, too, but only once people try (WebAuthn L3 §5.1.3).
function passkeyProblems({ rpId, origins }: Config['passkeys']): ConfigProblem[] {
  if (localHost.test(rpId) || !rpId.includes('.') || /^[\d.]+$/.test(rpId))
    return [{ env: 'PASSKEY_RP_ID', message: 'must be the registrable domain of the web application' }];
  const problems: ConfigProblem[] = [];
  for (const origin of origins) {
    if (origin.startsWith('android:')) continue;
    const host = hostOf(origin);
    if (!origin.startsWith('https:'))
      problems.push({ env: 'PASSKEY_ORIGINS', message: `must use https instead of ${origin}` });
    else if (host !== rpId && !host.endsWith(`.${rpId}`))
      problems.push({ env: 'PASSKEY_ORIGINS', message: `names ${origin}, which is not below PASSKEY_RP_ID` });
  }
  return problems;
}
