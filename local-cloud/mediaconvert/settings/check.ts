import { checkAutomatedAbr } from './check-automated-abr.ts';
import { checkVideo } from './check-video.ts';
import type { CmafGroupSettings, CreateJobBody, Input, Output, OutputGroup } from './create-job.ts';
import { timecodeOrder } from './timecode.ts';

/** Rules between settings, which a schema of single settings cannot express. Returns one sentence per breach. */
export function checkJob(body: CreateJobBody): string[] {
  const problems: string[] = [];
  const { inputs, outputGroups } = body.settings;
  const [input] = inputs;
  if (!input) return ['/settings/inputs: is required'];
  checkInput(input, problems);
  for (const [index, group] of outputGroups.entries()) {
    checkGroup(group, `/settings/outputGroups/${index}`, input, problems);
  }
  const outputs = outputGroups.flatMap((group) => group.outputs);
  if (outputs.every((output) => codecOf(output) === 'FRAME_CAPTURE')) {
    problems.push('/settings/outputGroups: frame capture cannot be the only output of a job');
  }
  checkNames(outputGroups, problems);
  checkAutomatedAbr(outputGroups, problems);
  return problems;
}

function checkInput(input: Input, problems: string[]): void {
  input.inputClippings?.forEach((clip, index) => {
    const path = `/settings/inputs/0/inputClippings/${index}`;
    if (!clip.startTimecode && !clip.endTimecode)
      problems.push(`${path}: needs startTimecode or endTimecode`);
    if (
      clip.startTimecode &&
      clip.endTimecode &&
      timecodeOrder(clip.startTimecode) >= timecodeOrder(clip.endTimecode)
    ) {
      problems.push(`${path}/endTimecode: must be later than startTimecode`);
    }
  });
  for (const [name, selector] of Object.entries(input.audioSelectors ?? {})) {
    const path = `/settings/inputs/0/audioSelectors/${name}`;
    const byLanguage = selector.selectorType === 'LANGUAGE_CODE';
    if (byLanguage && !selector.languageCode && !selector.customLanguageCode) {
      problems.push(`${path}/languageCode: is required for selectorType LANGUAGE_CODE`);
    }
    if (byLanguage && selector.tracks)
      problems.push(`${path}/tracks: does not go with selectorType LANGUAGE_CODE`);
  }
}

function checkGroup(group: OutputGroup, path: string, input: Input, problems: string[]): void {
  const isCmaf = group.outputGroupSettings.type === 'CMAF_GROUP_SETTINGS';
  if (group.outputGroupSettings.type === 'CMAF_GROUP_SETTINGS') {
    const settings = group.outputGroupSettings.cmafGroupSettings;
    const at = `${path}/outputGroupSettings/cmafGroupSettings`;
    if (settings.writeHlsManifest !== 'ENABLED' && settings.writeDashManifest !== 'ENABLED') {
      problems.push(`${at}: at least one of writeHlsManifest and writeDashManifest must be ENABLED`);
    }
    if ((settings.fragmentLength ?? 2) > (settings.segmentLength ?? 10)) {
      problems.push(`${at}/fragmentLength: must not exceed segmentLength`);
    }
    checkTrickPlay(settings, at, problems);
  }
  group.outputs.forEach((output, index) => {
    const at = `${path}/outputs/${index}`;
    if (isCmaf) checkCmafOutput(output, at, problems);
    else checkFileOutput(output, at, problems);
    checkVideo(output, at, group.automatedEncodingSettings !== undefined, problems);
    checkReferences(output, at, input, problems);
  });
}

function checkTrickPlay(settings: CmafGroupSettings, at: string, problems: string[]): void {
  const { imageBasedTrickPlay, imageBasedTrickPlaySettings: tiles } = settings;
  if ((imageBasedTrickPlay === 'ADVANCED') !== (tiles !== undefined)) {
    problems.push(
      `${at}/imageBasedTrickPlaySettings: goes with imageBasedTrickPlay ADVANCED, and only with it`,
    );
  }
  if (tiles?.intervalCadence === 'FOLLOW_IFRAME' && tiles.thumbnailInterval !== undefined) {
    problems.push(`${at}/imageBasedTrickPlaySettings/thumbnailInterval: goes with FOLLOW_CUSTOM only`);
  }
}

