import { initFileName, segmentFilePrefix } from '../package/rendition.ts';
import type { CmafGroupSettings, Output } from '../settings/create-job.ts';
import type { BuildContext } from './build.ts';
import { aacArgs, frameRateFor, gopSecondsOf, h264Args, peakBitrate } from './codecs.ts';
import { colorFilters } from './color.ts';
import {
  captionLanguage,
  languageTag,
  type PlannedAudioTrack,
  type PlannedCmafGroup,
  type PlannedSubtitles,
  type PlannedTrack,
  type PlannedVideoTrack,
  WARNING_NO_CAPTIONS,
} from './plan.ts';
import { planTrickPlays } from './plan-trick-play.ts';
import { targetOf } from './target.ts';

export const DEFAULT_SEGMENT_SECONDS = 10;
const DEFAULT_FRAGMENT_SECONDS = 2;

/** Plans a CMAF group: one segmenter run for all its tracks, which HLS and DASH then share. */
export function buildCmafGroup(
  context: BuildContext,
  settings: CmafGroupSettings,
  outputs: readonly Output[],
  groupIndex: number,
): { args: string[]; group: PlannedCmafGroup } | undefined {
  const directory = `group-${groupIndex}`;
  const tracks: PlannedTrack[] = [];
  const subtitles: PlannedSubtitles[] = [];
  const maps: string[] = [];
  const codecs: string[] = [];
  const counts = { video: 0, audio: 0 };
  for (const [index, output] of outputs.entries()) {
    const path = `/settings/outputGroups/${groupIndex}/outputs/${index}`;
    if (output.videoDescription) {
      const made = planVideo(context, settings, output, tracks.length, `v:${counts.video}`);
      tracks.push(made.track);
      maps.push('-map', `[${made.pad}]`);
      codecs.push(...made.args);
      counts.video += 1;
    } else if (output.audioDescriptions?.length) {
      const made = planAudio(context, output, tracks, `a:${counts.audio}`, `${path}/audioDescriptions/0`);
      if (!made) continue;
      tracks.push(made.track);
      maps.push('-map', `[${made.pad}]`);
      codecs.push(...made.args);
      counts.audio += 1;
    } else {
      subtitles.push(...planSubtitles(context, output, path));
    }
  }
  if (tracks.length === 0) return undefined;
  context.directories.push(directory);
  const group: PlannedCmafGroup = {
    type: 'CMAF_GROUP',
    target: targetOf(settings.destination, context.input.fileInput),
    directory,
    settings,
    tracks,
    subtitles,
    trickPlays: [],
  };
  const args = [...maps, ...codecs, ...segmenterArgs(settings), `${directory}/ignored.mpd`];
  const gopSeconds = firstGopSeconds(outputs, context);
  if (gopSeconds !== undefined) {
    const [corrector] = outputs.flatMap(
      ({ videoDescription }) => videoDescription?.videoPreprocessors?.colorCorrector ?? [],
    );
    const colors = colorFilters(corrector, context.video?.stream);
    for (const made of planTrickPlays(context, settings, directory, gopSeconds, colors)) {
      group.trickPlays.push(made.trickPlay);
      args.push(...made.args);
    }
  }
  return { args, group };
}

function segmenterArgs(settings: CmafGroupSettings): string[] {
  return [
    ...['-map_metadata', '-1', '-map_chapters', '-1', '-max_muxing_queue_size', '9999'],
    ...['-f', 'dash', '-dash_segment_type', 'mp4', '-use_template', '1', '-use_timeline', '1'],
    ...['-seg_duration', String(settings.segmentLength ?? DEFAULT_SEGMENT_SECONDS)],
    ...[
      '-frag_type',
      'duration',
      '-frag_duration',
      String(settings.fragmentLength ?? DEFAULT_FRAGMENT_SECONDS),
    ],
    ...['-init_seg_name', initFileName('$RepresentationID$')],
    ...['-media_seg_name', `${segmentFilePrefix('$RepresentationID$')}$Number%09d$.m4s`],
  ];
}

