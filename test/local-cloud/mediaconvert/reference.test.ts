import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { AwsClient } from 'aws4fetch';
import { expect, it } from 'vitest';
import { locateFfmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { ACCOUNT, CREDENTIALS, REGION, startCloud } from './harness.ts';
import { finished } from './jobs.ts';
import { decodeStrictly, makeClip } from './media.ts';
import { concatenate, mediaOf, variantsOf } from './playback.ts';

const queue = (name: string): string => `arn:aws:mediaconvert:${REGION}:${ACCOUNT}:queues/${name}`;

/** A full-featured request as it goes over the wire, every setting of it valid in the service's published model. */
const REFERENCE = {
  clientRequestToken: 'vid_1-1',
  role: `arn:aws:iam::${ACCOUNT}:role/MediaConvertRole`,
  queue: queue('Default'),
  priority: 0,
  hopDestinations: [{ queue: queue('Overflow'), waitMinutes: 15, priority: 0 }],
  accelerationSettings: { mode: 'PREFERRED' },
  statusUpdateInterval: 'SECONDS_20',
  userMetadata: { videoId: 'vid_1', attempt: '1' },
  tags: { app: 'social-flow' },
  settings: {
    timecodeConfig: { source: 'ZEROBASED' },
    inputs: [
      {
        fileInput: 's3://raw/uploads/film.mp4',
        timecodeSource: 'ZEROBASED',
        videoSelector: { rotate: 'AUTO', colorSpace: 'FOLLOW' },
        audioSelectors: { 'Audio Selector 1': { defaultSelection: 'DEFAULT' } },
        captionSelectors: {
          cap1: {
            languageCode: 'ENG',
            sourceSettings: {
              sourceType: 'SRT',
              fileSourceSettings: { sourceFile: 's3://raw/uploads/film.srt', timeDelta: 0 },
            },
          },
        },
        imageInserter: {
          insertableImages: [
            {
              imageInserterInput: 's3://assets/wm.png',
              imageX: 40,
              imageY: 40,
              width: 160,
              height: 48,
              layer: 1,
              opacity: 60,
            },
          ],
        },
      },
    ],
    outputGroups: [
      {
        name: 'abr',
        outputGroupSettings: {
          type: 'CMAF_GROUP_SETTINGS',
          cmafGroupSettings: {
            destination: 's3://vod/vid_1/v1/',
            segmentLength: 6,
            fragmentLength: 2,
            segmentControl: 'SEGMENTED_FILES',
            segmentLengthControl: 'GOP_MULTIPLE',
            writeHlsManifest: 'ENABLED',
            writeDashManifest: 'ENABLED',
            codecSpecification: 'RFC_6381',
            streamInfResolution: 'INCLUDE',
            imageBasedTrickPlay: 'ADVANCED',
            imageBasedTrickPlaySettings: {
              intervalCadence: 'FOLLOW_CUSTOM',
              thumbnailInterval: 10,
              thumbnailWidth: 312,
              thumbnailHeight: 176,
              tileWidth: 5,
              tileHeight: 5,
            },
          },
        },
        outputs: [
          {
            nameModifier: '_720',
            containerSettings: { container: 'CMFC' },
            videoDescription: {
              width: 1280,
              height: 720,
              scalingBehavior: 'FIT_NO_UPSCALE',
              codecSettings: {
                codec: 'H_264',
                h264Settings: {
                  rateControlMode: 'QVBR',
                  maxBitrate: 3_500_000,
                  qvbrSettings: { qvbrQualityLevel: 7 },
                  qualityTuningLevel: 'SINGLE_PASS_HQ',
                  sceneChangeDetect: 'TRANSITION_DETECTION',
                  gopSize: 2,
                  gopSizeUnits: 'SECONDS',
                  framerateControl: 'INITIALIZE_FROM_SOURCE',
                },
              },
            },
            captionDescriptions: [
              {
                captionSelectorName: 'cap1',
                languageCode: 'ENG',
                destinationSettings: {
                  destinationType: 'BURN_IN',
                  burninDestinationSettings: {
                    fontSize: 0,
                    fontColor: 'WHITE',
                    backgroundColor: 'BLACK',
                    backgroundOpacity: 128,
                    outlineColor: 'BLACK',
                    outlineSize: 2,
                    alignment: 'CENTERED',
                  },
                },
              },
            ],
          },
          {
            nameModifier: '_aud',
            containerSettings: { container: 'CMFC' },
            audioDescriptions: [
              {
                audioSourceName: 'Audio Selector 1',
                audioNormalizationSettings: {
                  algorithm: 'ITU_BS_1770_4',
                  algorithmControl: 'CORRECT_AUDIO',
                  targetLkfs: -16,
                  peakCalculation: 'TRUE_PEAK',
                  truePeakLimiterThreshold: -1,
                },
                codecSettings: {
                  codec: 'AAC',
                  aacSettings: {
                    bitrate: 128_000,
                    codingMode: 'CODING_MODE_2_0',
                    sampleRate: 48_000,
                    codecProfile: 'LC',
                  },
                },
              },
            ],
          },
          {
            nameModifier: '_vtt_en',
            containerSettings: { container: 'CMFC' },
            captionDescriptions: [
              {
                captionSelectorName: 'cap1',
                languageCode: 'ENG',
                languageDescription: 'English',
                destinationSettings: {
                  destinationType: 'WEBVTT',
                  webvttDestinationSettings: { accessibility: 'DISABLED' },
                },
              },
            ],
          },
        ],
      },
      {
        name: 'thumbs',
        outputGroupSettings: {
          type: 'FILE_GROUP_SETTINGS',
          fileGroupSettings: { destination: 's3://vod/vid_1/v1/thumbs/t' },
        },
        outputs: [
          {
            containerSettings: { container: 'RAW' },
            extension: 'jpg',
            videoDescription: {
              width: 1280,
              height: 720,
              codecSettings: {
                codec: 'FRAME_CAPTURE',
                frameCaptureSettings: {
                  framerateNumerator: 1,
                  framerateDenominator: 120,
                  maxCaptures: 5,
                  quality: 80,
                },
              },
            },
          },
        ],
      },
    ],
  },
};

it('a request with every feature in it is carried out in full', async () => {
  const ffmpeg = await locateFfmpeg();
  const cloud = await startCloud({ ffmpeg });
  try {
    mkdirSync(cloud.store.path('raw', 'uploads'));
    await makeClip(ffmpeg, cloud.store.path('raw', 'uploads/film.mp4'), { seconds: 8 });
    cloud.store.put('raw', 'uploads/film.srt', '1\n00:00:01,000 --> 00:00:02,000\nHello\n');
    const logo = cloud.store.path('assets', 'wm.png');
    const picture = ['-f', 'lavfi', '-i', 'color=white:size=40x20:duration=1', '-frames:v', '1'];
    await ffmpeg.run([...picture, logo], { cwd: dirname(logo) });

    const signer = new AwsClient({ ...CREDENTIALS, region: REGION, service: 'mediaconvert', retries: 0 });
    const response = await signer.fetch(`${cloud.url}/2017-08-29/jobs`, {
      method: 'POST',
      body: JSON.stringify(REFERENCE),
    });
    expect(response.status).toBe(201);
    const { job: created } = (await response.json()) as {
      job: { id: string; settings: unknown; createdAt: number };
    };
    expect(created.settings).toEqual(REFERENCE.settings);
    expect(Number.isInteger(created.createdAt)).toBe(true);

    const job = await finished(cloud, created.id);
    expect(job).toMatchObject({ Status: 'COMPLETE', AccelerationStatus: 'NOT_ACCELERATED', Warnings: [] });
    const master = cloud.store.text('vod', 'vid_1/v1/film.m3u8');
    const [variant] = variantsOf(master);
    expect(variant?.attributes).toMatchObject({
      RESOLUTION: '320x180',
      SUBTITLES: 'subs',
      AUDIO: 'program_audio',
    });
    expect(mediaOf(master, 'SUBTITLES')).toHaveLength(1);
    expect(mediaOf(master, 'AUDIO')).toHaveLength(1);
    expect(master).toContain('#EXT-X-IMAGE-STREAM-INF:');
    const film = concatenate(cloud.store, 'vod', 'vid_1/v1/', variant?.uri ?? '');
    expect((await decodeStrictly(ffmpeg, film)).frames).toBe(200);
    expect(cloud.store.keys('vod')).toContain('vid_1/v1/thumbs/t.0000000.jpg');
  } finally {
    await cloud.close();
  }
});
