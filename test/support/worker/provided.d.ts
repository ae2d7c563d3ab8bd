declare module 'vitest' {
  interface ProvidedContext {
    neonBridgeUrl: string;
    s3Url: string;
    mediaConvertUrl: string;
    cdnUrl: string;
    smsUrl: string;
    mailUrl: string;
    turnstileUrl: string;
    turnstileSecret: string;
    awsAccessKeyId: string;
    awsSecretAccessKey: string;
  }
}

export {};
