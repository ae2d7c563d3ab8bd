import type { Output } from '../settings/create-job.ts';
import type { BuildContext } from './build.ts';
import { aacArgs, capturePlan, frameRateFor, h264Args } from './codecs.ts';
import type { PlannedCaptures, PlannedFile, PlannedFileGroup, PlannedMovie } from './plan.ts';
import { targetOf } from './target.ts';

/** Plans a file group: MP4 downloads, animated GIFs and frame captures, each an output of its own. */
export function buildFileGroup(
  context: BuildContext,
  destination: string,
  outputs: readonly Output[],
  groupIndex: number,
): { args: string[]; group: PlannedFileGroup } | undefined {
  const directory = `group-${groupIndex}`;
  const files: PlannedFile[] = [];
  const args: string[] = [];
  for (const [index, output] of outputs.entries()) {
    const made = planFile(context, output, directory, groupIndex, index);
    if (!made) continue;
    files.push(made.file);
    args.push(...made.args);
  }
  if (files.length === 0) return undefined;
  context.directories.push(directory);
  const target = targetOf(destination, context.input.fileInput);
  return { args, group: { type: 'FILE_GROUP', target, outputs: files } };
}

function planFile(
  context: BuildContext,
  output: Output,
  directory: string,
  groupIndex: number,
  index: number,
): { file: PlannedFile; args: string[] } | undefined {
  switch (output.videoDescription?.codecSettings.codec) {
    case 'FRAME_CAPTURE':
      return planCaptures(context, output, `${directory}/captures-${index}`);
    case 'GIF':
      return planGif(context, output, `${directory}/movie-${index}.gif`);
    default:
      return planMovie(
        context,
        output,
        `${directory}/movie-${index}.mp4`,
        `/settings/outputGroups/${groupIndex}/outputs/${index}`,
      );
  }
}

/** An animated GIF that repeats for ever. Every frame has a palette of its own, so that no film has to fit into memory. */
function planGif(
  context: BuildContext,
  output: Output,
  file: string,
): { file: PlannedMovie; args: string[] } | undefined {
  const description = output.videoDescription;
  if (description?.codecSettings.codec !== 'GIF') return undefined;
  const rate = frameRateFor(
    description.codecSettings.gifSettings ?? {},
    context.video?.stream.framesPerSecond,
  );
  const made = context.videoPad(output, description, `fps=${rate.numerator}/${rate.denominator},`);
  const { graph } = context;
  const [sample, picture, palette, pad] = [graph.label(), graph.label(), graph.label(), graph.label()];
  graph.chain([made.pad], 'format=rgb24,split=2', [sample, picture]);
  graph.chain([sample], 'palettegen=stats_mode=single', [palette]);
  graph.chain([picture, palette], 'paletteuse=new=1', [pad]);
  return {
    file: {
      kind: 'movie',
      file,
      nameModifier: output.nameModifier ?? '',
      extension: output.extension ?? 'gif',
      contentType: 'image/gif',
      video: { width: made.framing.width, height: made.framing.height },
    },
    args: ['-map', `[${pad}]`, '-c:v', 'gif', '-loop', '0', '-f', 'gif', file],
  };
}

function planCaptures(
  context: BuildContext,
  output: Output,
  directory: string,
): { file: PlannedCaptures; args: string[] } | undefined {
  const description = output.videoDescription;
  if (description?.codecSettings.codec !== 'FRAME_CAPTURE') return undefined;
  const capture = capturePlan(description.codecSettings.frameCaptureSettings, context.durationSeconds);
  // Rounding up makes tick n carry the frame that is on screen at n/rate seconds, starting with the first frame.
  const { pad, framing } = context.videoPad(
    output,
    description,
    `fps=${capture.rate.numerator}/${capture.rate.denominator}:round=up,`,
  );
  context.directories.push(directory);
  return {
    file: {
      kind: 'captures',
      directory,
      nameModifier: output.nameModifier ?? '',
      extension: output.extension ?? 'jpg',
      width: framing.width,
      height: framing.height,
    },
    args: [
      ...['-map', `[${pad}]`, '-frames:v', String(capture.count)],
      ...['-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p', '-q:v', String(capture.jpegScale)],
      ...['-f', 'image2', '-start_number', '0', `${directory}/%07d.jpg`],
    ],
  };
}

function planMovie(
  context: BuildContext,
  output: Output,
  file: string,
  path: string,
): { file: PlannedMovie; args: string[] } | undefined {
  const maps: string[] = [];
  const codecs: string[] = [];
  let video: PlannedMovie['video'];
  const description = output.videoDescription;
  if (description?.codecSettings.codec === 'H_264') {
    const h264 = description.codecSettings.h264Settings;
    const rate = frameRateFor(h264, context.video?.stream.framesPerSecond);
    const made = context.videoPad(output, description, `fps=${rate.numerator}/${rate.denominator},`);
    video = { width: made.framing.width, height: made.framing.height };
    maps.push('-map', `[${made.pad}]`);
    codecs.push(...h264Args(h264, 'v:0', rate, context.request.preset, undefined));
  }
  let tracks = 0;
  for (const [index, audio] of (output.audioDescriptions ?? []).entries()) {
    const source = context.audioPad(audio, `${path}/audioDescriptions/${index}`);
    if (!source) continue;
    maps.push('-map', `[${source.pad}]`);
    codecs.push(...aacArgs(audio.codecSettings.aacSettings, `a:${tracks}`));
    tracks += 1;
  }
  if (maps.length === 0) return undefined;
  const mp4 = output.containerSettings.container === 'MP4' ? output.containerSettings.mp4Settings : undefined;
  return {
    file: {
      kind: 'movie',
      file,
      nameModifier: output.nameModifier ?? '',
      extension: output.extension ?? 'mp4',
      contentType: video ? 'video/mp4' : 'audio/mp4',
      video,
    },
    args: [
      ...maps,
      ...codecs,
      ...['-map_metadata', '-1', '-map_chapters', '-1', '-max_muxing_queue_size', '9999'],
      ...(mp4?.moovPlacement === 'NORMAL' ? [] : ['-movflags', '+faststart']),
      ...['-f', 'mp4', file],
    ],
  };
}
