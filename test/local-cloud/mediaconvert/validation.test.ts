import type { CreateJobCommandInput } from '@aws-sdk/client-mediaconvert';
import { AwsClient } from 'aws4fetch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { locateFfmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { type Cloud, CREDENTIALS, REGION, startCloud } from './harness.ts';
import { audioOutput, captureGroup, cmafGroup, ladderJob, videoOutput } from './jobs.ts';

type Json = Record<string, unknown>;

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ ffmpeg: await locateFfmpeg() });
});
afterAll(() => cloud.close());

/** The wire form of an SDK request: first letters lowered, map keys untouched. */
function wire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(wire);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const isMap = ['AudioSelectors', 'CaptionSelectors', 'UserMetadata', 'Tags'].includes(key);
      const content = isMap
        ? Object.fromEntries(Object.entries(inner).map(([name, x]) => [name, wire(x)]))
        : wire(inner);
      return [`${key[0]?.toLowerCase()}${key.slice(1)}`, content];
    }),
  );
}

async function post(body: unknown): Promise<{ status: number; type: string | null; message: string }> {
  const signer = new AwsClient({ ...CREDENTIALS, region: REGION, service: 'mediaconvert', retries: 0 });
  const response = await signer.fetch(`${cloud.url}/2017-08-29/jobs`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const answer: Json = await response.json();
  return {
    status: response.status,
    type: response.headers.get('x-amzn-errortype'),
    message: String(answer.message),
  };
}

/** A valid body with one value replaced (or removed, for undefined) at a JSON pointer. */
function bodyWith(pointer: string, value: unknown, input: CreateJobCommandInput = ladderJob()): unknown {
  const body = JSON.parse(JSON.stringify(wire(input)));
  const parts = pointer.slice(1).split('/');
  const last = parts.pop() ?? '';
  let parent: Json = body;
  for (const part of parts) parent = parent[part] as Json;
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return body;
}

const OUTPUT = '/settings/outputGroups/0/outputs/0';
const H264 = `${OUTPUT}/videoDescription/codecSettings/h264Settings`;
const CMAF = '/settings/outputGroups/0/outputGroupSettings/cmafGroupSettings';

describe('a job request is refused, naming what is wrong', () => {
  it.each<[string, unknown, string]>([
    ['/role', undefined, '/role: is required'],
    ['/role', 'MediaConvertRole', '/role: must be the ARN of an IAM role'],
    ['/queue', 'arn:aws:sqs:us-east-1:111122223333:queues/Default', '/queue: must be'],
    ['/queue', 'arn:aws:mediaconvert:eu-west-1:111122223333:queues/Default', 'is not a queue of account'],
    ['/priority', 51, '/priority'],
    ['/priority', 1.5, '/priority'],
    ['/clientRequestToken', 'x'.repeat(65), '/clientRequestToken'],
    ['/statusUpdateInterval', 'SECONDS_11', '/statusUpdateInterval: must be one of SECONDS_10'],
    ['/userMetadata', { a: 1 }, '/userMetadata/a'],
    ['/jobTemplate', 'ours', '/jobTemplate: unknown setting'],
    ['/settings/inputs', [], '/settings/inputs'],
    ['/settings/inputs', undefined, '/settings/inputs: is required'],
    ['/settings/inputs/0/fileInput', undefined, '/settings/inputs/0/fileInput: is required'],
    ['/settings/inputs/0/fileInput', 'https://example.com/film.mp4', 's3://bucket/key'],
    ['/settings/inputs/0/videoSelector/rotate', 'LEFT', 'must be one of AUTO'],
    ['/settings/inputs/0/crop', { width: 10 }, '/settings/inputs/0/crop: unknown setting'],
    ['/settings/inputs/0/inputClippings', [{}], 'needs startTimecode or endTimecode'],
    [
      '/settings/inputs/0/inputClippings',
      [{ startTimecode: '00:00:02:00', endTimecode: '00:00:01:00' }],
      'must be later than startTimecode',
    ],
    ['/settings/inputs/0/inputClippings', [{ startTimecode: '2 seconds' }], 'must be a timecode'],
    ['/settings/inputs/0/audioSelectors', undefined, 'has no audioSelectors'],
    ['/settings/outputGroups', [], '/settings/outputGroups'],
    ['/settings/outputGroups/0/outputGroupSettings/type', 'HLS_GROUP_SETTINGS', '/settings/outputGroups/0'],
    [`${CMAF}/destination`, 'vod/vid_1/', 's3://bucket/prefix'],
    [`${CMAF}/destination`, 's3://vod/$fn$/', 'format identifiers'],
    [`${CMAF}/destination`, 's3://vod/a/../b/', 'must not contain'],
    [`${CMAF}/segmentLength`, 0, `${CMAF}/segmentLength`],
    [`${CMAF}/fragmentLength`, 3, 'must not exceed segmentLength'],
    [`${CMAF}/segmentControl`, 'SINGLE_FILE', 'must be one of SEGMENTED_FILES'],
    [`${CMAF}/encryption`, { encryptionMethod: 'AES_CTR' }, `${CMAF}/encryption: unknown setting`],
    [`${CMAF}/imageBasedTrickPlay`, 'ADVANCED', 'imageBasedTrickPlaySettings'],
    [`${CMAF}/imageBasedTrickPlaySettings`, { tileWidth: 5 }, 'goes with imageBasedTrickPlay ADVANCED'],
    [
      '/settings/inputs/0/imageInserter',
      { insertableImages: [{ imageInserterInput: 's3://assets/wm.jpg', imageX: 0, imageY: 0, layer: 1 }] },
      'must name a picture file: .png, .bmp',
    ],
    [
      '/settings/inputs/0/imageInserter',
      { insertableImages: [{ imageInserterInput: 's3://assets/wm.png', layer: 1 }] },
      'imageX: is required',
    ],
    [
      '/settings/inputs/0/captionSelectors',
      {
        cap1: {
          sourceSettings: { sourceType: 'SRT', fileSourceSettings: { sourceFile: 's3://raw/captions' } },
        },
      },
      'must name a caption file: .srt, .vtt, .webvtt',
    ],
    [
      '/settings/outputGroups/0/outputs/2/audioDescriptions/0/audioNormalizationSettings/algorithm',
      'ITU_BS_1770_1',
      'must be one of ITU_BS_1770_2',
    ],
    [
      `${OUTPUT}/videoDescription/videoPreprocessors`,
      { colorCorrector: { colorSpaceConversion: 'FORCE_HDR10' } },
      'must be one of NONE, FORCE_709',
    ],
    [`${OUTPUT}/containerSettings/container`, 'MP4', 'must be CMFC'],
    [`${OUTPUT}/nameModifier`, undefined, 'nameModifier: is required'],
    [`${OUTPUT}/nameModifier`, '_90', 'would overwrite the files of'],
    [`${OUTPUT}/nameModifier`, '/../x', 'must not contain a slash'],
    [`${OUTPUT}/preset`, 'System-Avc', `${OUTPUT}/preset: unknown setting`],
    [`${OUTPUT}/videoDescription/width`, 31, `${OUTPUT}/videoDescription/width`],
    [`${OUTPUT}/videoDescription/scalingBehavior`, 'SMART_CROP', 'must be one of DEFAULT'],
    [`${OUTPUT}/videoDescription/codecSettings/codec`, 'AV1', `${OUTPUT}/videoDescription/codecSettings`],
    [`${H264}/maxBitrate`, undefined, 'maxBitrate: is required for QVBR'],
    [`${H264}/bitrate`, 1_000_000, 'does not go with QVBR'],
    [`${H264}/rateControlMode`, 'VBR', 'bitrate: is required for VBR'],
    [`${H264}/qvbrSettings/qvbrQualityLevel`, 11, 'qvbrQualityLevel'],
    [`${H264}/framerateControl`, 'SPECIFIED', 'framerateNumerator and framerateDenominator are required'],
    [`${H264}/codecProfile`, 'HIGH_422', 'must be one of BASELINE'],
    [`${H264}/interlaceMode`, 'TOP_FIELD', 'must be one of PROGRESSIVE'],
    [
      '/settings/outputGroups/0/outputs/2/audioDescriptions/0/audioSourceName',
      'Nobody',
      'no audio selector named Nobody',
    ],
    [
      '/settings/outputGroups/0/outputs/2/audioDescriptions/0/codecSettings/aacSettings/sampleRate',
      12345,
      'must be one of 8000',
    ],
    [
      '/settings/outputGroups/0/outputs/2/audioDescriptions/0/audioNormalizationSettings/targetLkfs',
      -60,
      'targetLkfs',
    ],
    [
      '/settings/outputGroups/0/outputs/2/captionDescriptions',
      [{ captionSelectorName: 'cap1', destinationSettings: { destinationType: 'WEBVTT' } }],
      'no caption selector named cap1',
    ],
    [
      '/settings/outputGroups/1/outputs/0/containerSettings/container',
      'MP4',
      'FRAME_CAPTURE needs container RAW',
    ],
  ])('%s = %j', async (pointer, value, message) => {
    const answer = await post(bodyWith(pointer, value));
    expect(answer).toMatchObject({ status: 400, type: 'BadRequestException' });
    expect(answer.message).toContain(message);
  });

  it('when audio shares a CMAF output with video', async () => {
    const mixed = { ...videoOutput('_v', 320, 180), AudioDescriptions: audioOutput().AudioDescriptions };
    const answer = await post(wire(ladderJob({}, [cmafGroup('s3://vod/x/', [mixed])])));
    expect(answer.message).toContain('put each audio and each caption track in its own output');
  });

  it('when frame capture is all there is', async () => {
    const answer = await post(wire(ladderJob({}, [captureGroup('s3://vod/x/t', 1, 1)])));
    expect(answer.message).toContain('frame capture cannot be the only output');
  });

  it('when neither manifest is written', async () => {
    const group = cmafGroup('s3://vod/x/', [videoOutput('_v', 320, 180)]);
    Object.assign(group.OutputGroupSettings?.CmafGroupSettings ?? {}, {
      WriteHlsManifest: 'DISABLED',
      WriteDashManifest: 'DISABLED',
    });
    expect((await post(wire(ladderJob({}, [group])))).message).toContain('at least one of');
  });

  it('when the console spelling goes over the wire', async () => {
    const answer = await post(ladderJob());
    expect(answer).toMatchObject({ status: 400, type: 'BadRequestException' });
    expect(answer.message).toContain('lowerCamelCase');
  });

  it.each(['', '[]', '"x"', 'null', '{', '{"settings":', `${'['.repeat(50_000)}`])(
    'when the body is %j',
    async (body) => {
      expect(await post(body)).toMatchObject({ status: 400, type: 'BadRequestException' });
    },
  );

  it('when it is larger than a megabyte', async () => {
    expect((await post(JSON.stringify({ role: 'x'.repeat(1_100_000) }))).status).toBe(413);
  });

  it('and none of it leaves a job behind', () => {
    expect(cloud.events).toEqual([]);
  });
});
