import type { PlannedCmafGroup } from '../transcode/plan.ts';
import type { EncodedTrack } from './hls.ts';
import { initName, segmentName, subtitleFileName, tileName } from './names.ts';
import { secondsPerPicture, type TileSet } from './trick-play.ts';

/**
 * DASH manifest (ISO/IEC 23009-1) over the same segments as the HLS playlists, with an exact SegmentTimeline per
 * Representation. Video renditions share one AdaptationSet; every audio and caption track has its own.
 */
export function writeMpd(
  group: PlannedCmafGroup,
  tracks: readonly EncodedTrack[],
  tiles: readonly TileSet[],
): string {
  const durationSeconds = Math.max(...tracks.map((track) => track.packaged.durationSeconds));
  const longestSegment = Math.max(
    ...tracks.flatMap((track) =>
      track.packaged.segments.map((segment) => segment.durationTicks / track.packaged.header.timescale),
    ),
  );
  const minBufferSeconds = (group.settings.minBufferTime ?? longestSegment * 1000) / 1000;
  const video = tracks.filter((track) => track.plan.kind === 'video');
  let nextId = 0;
  const adaptationId = (): number => {
    nextId += 1;
    return nextId;
  };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" profiles="urn:mpeg:dash:profile:isoff-main:2011" mediaPresentationDuration="${isoDuration(durationSeconds)}" minBufferTime="${isoDuration(minBufferSeconds)}">`,
    `  <Period id="1" start="PT0S" duration="${isoDuration(durationSeconds)}">`,
    ...(video.length > 0 ? videoSet(group, video, adaptationId()) : []),
    ...tracks
      .filter((track) => track.plan.kind === 'audio')
      .flatMap((track) => audioSet(group, track, adaptationId())),
    ...group.subtitles.flatMap((subtitles) => [
      `    <AdaptationSet id="${adaptationId()}" contentType="text" mimeType="text/vtt"${languageAttribute(subtitles.language)}>`,
      '      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="subtitle"/>',
      `      <Label>${escapeXml(subtitles.name)}</Label>`,
      `      <Representation id="sub${escapeXml(subtitles.nameModifier)}" bandwidth="1000">`,
      `        <BaseURL>${escapeXml(encodeURIComponent(subtitleFileName(group.target.base, subtitles.nameModifier)))}</BaseURL>`,
      '      </Representation>',
      '    </AdaptationSet>',
    ]),
    ...tiles.flatMap((set) => tileSet(group, set, adaptationId())),
    '  </Period>',
    '</MPD>',
    '',
  ].join('\n');
}

function videoSet(group: PlannedCmafGroup, tracks: readonly EncodedTrack[], id: number): string[] {
  const widths = tracks.map((track) => track.packaged.header.width ?? 0);
  const heights = tracks.map((track) => track.packaged.header.height ?? 0);
  return [
    `    <AdaptationSet id="${id}" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1" maxWidth="${Math.max(...widths)}" maxHeight="${Math.max(...heights)}">`,
    ...tracks.flatMap((track) => {
      if (track.plan.kind !== 'video') return [];
      const { header, peakBitrate, averageBitrate } = track.packaged;
      const bandwidth = group.settings.mpdManifestBandwidthType === 'AVERAGE' ? averageBitrate : peakBitrate;
      const { numerator, denominator } = track.plan.frameRate;
      const rate = denominator === 1 ? String(numerator) : `${numerator}/${denominator}`;
      return [
        `      <Representation id="${representationId(track)}" codecs="${header.codec}" bandwidth="${bandwidth}" width="${header.width}" height="${header.height}" sar="1:1" frameRate="${rate}">`,
        ...segmentTemplate(group, track),
        '      </Representation>',
      ];
    }),
    '    </AdaptationSet>',
  ];
}

