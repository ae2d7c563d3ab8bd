import type { startAws } from './aws-parts.ts';
import type { Databases } from './database-parts.ts';
import { distributionId, mediaBucket, type Parts, region, uploadsBucket } from './parts.ts';
import type { Services } from './service-parts.ts';

/** Settings with which the Worker uses the local cloud, as written to `.dev.vars`. */
export function workerSettings(
  { options, secrets }: Parts,
  { databases, bridgeUrl }: Databases,
  aws: Awaited<ReturnType<typeof startAws>>,
  services: Services,
): Readonly<Record<string, string>> {
  return {
    ENVIRONMENT: 'development',
    DATABASE_URL: databases.primary.app,
    DATABASE_REPLICA_URL: databases.primary.replica,
    DATABASE_SHARD_URLS: databases.shards.map((shard) => shard.app).join(','),
    NEON_PROXY_URL: bridgeUrl,
    TOKEN_ISSUER: options.workerUrl,
    CURSOR_SECRET: secrets.cursorSecret,
    PASSWORD_PEPPER: secrets.passwordPepper,
    ACCESS_TOKEN_KEYS: secrets.signingKeys,
    DATA_ENCRYPTION_KEYS: secrets.dataEncryptionKeys,
    AWS_REGION: region,
    TURNSTILE_SITE_KEY: '1x00000000000000000000AA',
    TURNSTILE_SECRET: secrets.turnstileSecret,
    TURNSTILE_VERIFY_URL: `${services.turnstileUrl}/turnstile/v0/siteverify`,
    AWS_ACCESS_KEY_ID: secrets.accessKeyId,
    AWS_SECRET_ACCESS_KEY: secrets.secretAccessKey,
    AWS_WEBHOOK_SECRET: secrets.webhookSecret,
    S3_ENDPOINT: aws.s3Url,
    S3_PUBLIC_ENDPOINT: aws.s3Url,
    MEDIACONVERT_ENDPOINT: aws.awsUrl,
    GUARDDUTY_ENDPOINT: aws.awsUrl,
    IVS_ENDPOINT: aws.awsUrl,
    LIVE_RTMP_PORT: String(aws.ivs.rtmpPort),
    LIVE_RECORDING_CONFIGURATION_ARN: aws.ivs.recordingConfigurationArn,
    LIVE_PLAYBACK_KEY: secrets.livePlaybackKey,
    LIVE_CHANNEL_POOL_SIZE: '3',
    SES_ENDPOINT: services.mailUrl,
    APP_BASE_URL: `${services.mailUrl}/app`,
    BREACHED_PASSWORDS_URL: services.breachedPasswordsUrl,
    OUTBOUND_TRUSTED_HOSTS: 'localhost,127.0.0.1',
    UPLOADS_BUCKET: uploadsBucket,
    MEDIA_BUCKET: mediaBucket,
    CDN_BASE_URL: aws.cdnUrl,
    CDN_SIGNING_KEYS: secrets.cdnSigningKeys,
    CDN_DISTRIBUTION_ID: distributionId,
    CLOUDFRONT_ENDPOINT: aws.awsUrl,
    SMS_API_URL: services.smsUrl,
    SMS_ACCOUNT_SID: secrets.smsAccountSid,
    SMS_AUTH_TOKEN: secrets.smsAuthToken,
    SMS_SENDER: '+15005550006',
    VIDEO_RECONCILE_AFTER_SECONDS: '20',
    ...services.oauthSettings,
    OAUTH_STAND_IN_URL: services.oauthUrl,
    OAUTH_RETURN_URLS: `http://localhost:3000/signed-in,http://127.0.0.1:3000/signed-in,${options.workerUrl}/docs`,
  };
}
