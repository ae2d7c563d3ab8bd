import { randomUUID } from 'node:crypto';
import type { EventBridgeEvent } from '../../events/index.ts';
import type { MediaProbe } from '../../ffmpeg/index.ts';
import { bitDepth, probeCodec } from '../probe/codecs.ts';
import { countWarnings, type JobPhase, type JobRecord } from './job.ts';

export type EventSource = { region: string; accountId: string; now: () => Date };

const PHASES: readonly JobPhase[] = ['PROBING', 'TRANSCODING', 'UPLOADING'];

/** `MediaConvert Job State Change` in its EventBridge envelope; `extra` joins the fields every such event has. */
export function jobEvent(
  source: EventSource,
  job: JobRecord,
  status: string,
  extra: Record<string, unknown> = {},
): EventBridgeEvent {
  const at = source.now();
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'MediaConvert Job State Change',
    source: 'aws.mediaconvert',
    account: source.accountId,
    time: `${at.toISOString().slice(0, 19)}Z`,
    region: source.region,
    resources: [job.arn],
    detail: {
      timestamp: at.getTime(),
      accountId: source.accountId,
      queue: job.queueArn,
      jobId: job.id,
      status,
      userMetadata: job.request.userMetadata ?? {},
      ...extra,
    },
  };
}

export function statusUpdate(
  job: JobRecord,
  phase: JobPhase,
  phasePercent: number,
  framesDecoded: number,
): Record<string, unknown> {
  const current = PHASES.indexOf(phase);
  const phaseProgress = Object.fromEntries(
    PHASES.map((name, index) => [
      name,
      index < current
        ? { status: 'COMPLETE', percentComplete: 100 }
        : index === current
          ? { status: 'PROGRESSING', percentComplete: phasePercent }
          : { status: 'PENDING', percentComplete: 0 },
    ]),
  );
  return {
    framesDecoded,
    jobProgress: {
      phaseProgress,
      jobPercentComplete: job.percentComplete ?? 0,
      currentPhase: phase,
      retryCount: Math.max(0, job.attempts - 1),
    },
  };
}

export function inputInformation(job: JobRecord, probe: MediaProbe): Record<string, unknown> {
  const audio: Record<string, unknown>[] = [];
  const video: Record<string, unknown>[] = [];
  for (const stream of probe.streams) {
    const streamId = stream.index + 1;
    if (stream.kind === 'audio') {
      audio.push({
        channels: stream.channels,
        codec: probeCodec(stream.codec),
        language: (stream.language ?? 'und').toUpperCase(),
        sampleRate: stream.sampleRate,
        streamId,
      });
    } else if (stream.kind === 'video') {
      const rate = stream.framesPerSecond;
      const { numerator, denominator } = stream.sampleAspect;
      const codec = probeCodec(stream.codec);
      video.push({
        bitDepth: bitDepth(stream.pixelFormat),
        codec: codec === 'AVC' ? 'H_264' : codec === 'HEVC' ? 'H_265' : codec,
        ...(rate ? { frameRate: Number((rate.numerator / rate.denominator).toFixed(3)) } : {}),
        height: stream.height,
        interlaceMode: stream.interlaced ? 'INTERLACED' : 'PROGRESSIVE',
        sar: `${numerator}:${denominator}`,
        streamId,
        width: stream.width,
      });
    }
  }
  return { inputDetails: [{ id: 1, uri: job.request.settings.inputs[0]?.fileInput, audio, video }] };
}

export function completion(job: JobRecord): Record<string, unknown> {
  return {
    warnings: countWarnings(job),
    outputGroupDetails: job.outputGroups ?? [],
    paddingInserted: 0,
    blackVideoDetected: 0,
  };
}
