import type { PlannedCmafGroup } from '../transcode/plan.ts';

/** File names of a CMAF group's outputs, as MediaConvert builds them from base name and name modifier. */
export const initName = (base: string, modifier: string, kind: 'video' | 'audio'): string =>
  `${base}${modifier}init.${extensionOf(kind)}`;

/** `number` counts from 1; DASH wants the `$Number%09d$` identifier in its place. */
export const segmentName = (
  base: string,
  modifier: string,
  kind: 'video' | 'audio',
  number: number | string,
): string => `${base}${modifier}_${padded(number)}.${extensionOf(kind)}`;

export const subtitleSegmentName = (base: string, modifier: string, number: number): string =>
  `${base}${modifier}_${padded(number)}.vtt`;

export const subtitleFileName = (base: string, modifier: string): string => `${base}${modifier}.vtt`;

export const tileName = (base: string, suffix: string, number: number | string): string =>
  `${base}${suffix}_${padded(number)}.jpg`;

export const tilePlaylistName = (base: string, suffix: string): string => `${base}${suffix}.m3u8`;

export const iFramePlaylistName = (base: string, modifier: string): string =>
  `${base}${modifier}_iframes.m3u8`;

export const playlistName = (base: string, modifier: string): string => `${base}${modifier}.m3u8`;

export const masterName = (group: PlannedCmafGroup): string => `${group.target.base}.m3u8`;

export const mpdName = (group: PlannedCmafGroup): string => `${group.target.base}.mpd`;

/** Relative URI of a sibling file. */
export const relativeUri = (name: string): string => encodeURIComponent(name);

function padded(number: number | string): string {
  return typeof number === 'number' ? String(number).padStart(9, '0') : number;
}

function extensionOf(kind: 'video' | 'audio'): string {
  return kind === 'video' ? 'cmfv' : 'cmfa';
}
