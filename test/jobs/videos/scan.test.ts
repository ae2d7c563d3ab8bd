import { AwsClient } from 'aws4fetch';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { headObject, listObjects } from '../../../src/integrations/aws/index.ts';
import { reconcileScans } from '../../../src/modules/videos/index.ts';
import { call, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import {
  contextOf,
  film,
  getVideo,
  mebibyte,
  type ScanEvent,
  scanEvents,
  sendWebhook,
  type UploadedFilm,
  uploadToQuarantine,
} from '../../support/worker/films.ts';
import { deliver, deliverEvents, takeMessages } from '../../support/worker/queues.ts';

let creator: TestUser;
let bytes: Uint8Array;
beforeAll(async () => {
  creator = await seedUser();
  bytes = await film('film.mp4');
});

const virus = new TextEncoder().encode(
  ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD', '-ANTIVIRUS-TEST-FILE!$H+H*'].join(''),
);

const inMinutes = (minutes: number, settings: Readonly<Record<string, string>> = {}) =>
  contextOf({ clockMs: Date.now() + minutes * 60_000, settings });

const stored = async (videoUuid: string): Promise<string[]> => {
  const { aws } = contextOf().config;
  const keys = await Promise.all(
    ['quarantine', 'originals'].map((folder) =>
      listObjects(aws, { bucket: aws.uploadsBucket, prefix: `${folder}/${videoUuid}/` }),
    ),
  );
  return keys.flatMap((page) => page.keys.map((key) => key.slice(0, key.indexOf('/'))));
};

/** Removes the tag an object got from its scan, as when the scanner may not write tags, or sets another. */
async function setTag(key: string, status?: string): Promise<void> {
  const s3 = new AwsClient({
    accessKeyId: inject('awsAccessKeyId'),
    secretAccessKey: inject('awsSecretAccessKey'),
    service: 's3',
    region: 'us-east-1',
  });
  const url = `${inject('s3Url')}/social-flow-uploads/${key}?tagging=`;
  const tag = `<Tagging><TagSet><Tag><Key>GuardDutyMalwareScanStatus</Key><Value>${status}</Value></Tag></TagSet></Tagging>`;
  const response = await s3.fetch(
    url,
    status === undefined ? { method: 'DELETE' } : { method: 'PUT', body: tag },
  );
  if (!response.ok) throw new Error(await response.text());
}

interface Quarantined extends UploadedFilm {
  readonly event: ScanEvent;
  readonly key: string;
}

/** An upload whose scan has ended and is not told yet. */
async function quarantined(content: Uint8Array, owner = creator): Promise<Quarantined> {
  const uploaded = await uploadToQuarantine(owner, content);
  takeMessages();
  const [event] = await scanEvents(uploaded.videoUuid);
  if (event === undefined) throw new Error('the file was not scanned');
  return { ...uploaded, event, key: event.detail.s3ObjectDetails.objectKey };
}

const saying = (event: ScanEvent, status: string, id: string = crypto.randomUUID()): ScanEvent => ({
  ...event,
  id,
  detail: {
    ...event.detail,
    scanResultDetails: {
      scanResultStatus: status,
      threats: status === 'THREATS_FOUND' ? [{ name: 'Some-Threat' }] : null,
    },
  },
});

const told = async (...events: readonly ScanEvent[]): Promise<string[]> => {
  for (const event of events) expect((await sendWebhook(event)).status).toBe(202);
  const { retried } = await deliver(takeMessages());
  expect(retried).toBe(0);
  return takeMessages().map((message) => message.body.type);
};

describe('a file found clean', () => {
  it('leaves quarantine, and only then is looked into', async () => {
    const { videoId, videoUuid, event } = await quarantined(bytes);
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'scanning' });
    expect(await stored(videoUuid)).toEqual(['quarantine']);
    expect(await told(event)).toEqual(['video.released']);
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'probing' });
    expect(await stored(videoUuid)).toEqual(['originals']);
  });

  it('in several pieces when it is large, taken up where a broken-off copy stopped', async () => {
    const large = new Uint8Array(17 * mebibyte);
    large.set(bytes);
    crypto.getRandomValues(large.subarray(5 * mebibyte, 5 * mebibyte + 65_536));
    const { videoId, videoUuid, event, key } = await quarantined(large);
    await sendWebhook(event);
    const [message] = takeMessages();
    if (message === undefined) throw new Error('a message expected');
    const settings = { UPLOAD_COPY_PART_BYTES: String(5 * mebibyte) };
    const { takeScanReport } = await import('../../../src/modules/videos/usecases/screen-upload.ts');
    let copies = 0;
    const real = globalThis.fetch;
    globalThis.fetch = async (input, init) => {
      const request = new Request(input, init);
      if (request.headers.has('x-amz-copy-source-range')) {
        copies += 1;
        if (copies === 3) return new Response('<Error><Code>AccessDenied</Code></Error>', { status: 403 });
      }
      return real(request);
    };
    try {
      const ctx = contextOf({ settings });
      await expect(takeScanReport(ctx, message.body as never)).rejects.toMatchObject({
        code: 'AccessDenied',
      });
      expect(await getVideo(videoId, creator)).toMatchObject({ state: 'scanning' });
      copies = 10;
      await takeScanReport(ctx, message.body as never);
      // Four pieces, of which the first try copied all but the one that was refused.
      expect(copies).toBeLessThan(14);
    } finally {
      globalThis.fetch = real;
    }
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'probing' });
    const { aws } = contextOf().config;
    const original = await headObject(aws, {
      bucket: aws.uploadsBucket,
      key: key.replace('quarantine/', 'originals/'),
    });
    expect(original?.sizeBytes).toBe(large.length);
    expect(await stored(videoUuid)).toEqual(['originals']);
    takeMessages();
  });

  it('is released once, however often and however many at a time it is told', async () => {
    const { videoId, videoUuid, event } = await quarantined(bytes);
    const again = Array.from({ length: 4 }, () => saying(event, 'NO_THREATS_FOUND'));
    for (const report of [event, event, ...again]) await sendWebhook(report);
    const messages = takeMessages();
    expect(messages).toHaveLength(5);
    await Promise.all(messages.map((message) => deliver([message])));
    await deliver(messages);
    const released = takeMessages().filter((message) => message.body.type === 'video.released');
    expect(released).toHaveLength(1);
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'probing' });
    expect(await stored(videoUuid)).toEqual(['originals']);
  });

  it('is not released when it is another file by now than the one that was scanned', async () => {
    const { videoId, videoUuid, event } = await quarantined(bytes);
    const { s3ObjectDetails } = event.detail;
    const other = {
      ...event,
      detail: {
        ...event.detail,
        s3ObjectDetails: { ...s3ObjectDetails, eTag: 'd41d8cd98f00b204e9800998ecf8427e' },
      },
    };
    expect(await told(other)).toEqual(['video.failed']);
    expect(await getVideo(videoId, creator)).toMatchObject({
      failure: { code: 'scan_failed', retryable: true },
    });
    expect(await stored(videoUuid)).toEqual(['quarantine']);
    await call('POST', `/v1/videos/${videoId}/retry`, { token: creator.token });
    await deliverEvents();
    const rescanned = (await scanEvents(videoUuid)).at(-1);
    if (rescanned !== undefined) expect(await told(rescanned)).toEqual(['video.released']);
  });

  it('is scanned when asked if it lies where uploads went before there was a quarantine', async () => {
    const { videoId, videoUuid, key } = await quarantined(bytes);
    const old = key.replace('quarantine/', 'originals/');
    const { aws } = contextOf().config;
    const { copyObject } = await import('../../../src/integrations/aws/index.ts');
    const found = await headObject(aws, { bucket: aws.uploadsBucket, key });
    await copyObject(
      aws,
      { bucket: aws.uploadsBucket, key, etag: found?.etag ?? '' },
      { bucket: aws.uploadsBucket, key: old },
    );
    await sqlRows('UPDATE uploads SET object_key = $2 WHERE video_id = $1', [videoUuid, old]);
    await setTag(old);
    await reconcileScans(inMinutes(3));
    const asked = (await scanEvents(videoUuid)).at(-1);
    expect(asked?.detail.s3ObjectDetails.objectKey).toBe(old);
    if (asked !== undefined) expect(await told(asked)).toEqual(['video.released']);
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'probing' });
    expect(await stored(videoUuid)).toContain('originals');
  });
});