function planVideo(
  context: BuildContext,
  settings: CmafGroupSettings,
  output: Output,
  stream: number,
  specifier: string,
): { track: PlannedVideoTrack; pad: string; args: string[] } {
  const description = output.videoDescription;
  if (description?.codecSettings.codec !== 'H_264') throw new Error('a CMAF video output must be H.264');
  const h264 = description.codecSettings.h264Settings;
  const frameRate = frameRateFor(h264, context.video?.stream.framesPerSecond);
  const { pad, framing } = context.videoPad(
    output,
    description,
    `fps=${frameRate.numerator}/${frameRate.denominator},`,
  );
  const exact = settings.segmentLengthControl === 'EXACT' ? settings.segmentLength : undefined;
  return {
    pad,
    args: h264Args(h264, specifier, frameRate, context.request.preset, exact),
    track: {
      kind: 'video',
      stream,
      nameModifier: output.nameModifier ?? '',
      width: framing.width,
      height: framing.height,
      frameRate,
      maxBitrate: peakBitrate(h264),
      audioGroup: cmfc(output)?.audioRenditionSets,
      iFramePlaylist: cmfc(output)?.iFrameOnlyManifest === 'INCLUDE',
    },
  };
}

function planAudio(
  context: BuildContext,
  output: Output,
  tracks: readonly PlannedTrack[],
  specifier: string,
  path: string,
): { track: PlannedAudioTrack; pad: string; args: string[] } | undefined {
  const [description] = output.audioDescriptions ?? [];
  if (!description) return undefined;
  const source = context.audioPad(description, path);
  if (!source) return undefined;
  const aac = description.codecSettings.aacSettings;
  const configured = languageTag(description.customLanguageCode ?? description.languageCode);
  const followed = languageTag(source.stream.language) ?? configured;
  const trackType = cmfc(output)?.audioTrackType;
  const group = cmfc(output)?.audioGroupId;
  const isFirst = !tracks.some((track) => track.kind === 'audio' && track.group === group);
  const language = description.languageCodeControl === 'USE_CONFIGURED' ? configured : followed;
  const earlier = tracks.filter((track) => track.kind === 'audio').length;
  return {
    pad: source.pad,
    args: aacArgs(aac, specifier),
    track: {
      kind: 'audio',
      stream: tracks.length,
      nameModifier: output.nameModifier ?? '',
      channels: aac.codingMode === 'CODING_MODE_1_0' ? 1 : aac.codingMode === 'CODING_MODE_5_1' ? 6 : 2,
      language,
      name: description.streamName ?? (language ? languageName(language) : `Audio ${earlier + 1}`),
      group,
      isDefault: trackType ? trackType === 'ALTERNATE_AUDIO_AUTO_SELECT_DEFAULT' : isFirst,
      autoSelect: trackType !== 'ALTERNATE_AUDIO_NOT_AUTO_SELECT',
    },
  };
}

function planSubtitles(context: BuildContext, output: Output, path: string): PlannedSubtitles[] {
  return (output.captionDescriptions ?? []).flatMap((caption) => {
    if (caption.destinationSettings.destinationType !== 'WEBVTT') return [];
    const cues = context.request.captions.get(caption.captionSelectorName) ?? [];
    if (cues.length === 0) {
      context.warnings.push({
        code: WARNING_NO_CAPTIONS,
        message: `${path}: no caption falls inside the output`,
      });
    }
    const language = captionLanguage(caption);
    return [
      {
        nameModifier: output.nameModifier ?? '',
        cues,
        language,
        name:
          caption.languageDescription ?? (language ? languageName(language) : caption.captionSelectorName),
        accessibility: caption.destinationSettings.webvttDestinationSettings?.accessibility === 'ENABLED',
      },
    ];
  });
}

function firstGopSeconds(outputs: readonly Output[], context: BuildContext): number | undefined {
  for (const { videoDescription } of outputs) {
    if (videoDescription?.codecSettings.codec !== 'H_264') continue;
    const h264 = videoDescription.codecSettings.h264Settings;
    return gopSecondsOf(h264, frameRateFor(h264, context.video?.stream.framesPerSecond));
  }
  return undefined;
}

function cmfc(output: Output) {
  return output.containerSettings.container === 'CMFC' ? output.containerSettings.cmfcSettings : undefined;
}

function languageName(tag: string): string {
  return new Intl.DisplayNames(['en'], { type: 'language' }).of(tag) ?? tag;
}
