import { z } from 'zod';
import { integer, list } from './fields.ts';
import { defineSection } from './section.ts';

// The algorithm identifier of an EC key on P-384, as it stands at the head of its PKCS #8 form (RFC 5208, RFC 5480).
const p384 = '06072a8648ce3d020106052b81040022';

/** A P-384 private key in PKCS #8, undefined when none is set. */
const playbackKey = () =>
  z
    .string()
    .regex(/^[A-Za-z0-9+/]*={0,2}$/, 'must be PKCS #8 in base64, without PEM lines')
    .transform((text, context): Uint8Array<ArrayBuffer> | undefined => {
      if (text === '') return undefined;
      const pkcs8 = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
      const head = Array.from(pkcs8.subarray(0, 64), (byte) => byte.toString(16).padStart(2, '0')).join('');
      if (head.includes(p384)) return pkcs8;
      context.addIssue({ code: 'custom', message: 'must be an EC key on P-384, in PKCS #8' });
      return z.NEVER;
    });

const ivsArn = (kind: string) =>
  z.union([
    z.literal(''),
    z
      .string()
      .max(128)
      .refine(
        (arn) => arn.startsWith('arn:aws') && arn.includes(':ivs:') && arn.includes(`:${kind}/`),
        `must be the ARN of a ${kind}`,
      ),
  ]);

export const channelTypes = ['STANDARD', 'BASIC', 'ADVANCED_SD', 'ADVANCED_HD'] as const;

export const liveSection = defineSection('Live streams', {
  channelPoolSize: {
    env: 'LIVE_CHANNEL_POOL_SIZE',
    schema: integer(0, 500),
    default: '20',
    doc: 'Channels kept ready at IVS for people who begin to stream. IVS makes five a second for the whole account, which nobody can raise.',
  },
  channelTypes: {
    env: 'LIVE_CHANNEL_TYPES',
    schema: list().pipe(z.array(z.enum(channelTypes)).min(1)),
    default: 'STANDARD,BASIC',
    doc: 'Types of IVS channels owners can choose from, comma-separated; the first is what new channels are. `ADVANCED_HD` costs several times as much.',
  },
  rtmpPort: {
    env: 'LIVE_RTMP_PORT',
    schema: integer(1, 65_535),
    default: '1935',
    doc: 'Port of ingest without TLS, for channels whose owners allow that.',
  },
  recordingConfigurationArn: {
    env: 'LIVE_RECORDING_CONFIGURATION_ARN',
    schema: ivsArn('recording-configuration'),
    default: '',
    doc: 'IVS recording configuration that every channel gets. Empty: nothing is recorded.',
  },
  playbackKey: {
    env: 'LIVE_PLAYBACK_KEY',
    schema: playbackKey(),
    default: '',
    doc: 'Private key (P-384, PKCS #8 in base64) that signs playback tokens; IVS has its public half. Made by `npm run live:keys`. Without one nobody can watch, which production refuses.',
    secret: true,
  },
  playbackTokenSeconds: {
    env: 'LIVE_PLAYBACK_TOKEN_SECONDS',
    schema: integer(30, 600),
    default: '300',
    unit: 'seconds',
    doc: 'Life of a playback token; a player uses it when it begins, and what it plays goes on. IVS takes none for longer than ten minutes.',
  },
  reconnectSeconds: {
    env: 'LIVE_RECONNECT_SECONDS',
    schema: integer(5, 300),
    default: '60',
    unit: 'seconds',
    doc: 'How long an encoder may be gone before its stream is over. The recording configuration should wait as long, so that it goes on with the same recording.',
  },
  chatClosesAfterSeconds: {
    env: 'LIVE_CHAT_CLOSES_AFTER_SECONDS',
    schema: integer(0, 3_600),
    default: '300',
    unit: 'seconds',
    doc: 'How long after the end of a stream its chat room stays open.',
  },
});