describe('a file with a threat in it', () => {
  it('fails its video, tells its owner and is removed; the audit log keeps it', async () => {
    const { videoId, videoUuid, event } = await quarantined(virus);
    expect(event.detail.scanResultDetails.threats).toEqual([{ name: 'EICAR-Test-File' }]);
    expect(await told(event)).toEqual(['video.failed']);
    expect(await getVideo(videoId, creator)).toMatchObject({
      state: 'failed',
      failure: { code: 'infected', retryable: false },
    });
    expect(await stored(videoUuid)).toEqual([]);
    expect(
      await sqlRows("SELECT outcome, detail->>'code' AS code FROM audit_log WHERE target_id = $1", [
        videoUuid,
      ]),
    ).toEqual([{ outcome: 'denied', code: 'infected' }]);
    const retry = await call('POST', `/v1/videos/${videoId}/retry`, { token: creator.token });
    expect(retry.status).toBe(409);
    await deliverEvents();
  });

  it('stays in quarantine when it is to be held, and goes with its video', async () => {
    const { videoId, videoUuid, event } = await quarantined(virus);
    await sendWebhook(event);
    const { takeScanReport } = await import('../../../src/modules/videos/usecases/screen-upload.ts');
    const ctx = contextOf({ settings: { UPLOAD_INFECTED_FILES: 'hold' } });
    for (const message of takeMessages()) await takeScanReport(ctx, message.body as never);
    await deliverEvents();
    expect(await stored(videoUuid)).toEqual(['quarantine']);
    await reconcileScans(inMinutes(10, { UPLOAD_INFECTED_FILES: 'hold' }));
    expect(await stored(videoUuid)).toEqual(['quarantine']);
    await call('DELETE', `/v1/videos/${videoId}`, { token: creator.token });
    await deliverEvents();
    expect(await stored(videoUuid)).toEqual([]);
  });

  it('is refused whichever of two scans is told first', async () => {
    const { videoId, event } = await quarantined(bytes);
    await sendWebhook(saying(event, 'THREATS_FOUND'));
    await sendWebhook(saying(event, 'NO_THREATS_FOUND'));
    await deliver(takeMessages());
    expect(await getVideo(videoId, creator)).toMatchObject({ failure: { code: 'infected' } });
    await deliverEvents();
  });
});

