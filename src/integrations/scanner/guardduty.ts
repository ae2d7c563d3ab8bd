import { z } from 'zod';
import { type AwsConfig, callAws, getObjectTags, isAwsError } from '../aws/index.ts';

// GuardDuty Malware Protection for S3:
// https://docs.aws.amazon.com/guardduty/latest/ug/monitor-with-eventbridge-s3-malware-protection.html

/** What a scanner says of an object. `failed`: it could not look, which may pass; `unsupported`: it cannot look at such files. */
export type ScanStatus = 'clean' | 'infected' | 'unsupported' | 'failed';

export interface ScanReport {
  readonly bucket: string;
  readonly key: string;
  /** Of the content that was scanned, in quotes; null when the report does not say. */
  readonly etag: string | null;
  readonly status: ScanStatus;
  readonly threats: readonly string[];
  readonly reasons: readonly string[];
}

// A value that AWS adds later is not a clean one.
const statusOf = (value: string): ScanStatus => {
  if (value === 'NO_THREATS_FOUND') return 'clean';
  if (value === 'THREATS_FOUND') return 'infected';
  return value === 'UNSUPPORTED' ? 'unsupported' : 'failed';
};

const maxNames = 20;
const name = z.string().transform((text) => text.slice(0, 200));

const scanDetail = z.looseObject({
  s3ObjectDetails: z.looseObject({
    bucketName: z.string().max(255),
    objectKey: z.string().max(1_024),
    eTag: z
      .string()
      .regex(/^"?[0-9A-Za-z-]{1,128}"?$/)
      .optional()
      .catch(undefined),
  }),
  scanResultDetails: z.looseObject({
    scanResultStatus: z.string(),
    threats: z.array(z.looseObject({ name })).nullish().catch(undefined),
    statusReasons: z.array(name).nullish().catch(undefined),
  }),
});

/** What the `detail` of a `GuardDuty Malware Protection Object Scan Result` event says; undefined when it is not one. */
export function scanReportOf(detail: unknown): ScanReport | undefined {
  const parsed = scanDetail.safeParse(detail);
  if (!parsed.success) return undefined;
  const { s3ObjectDetails: object, scanResultDetails: result } = parsed.data;
  return {
    bucket: object.bucketName,
    key: object.objectKey,
    etag: object.eTag === undefined ? null : `"${object.eTag.replaceAll('"', '')}"`,
    status: statusOf(result.scanResultStatus),
    threats: (result.threats ?? []).slice(0, maxNames).map((threat) => threat.name),
    reasons: (result.statusReasons ?? []).slice(0, maxNames),
  };
}

/** The tag GuardDuty leaves on what it has scanned. */
export const scanTag = 'GuardDutyMalwareScanStatus';

/**
 * The result an object is tagged with, undefined when it has none (yet).
 * @throws AwsError
 */
export async function readScanTag(
  config: AwsConfig,
  target: { readonly bucket: string; readonly key: string },
): Promise<ScanStatus | undefined> {
  try {
    const value = (await getObjectTags(config, target)).get(scanTag);
    return value === undefined ? undefined : statusOf(value);
  } catch (error) {
    if (isAwsError(error, 'NoSuchKey')) return undefined;
    throw error;
  }
}

/**
 * Asks for an object to be scanned again; the result comes as an event and as a tag, as for a new object.
 * https://docs.aws.amazon.com/guardduty/latest/APIReference/API_SendObjectMalwareScan.html
 * @throws AwsError
 */
export async function requestScan(
  config: AwsConfig,
  target: { readonly bucket: string; readonly key: string },
): Promise<void> {
  const endpoint =
    config.guardDutyEndpoint === ''
      ? `https://guardduty.${config.region}.amazonaws.com`
      : config.guardDutyEndpoint;
  const response = await callAws(config, {
    service: 'guardduty',
    operation: 'SendObjectMalwareScan',
    method: 'POST',
    url: `${endpoint}/object-malware-scan/send`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ s3Object: { bucket: target.bucket, key: target.key } }),
    retries: 1,
    parseError: async (answer) => {
      await answer.body?.cancel();
      return { code: answer.headers.get('x-amzn-errortype')?.split(':')[0] ?? `Http${answer.status}` };
    },
  });
  await response.body?.cancel();
}