function checkCmafOutput(output: Output, path: string, problems: string[]): void {
  if (output.containerSettings.container !== 'CMFC') {
    problems.push(`${path}/containerSettings/container: must be CMFC in a CMAF group`);
  }
  const codec = codecOf(output);
  if (codec !== undefined && codec !== 'H_264') {
    problems.push(`${path}/videoDescription/codecSettings/codec: ${codec} belongs in a file group`);
  }
  const audio = output.audioDescriptions?.length ?? 0;
  const sidecars = (output.captionDescriptions ?? []).filter(
    (caption) => caption.destinationSettings.destinationType === 'WEBVTT',
  ).length;
  const kinds = (output.videoDescription ? 1 : 0) + audio + sidecars;
  if (kinds === 0) problems.push(`${path}: has neither video, audio nor captions`);
  if (kinds > 1) {
    problems.push(
      `${path}: a CMAF output holds one track; put each audio and each caption track in its own output`,
    );
  }
}

function checkFileOutput(output: Output, path: string, problems: string[]): void {
  const { container } = output.containerSettings;
  const codec = codecOf(output);
  const at = `${path}/containerSettings/container`;
  if (container === 'CMFC') problems.push(`${at}: CMFC belongs in a CMAF group`);
  if (container === 'RAW' && codec !== 'FRAME_CAPTURE') {
    problems.push(`${at}: RAW is supported for FRAME_CAPTURE only`);
  }
  if (container === 'GIF' && codec !== 'GIF') problems.push(`${at}: GIF needs the codec GIF`);
  if (container === 'MP4' && codec === 'FRAME_CAPTURE') {
    problems.push(`${at}: FRAME_CAPTURE needs container RAW`);
  }
  if (container !== 'GIF' && codec === 'GIF') problems.push(`${at}: the codec GIF needs container GIF`);
  if ((codec === 'FRAME_CAPTURE' || codec === 'GIF') && output.audioDescriptions?.length) {
    problems.push(`${path}/audioDescriptions: do not go with ${codec}`);
  }
  if (!output.videoDescription && !output.audioDescriptions?.length) {
    problems.push(`${path}: has neither video nor audio`);
  }
  output.captionDescriptions?.forEach((caption, index) => {
    if (caption.destinationSettings.destinationType === 'WEBVTT') {
      problems.push(`${path}/captionDescriptions/${index}: WEBVTT is supported in CMAF groups only`);
    }
  });
}

function checkReferences(output: Output, path: string, input: Input, problems: string[]): void {
  const selectors = Object.keys(input.audioSelectors ?? {});
  output.audioDescriptions?.forEach((audio, index) => {
    const at = `${path}/audioDescriptions/${index}/audioSourceName`;
    if (selectors.length === 0) problems.push(`${at}: the input has no audioSelectors to take audio from`);
    else if (audio.audioSourceName !== undefined && !selectors.includes(audio.audioSourceName)) {
      problems.push(`${at}: there is no audio selector named ${audio.audioSourceName}`);
    }
  });
  let burnIns = 0;
  output.captionDescriptions?.forEach((caption, index) => {
    const at = `${path}/captionDescriptions/${index}`;
    if (!input.captionSelectors?.[caption.captionSelectorName]) {
      problems.push(
        `${at}/captionSelectorName: there is no caption selector named ${caption.captionSelectorName}`,
      );
    }
    if (caption.destinationSettings.destinationType !== 'BURN_IN') return;
    burnIns += 1;
    if (!output.videoDescription) problems.push(`${at}: burn-in captions need video in the same output`);
    if (burnIns > 1) problems.push(`${at}: an output can burn in one caption track`);
  });
}

function checkNames(groups: readonly OutputGroup[], problems: string[]): void {
  const seen = new Map<string, string>();
  groups.forEach((group, groupIndex) => {
    const settings = group.outputGroupSettings;
    const destination =
      settings.type === 'CMAF_GROUP_SETTINGS'
        ? settings.cmafGroupSettings.destination
        : settings.fileGroupSettings.destination;
    group.outputs.forEach((output, index) => {
      const path = `/settings/outputGroups/${groupIndex}/outputs/${index}`;
      if (output.nameModifier === undefined && group.outputs.length > 1) {
        problems.push(`${path}/nameModifier: is required when a group has several outputs`);
        return;
      }
      const name = `${destination}\n${output.nameModifier ?? ''}\n${output.containerSettings.container}`;
      const earlier = seen.get(name);
      if (earlier) problems.push(`${path}: would overwrite the files of ${earlier}`);
      seen.set(name, path);
    });
  });
}

const codecOf = (output: Output) => output.videoDescription?.codecSettings.codec;