describe('a file the scanner cannot look into', () => {
  it('is refused when such files never can be', async () => {
    const { videoId, videoUuid, event } = await quarantined(bytes);
    expect(await told(saying(event, 'UNSUPPORTED'))).toEqual(['video.failed']);
    expect(await getVideo(videoId, creator)).toMatchObject({ failure: { code: 'scan_unsupported' } });
    expect(await stored(videoUuid)).toEqual([]);
  });

  it.each(['ACCESS_DENIED', 'FAILED', 'SOMETHING_NEW'])('is scanned again after %s', async (status) => {
    const { videoId, videoUuid, event } = await quarantined(bytes);
    expect(await told(saying(event, status))).toEqual([]);
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'scanning' });
    const events = await scanEvents(videoUuid);
    expect(events).toHaveLength(2);
    expect(await told(...events.slice(1))).toEqual(['video.released']);
  });

  it('fails after several tries, and can be tried again by its owner', async () => {
    const owner = await seedUser();
    const { videoId, videoUuid, event } = await quarantined(bytes, owner);
    expect(await told(saying(event, 'FAILED'))).toEqual([]);
    expect(await told(saying(event, 'FAILED'))).toEqual([]);
    expect(await told(saying(event, 'FAILED'))).toEqual(['video.failed']);
    expect(await getVideo(videoId, owner)).toMatchObject({
      failure: { code: 'scan_failed', retryable: true },
    });
    expect(await stored(videoUuid)).toEqual(['quarantine']);
    const retry = await call('POST', `/v1/videos/${videoId}/retry`, { token: owner.token });
    expect([retry.status, await retry.json()]).toMatchObject([202, { state: 'scanning', failure: null }]);
    await deliverEvents();
    const newest = (await scanEvents(videoUuid)).at(-1);
    expect(newest?.id).not.toBe(event.id);
    if (newest !== undefined) expect(await told(newest)).toEqual(['video.released']);
  });
});

describe('reports that never came', () => {
  it('are read from the tag of the file', async () => {
    const { videoId } = await quarantined(bytes);
    const infected = await quarantined(virus);
    await reconcileScans(inMinutes(1));
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'scanning' });
    await reconcileScans(inMinutes(3));
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'probing' });
    expect(await getVideo(infected.videoId, creator)).toMatchObject({ failure: { code: 'infected' } });
    takeMessages();
  });

  it('are asked for once there is no tag either, and end in a failure at last', async () => {
    const { videoId, videoUuid, key } = await quarantined(bytes);
    await setTag(key);
    await reconcileScans(inMinutes(10));
    expect(await scanEvents(videoUuid)).toHaveLength(1);
    await reconcileScans(inMinutes(31));
    expect(await scanEvents(videoUuid)).toHaveLength(2);
    await setTag(key);
    await sqlRows('UPDATE upload_scans SET requested_at = now() WHERE video_id = $1', [videoUuid]);
    await reconcileScans(inMinutes(65));
    expect(await scanEvents(videoUuid)).toHaveLength(3);
    await setTag(key);
    await reconcileScans(inMinutes(100));
    expect(await getVideo(videoId, creator)).toMatchObject({
      state: 'failed',
      failure: { code: 'scan_timeout', retryable: true },
    });
    expect(await stored(videoUuid)).toEqual(['quarantine']);
    takeMessages();
  });

  it('do not keep a file from being removed or moved when a run broke off half-way', async () => {
    const moved = await quarantined(bytes);
    expect(await told(moved.event)).toEqual(['video.released']);
    // As it was when the copy was made, or the original settled, and nothing after that.
    const again = await quarantined(bytes);
    await sqlRows("UPDATE upload_scans SET verdict = 'clean', etag = NULL WHERE video_id = $1", [
      again.videoUuid,
    ]);
    await sqlRows('UPDATE upload_scans SET cleared_at = NULL WHERE video_id = $1', [moved.videoUuid]);
    await reconcileScans(inMinutes(3));
    expect(await getVideo(again.videoId, creator)).toMatchObject({ state: 'probing' });
    expect(await stored(again.videoUuid)).toEqual(['originals']);
    expect(await stored(moved.videoUuid)).toEqual(['originals']);
    takeMessages();
  });

  it('fail the video when the file is gone', async () => {
    const { videoId, event, key } = await quarantined(bytes);
    const { deleteObjects } = await import('../../../src/integrations/aws/index.ts');
    const { aws } = contextOf().config;
    await deleteObjects(aws, aws.uploadsBucket, [key]);
    expect(await told(event)).toEqual(['video.failed']);
    expect(await getVideo(videoId, creator)).toMatchObject({ failure: { code: 'source_missing' } });
  });
});