function audioSet(group: PlannedCmafGroup, track: EncodedTrack, id: number): string[] {
  if (track.plan.kind !== 'audio') return [];
  const { header, peakBitrate } = track.packaged;
  return [
    `    <AdaptationSet id="${id}" contentType="audio" mimeType="audio/mp4" segmentAlignment="true" startWithSAP="1"${languageAttribute(track.plan.language)}>`,
    `      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="${track.plan.isDefault ? 'main' : 'alternate'}"/>`,
    `      <Label>${escapeXml(track.plan.name)}</Label>`,
    `      <Representation id="${representationId(track)}" codecs="${header.codec}" bandwidth="${peakBitrate}" audioSamplingRate="${header.sampleRate}">`,
    `        <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="${track.plan.channels}"/>`,
    ...segmentTemplate(group, track),
    '      </Representation>',
    '    </AdaptationSet>',
  ];
}

function tileSet(group: PlannedCmafGroup, { plan, peakBitrate }: TileSet, id: number): string[] {
  const media = template(tileName(group.target.base, plan.suffix, NUMBER_MARK));
  return [
    `    <AdaptationSet id="${id}" contentType="image" mimeType="image/jpeg">`,
    `      <SegmentTemplate media="${media}" duration="${Math.round(secondsPerPicture(plan) * 1000)}" timescale="1000" startNumber="1"/>`,
    `      <Representation id="${plan.filePrefix}set" bandwidth="${peakBitrate}" width="${plan.width * plan.columns}" height="${plan.height * plan.rows}">`,
    `        <EssentialProperty schemeIdUri="http://dashif.org/guidelines/thumbnail_tile" value="${plan.columns}x${plan.rows}"/>`,
    '      </Representation>',
    '    </AdaptationSet>',
  ];
}

function segmentTemplate(group: PlannedCmafGroup, track: EncodedTrack): string[] {
  const { base } = group.target;
  const { kind, nameModifier } = track.plan;
  const { header, segments } = track.packaged;
  return [
    `        <SegmentTemplate timescale="${header.timescale}" startNumber="1" initialization="${template(initName(base, nameModifier, kind))}" media="${template(segmentName(base, nameModifier, kind, NUMBER_MARK))}">`,
    '          <SegmentTimeline>',
    ...timeline(segments).map((line) => `            ${line}`),
    '          </SegmentTimeline>',
    '        </SegmentTemplate>',
  ];
}

/** Equal neighbours are folded with `r`; `t` is written where time does not simply continue. */
function timeline(segments: readonly { startTicks: number; durationTicks: number }[]): string[] {
  const runs: { start: number; duration: number; repeats: number; explicit: boolean }[] = [];
  let expected = Number.NaN;
  for (const { startTicks, durationTicks } of segments) {
    const last = runs.at(-1);
    if (last && startTicks === expected && last.duration === durationTicks) last.repeats += 1;
    else
      runs.push({
        start: startTicks,
        duration: durationTicks,
        repeats: 0,
        explicit: startTicks !== expected,
      });
    expected = startTicks + durationTicks;
  }
  return runs.map(
    (run) =>
      `<S${run.explicit ? ` t="${run.start}"` : ''} d="${run.duration}"${run.repeats > 0 ? ` r="${run.repeats}"` : ''}/>`,
  );
}

const NUMBER_MARK = '\u0000';

/** A DASH URL template: `$` of the name itself is doubled, the number mark becomes the identifier. */
function template(name: string): string {
  const [before = '', after] = name.split(NUMBER_MARK);
  const part = (text: string): string => encodeURIComponent(text).replace(/%24/g, '$$$$');
  return escapeXml(after === undefined ? part(before) : `${part(before)}$Number%09d$${part(after)}`);
}

function representationId(track: EncodedTrack): string {
  return `${track.plan.kind}${track.plan.stream + 1}`;
}

function languageAttribute(language: string | undefined): string {
  return language ? ` lang="${escapeXml(language)}"` : '';
}

function isoDuration(seconds: number): string {
  return `PT${seconds.toFixed(3)}S`;
}

function escapeXml(text: string): string {
  return (
    text
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/>/g, '&gt;')
      .replace(/"/g, '&quot;')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 forbids these characters altogether.
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, ' ')
  );
}
