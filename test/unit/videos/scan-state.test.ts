import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ScanReport, scanReportOf } from '../../../src/integrations/scanner/index.ts';
import {
  nextScanStep,
  type ScanVerdict,
  verdictAfter,
} from '../../../src/modules/videos/policy/scan-state.ts';
import {
  isQuarantined,
  originalKeyOf,
  quarantineKey,
  uploadIdOf,
} from '../../../src/modules/videos/policy/upload-keys.ts';

const statuses = fc.constantFrom<ScanReport['status'][]>('clean', 'infected', 'unsupported', 'failed');
const limits = { timeoutSeconds: 100, maxRequests: 3 };

describe('the verdict on a file', () => {
  it('is that of any threat, in whatever order the reports come', () => {
    fc.assert(
      fc.property(fc.array(statuses, { minLength: 1 }), (reports) => {
        const verdict = reports.reduce<ScanVerdict>(verdictAfter, null);
        if (reports.includes('infected')) expect(verdict).toBe('infected');
        if (!reports.includes('clean')) expect(verdict).not.toBe('clean');
        expect(reports.reduce(verdictAfter, verdict)).toBe(verdict);
      }),
    );
  });
});

describe('what is done about a file', () => {
  it('is to release it only when it was found clean or scanning was off', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<ScanVerdict[]>(null, 'clean', 'waived', 'infected', 'unsupported', 'failed'),
        fc.nat(5),
        fc.double({ min: 0, max: 1_000, noNaN: true }),
        (verdict, requests, waitingSeconds) => {
          const step = nextScanStep({ verdict, requests, waitingSeconds }, limits);
          expect(step.kind === 'release').toBe(verdict === 'clean' || verdict === 'waived');
          if (step.kind === 'ask') expect(requests).toBeLessThan(limits.maxRequests);
          if (step.kind === 'wait') expect(waitingSeconds).toBeLessThan(limits.timeoutSeconds);
        },
      ),
    );
  });
});

describe('keys', () => {
  it('name the upload, in quarantine and after it', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), fc.constantFrom('mp4', '3gp', 'bin'), (video, upload, extension) => {
        const key = quarantineKey(video, upload, extension);
        expect(isQuarantined(key)).toBe(true);
        expect(uploadIdOf(key)).toBe(upload);
        const original = originalKeyOf(key);
        expect(isQuarantined(original)).toBe(false);
        expect(uploadIdOf(original)).toBe(upload);
        expect(originalKeyOf(original)).toBe(original);
      }),
    );
  });

  it('of anything else name none', () => {
    const uuid = '0198c1f0-0000-7000-8000-000000000000';
    for (const key of [
      '',
      'quarantine/',
      `quarantine/${uuid}`,
      `quarantine/${uuid}/${uuid}`,
      `quarantine/../originals/${uuid}/${uuid}.mp4`,
      `media/${uuid}/${uuid}.mp4`,
      `quarantine/${uuid}/${uuid}.mp4/x`,
      `Quarantine/${uuid}/${uuid}.mp4`,
    ])
      expect(uploadIdOf(key)).toBeUndefined();
  });
});

describe('a report of GuardDuty', () => {
  // The sample of https://docs.aws.amazon.com/guardduty/latest/ug/monitor-with-eventbridge-s3-malware-protection.html
  const detail = (status: string, threats: unknown = null, statusReasons: unknown = null) => ({
    schemaVersion: '1.0',
    scanStatus: 'COMPLETED',
    resourceType: 'S3_OBJECT',
    s3ObjectDetails: {
      bucketName: 'uploads',
      objectKey: 'quarantine/a/b.mp4',
      eTag: 'ASIAI44QH8DHBEXAMPLE',
      versionId: 'd41d8cd98f00b204e9800998ecEXAMPLE',
      s3Throttled: false,
    },
    scanResultDetails: { scanResultStatus: status, threats, statusReasons },
  });

  it('is read in every status it may have, and none but one is clean', () => {
    const read = (status: string) => scanReportOf(detail(status))?.status;
    expect(read('NO_THREATS_FOUND')).toBe('clean');
    expect(read('THREATS_FOUND')).toBe('infected');
    expect(read('UNSUPPORTED')).toBe('unsupported');
    for (const status of ['ACCESS_DENIED', 'FAILED', 'no_threats_found', '', 'CLEAN'])
      expect(read(status)).toBe('failed');
  });

  it('names the content it speaks of, the threats and the reasons, within bounds', () => {
    const report = scanReportOf(
      detail(
        'THREATS_FOUND',
        Array.from({ length: 50 }, (_, index) => ({ name: `threat ${index} ${'x'.repeat(500)}` })),
        ['PASSWORD_PROTECTED'],
      ),
    );
    expect(report).toMatchObject({ etag: '"ASIAI44QH8DHBEXAMPLE"', reasons: ['PASSWORD_PROTECTED'] });
    expect(report?.threats).toHaveLength(20);
    expect(report?.threats.every((threat) => threat.length <= 200)).toBe(true);
  });

  it('never breaks, whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(scanReportOf(value)).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), fc.jsonValue(), (status, threats, reasons) => {
        const report = scanReportOf(detail(status, threats, reasons));
        expect(report?.status === 'clean').toBe(status === 'NO_THREATS_FOUND');
      }),
    );
  });
});