describe('reports about something else', () => {
  it('of another bucket or about another object change nothing', async () => {
    const { videoId, event } = await quarantined(bytes);
    const about = (details: object) => ({
      ...event,
      id: crypto.randomUUID(),
      detail: { ...event.detail, s3ObjectDetails: { ...event.detail.s3ObjectDetails, ...details } },
    });
    const [, video = '', file = ''] = event.detail.s3ObjectDetails.objectKey.split('/');
    expect(
      await told(
        about({ bucketName: 'somebody-elses' }),
        about({ objectKey: 'exports/archive.zip' }),
        about({ objectKey: `quarantine/${crypto.randomUUID()}/${file}` }),
        about({ objectKey: `quarantine/${video}/${crypto.randomUUID()}.mp4` }),
        about({ objectKey: `originals/${video}/${file}` }),
        { ...event, id: crypto.randomUUID(), detail: {} as never },
        { ...event, id: crypto.randomUUID(), detail: { ...event.detail, scanResultDetails: [] as never } },
      ),
    ).toEqual([]);
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'scanning' });
  });

  it('that come when the video is deleted leave no file behind', async () => {
    const owner = await seedUser();
    const { videoId, videoUuid, event } = await quarantined(bytes, owner);
    await call('DELETE', `/v1/videos/${videoId}`, { token: owner.token });
    takeMessages();
    expect(await told(event)).toEqual([]);
    expect(await stored(videoUuid)).toEqual([]);
  });
});

describe('with scanning turned off', () => {
  it('a file is released as it arrives', async () => {
    const owner = await seedUser();
    const { complete, putParts, startUpload, uuidOf } = await import('../../support/worker/films.ts');
    const upload = await startUpload(owner, { size_bytes: bytes.length });
    const parts = await putParts(upload, bytes);
    const { completeUpload } = await import('../../../src/modules/videos/usecases/complete-upload.ts');
    const { decodeId } = await import('../../../src/shared/ids.ts');
    await completeUpload(
      contextOf({ user: owner, settings: { UPLOAD_SCANNER: 'off' } }),
      decodeId('upload', upload.id) ?? '',
      parts.map((part) => ({ partNumber: part.part_number, etag: part.etag })),
    );
    await deliver(takeMessages());
    expect(takeMessages().map((message) => message.body.type)).toEqual(['video.released']);
    expect(await stored(uuidOf(upload.video_id))).toEqual(['originals']);
    expect((await complete(owner, upload.id, parts)).status).toBe(200);
    expect(
      await sqlRows('SELECT verdict FROM upload_scans WHERE video_id = $1', [uuidOf(upload.video_id)]),
    ).toEqual([{ verdict: 'waived' }]);
  });
});

describe('the database', () => {
  it('lets no video past the scan, whatever a statement says', async () => {
    const { videoUuid } = await quarantined(bytes);
    for (const state of ['probing', 'transcoding', 'published'])
      await expect(sqlRows('UPDATE videos SET state = $2 WHERE id = $1', [videoUuid, state])).rejects.toThrow(
        'has not been found clean',
      );
    await sqlRows(
      "UPDATE videos SET state = 'failed', failure_code = 'scan_failed', failure_message = 'x' WHERE id = $1",
      [videoUuid],
    );
    await expect(
      sqlRows(
        "UPDATE videos SET state = 'transcoding', failure_code = NULL, failure_message = NULL WHERE id = $1",
        [videoUuid],
      ),
    ).rejects.toThrow('has not been found clean');
    await expect(
      sqlRows("UPDATE videos SET source_key = 'quarantine/x.mp4' WHERE id = $1", [videoUuid]),
    ).rejects.toThrow('videos_source_released');
  });
});
