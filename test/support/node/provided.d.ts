declare module 'vitest' {
  interface ProvidedContext {
    neonBridgeUrl: string;
    s3Url: string;
    mediaConvertUrl: string;
    cdnUrl: string;
    liveSettings: Readonly<Record<string, string>>;
    cdnSigningKeys: string;
    smsUrl: string;
    mailUrl: string;
    breachedPasswordsUrl: string;
    turnstileUrl: string;
    turnstileSecret: string;
    awsAccessKeyId: string;
    awsSecretAccessKey: string;
    oauthSettings: Readonly<Record<string, string>>;
  }
}

export {};
