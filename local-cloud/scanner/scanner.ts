import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { authenticateRequest } from '../aws-gate/body.ts';
import { restJsonRefusal, sendRestJsonError } from '../aws-gate/errors.ts';
import type { AwsCredentials } from '../aws-gate/verify.ts';
import type { EventBridgeEvent } from '../events/index.ts';
import type { S3Event, S3Server } from '../s3/server.ts';
import type { ScanEngine, ScanOutcome } from './engine.ts';

const MAX_BODY_BYTES = 16_384;
const SEND_PATH = '/object-malware-scan/send';
const STATUS_TAG = 'GuardDutyMalwareScanStatus';
/** Not GuardDuty's: which engine has looked, since the local one may know a single signature. */
const ENGINE_TAG = 'LocalScanEngine';

const scanStatuses: Readonly<Record<ScanOutcome['status'], string>> = {
  NO_THREATS_FOUND: 'COMPLETED',
  THREATS_FOUND: 'COMPLETED',
  UNSUPPORTED: 'SKIPPED',
  FAILED: 'FAILED',
};

export type ScannerOptions = {
  region: string;
  credentials: readonly AwsCredentials[];
  /** Twelve digits. */
  accountId: string;
  s3: Pick<S3Server, 'objectPath' | 'listObjects' | 'tagObject'>;
  /** What the protection plan covers. */
  bucket: string;
  prefix: string;
  engine: ScanEngine;
  /** Takes an event for delivery; resolves once it cannot be lost any more. */
  emit: (event: EventBridgeEvent) => Promise<void>;
  now?: () => Date;
  log?: (line: string) => void;
};

export type Scanner = {
  /** To be called for every change in S3. */
  onS3Event(event: S3Event): void;
  /** Answers `SendObjectMalwareScan`; false, with nothing done, when the path belongs to another service. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** Resolves when nothing waits to be scanned. */
  idle(): Promise<void>;
  close(): Promise<void>;
};

/**
 * GuardDuty Malware Protection for S3 over a local engine: scans what is put under the prefix, tags it with the result, then
 * sends the event. What an earlier run left unscanned is scanned at start.
 */
export function createScanner(options: ScannerOptions): Scanner {
  const { s3, bucket, prefix, engine } = options;
  const log = options.log ?? (() => {});
  const now = options.now ?? (() => new Date());
  const plan = `arn:aws:guardduty:${options.region}:${options.accountId}:malware-protection-plan/${randomBytes(10).toString('hex')}`;
  let closed = false;
  let work: Promise<void> = Promise.resolve();

  const enqueue = (key: string): void => {
    work = work
      .then(() => (closed ? undefined : scan(key)))
      .catch((error: unknown) => log(`${key}: ${String(error)}`));
  };

  async function scan(key: string): Promise<void> {
    const object = s3.listObjects(bucket, key).find((candidate) => candidate.key === key);
    const path = s3.objectPath(bucket, key);
    if (object === undefined || path === undefined) return;
    const outcome = await engine.scan(path).catch(
      (error: unknown): ScanOutcome => ({
        status: 'FAILED',
        threats: [],
        reasons: [String(error).slice(0, 200)],
      }),
    );
    // The object was replaced or removed meanwhile: a new one has an event of its own.
    const tags = { [STATUS_TAG]: outcome.status, [ENGINE_TAG]: engine.name };
    if (!(await s3.tagObject(bucket, key, object.eTag, tags))) return;
    if (outcome.status !== 'NO_THREATS_FOUND')
      log(
        `${key}: ${outcome.status} ${[...outcome.threats, ...outcome.reasons].join(', ')} (${engine.name})`,
      );
    await options.emit(eventOf(key, object.eTag, outcome));
  }

  const eventOf = (key: string, eTag: string, outcome: ScanOutcome): EventBridgeEvent => ({
    version: '0',
    id: randomUUID(),
    'detail-type': 'GuardDuty Malware Protection Object Scan Result',
    source: 'aws.guardduty',
    account: options.accountId,
    time: `${now().toISOString().slice(0, 19)}Z`,
    region: options.region,
    resources: [plan],
    detail: {
      schemaVersion: '1.0',
      scanStatus: scanStatuses[outcome.status],
      resourceType: 'S3_OBJECT',
      s3ObjectDetails: { bucketName: bucket, objectKey: key, eTag, versionId: null, s3Throttled: false },
      scanResultDetails: {
        scanResultStatus: outcome.status,
        threats: outcome.threats.length === 0 ? null : outcome.threats.map((name) => ({ name })),
        statusReasons: outcome.reasons.length === 0 ? null : outcome.reasons,
      },
    },
  });

  for (const { key, tags } of s3.listObjects(bucket, prefix))
    if (tags[STATUS_TAG] === undefined) enqueue(key);

  return {
    onS3Event(event) {
      const isNew = event.eventName.startsWith('ObjectCreated:');
      if (isNew && event.bucket === bucket && event.key.startsWith(prefix)) enqueue(event.key);
    },
    async handle(request, response) {
      if (request.url !== SEND_PATH || request.method !== 'POST') return false;
      const { region, credentials } = options;
      const gate = await authenticateRequest(
        request,
        { service: 'guardduty', region, credentials, now },
        MAX_BODY_BYTES,
      );
      if (!gate.ok) {
        sendRestJsonError(response, restJsonRefusal(gate));
        return true;
      }
      const target = parseTarget(gate.body);
      if (target?.bucket !== bucket || s3.objectPath(bucket, target.key) === undefined) {
        sendRestJsonError(response, {
          status: 400,
          code: 'BadRequestException',
          message:
            'The request is rejected because the bucket is not protected or the object does not exist.',
        });
        return true;
      }
      enqueue(target.key);
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 2 }).end('{}');
      return true;
    },
    async idle() {
      let seen: Promise<void> | undefined;
      while (seen !== work) {
        seen = work;
        await seen;
      }
    },
    async close() {
      closed = true;
      await work;
    },
  };
}

function parseTarget(body: Buffer): { bucket: string; key: string } | undefined {
  try {
    const { s3Object } = JSON.parse(body.toString('utf8')) as { s3Object?: Record<string, unknown> };
    const { bucket, key } = s3Object ?? {};
    return typeof bucket === 'string' && typeof key === 'string' ? { bucket, key } : undefined;
  } catch {
    return undefined;
  }
}
