import { type AbrSettings, DEFAULT_MAX_ABR_BITRATE, DEFAULT_MIN_ABR_BITRATE } from './automated-abr.ts';
import type { OutputGroup } from './create-job.ts';

type Size = { width: number; height: number };

/**
 * What a job with automated ABR may not ask for.
 * Rules: https://docs.aws.amazon.com/mediaconvert/latest/ug/feature-restrictions-for-automated-abr.html
 */
export function checkAutomatedAbr(groups: readonly OutputGroup[], problems: string[]): void {
  const streaming = groups.filter((group) => group.outputGroupSettings.type === 'CMAF_GROUP_SETTINGS');
  const automated = groups.filter((group) => group.automatedEncodingSettings !== undefined);
  if (automated.length > 0 && streaming.some((group) => group.automatedEncodingSettings === undefined)) {
    problems.push('/settings/outputGroups: either all ABR output groups of a job use automated ABR, or none');
  }
  groups.forEach((group, index) => {
    const settings = group.automatedEncodingSettings?.abrSettings;
    if (!settings) return;
    const path = `/settings/outputGroups/${index}`;
    checkBase(group, path, problems);
    checkLimits(settings, `${path}/automatedEncodingSettings/abrSettings`, problems);
  });
}

function checkBase(group: OutputGroup, path: string, problems: string[]): void {
  if (group.outputGroupSettings.type !== 'CMAF_GROUP_SETTINGS') {
    problems.push(`${path}/automatedEncodingSettings: goes with an ABR output group only`);
  }
  const videos = group.outputs.flatMap(({ videoDescription }, index) =>
    videoDescription ? [{ videoDescription, at: `${path}/outputs/${index}/videoDescription` }] : [],
  );
  const [base] = videos;
  if (!base || videos.length > 1) {
    problems.push(`${path}/outputs: automated ABR needs exactly one video output to start from`);
    return;
  }
  const { codecSettings, scalingBehavior } = base.videoDescription;
  if (scalingBehavior === 'FIT_NO_UPSCALE') {
    problems.push(`${base.at}/scalingBehavior: FIT_NO_UPSCALE does not go with automated ABR`);
  }
  if (codecSettings.codec !== 'H_264') return;
  const h264 = codecSettings.h264Settings;
  const at = `${base.at}/codecSettings/h264Settings`;
  if (h264.rateControlMode !== 'QVBR') problems.push(`${at}/rateControlMode: automated ABR needs QVBR`);
  if (h264.qualityTuningLevel !== 'MULTI_PASS_HQ') {
    problems.push(`${at}/qualityTuningLevel: automated ABR needs MULTI_PASS_HQ`);
  }
}

function checkLimits(settings: AbrSettings, at: string, problems: string[]): void {
  const { minAbrBitrate = DEFAULT_MIN_ABR_BITRATE, maxAbrBitrate = DEFAULT_MAX_ABR_BITRATE } = settings;
  if (minAbrBitrate > maxAbrBitrate) problems.push(`${at}/minAbrBitrate: must not exceed maxAbrBitrate`);
  const rules = settings.rules ?? [];
  const types = rules.map((rule) => rule.type);
  if (new Set(types).size < types.length) problems.push(`${at}/rules: each type of rule can stand once`);
  if (types.includes('FORCE_INCLUDE_RENDITIONS') && types.includes('ALLOWED_RENDITIONS')) {
    problems.push(`${at}/rules: FORCE_INCLUDE_RENDITIONS and ALLOWED_RENDITIONS exclude each other`);
  }
  const top = rules.find((rule) => rule.type === 'MIN_TOP_RENDITION_SIZE')?.minTopRenditionSize;
  const bottom = rules.find((rule) => rule.type === 'MIN_BOTTOM_RENDITION_SIZE')?.minBottomRenditionSize;
  if (top && bottom && !reaches(top, bottom)) {
    problems.push(`${at}/rules: minBottomRenditionSize must not exceed minTopRenditionSize`);
  }
  const forced = rules.find((rule) => rule.type === 'FORCE_INCLUDE_RENDITIONS')?.forceIncludeRenditions ?? [];
  if (settings.maxRenditions !== undefined && forced.length > settings.maxRenditions) {
    problems.push(`${at}/rules: forces more renditions than maxRenditions allows`);
  }
  if (bottom && forced.some((size) => !reaches(size, bottom))) {
    problems.push(`${at}/rules: forces a rendition below minBottomRenditionSize`);
  }
  const allowed = rules.find((rule) => rule.type === 'ALLOWED_RENDITIONS')?.allowedRenditions;
  for (const least of [top, bottom]) {
    if (least && allowed && !allowed.some((size) => reaches(size, least))) {
      problems.push(`${at}/rules: allows no rendition of at least ${least.width}x${least.height}`);
    }
  }
}

const reaches = (size: Size, least: Size): boolean =>
  size.width >= least.width && size.height >= least.height;
