import { clockTime } from './caption-text.ts';

const maxPictures = 20_000;

/** The playlist of scrub pictures a multivariant playlist names: https://github.com/image-media-playlist/spec */
export function imagePlaylistOf(master: string): string | undefined {
  const line = master.split(/\r\n|\n|\r/).find((text) => text.startsWith('#EXT-X-IMAGE-STREAM-INF:'));
  const name = line === undefined ? undefined : /[:,]URI="([^"]*)"/.exec(line)?.[1];
  return name !== undefined && isFileName(name) ? name : undefined;
}

/** What lies beside the playlist; never an address elsewhere. */
const isFileName = (name: string): boolean => /^[\w%.-]{1,200}$/.test(name) && !/^\.+$/.test(name);

interface Sheet {
  readonly file: string;
  readonly seconds: number;
  readonly width: number;
  readonly height: number;
  readonly columns: number;
  readonly rows: number;
  readonly each: number;
}

/**
 * A WebVTT file that says which part of which sheet shows the film at any time, as players' scrub bars read it: each cue is
 * `<sheet>#xywh=x,y,w,h`. Undefined when the playlist has no pictures.
 */
export function storyboardOf(playlist: string, durationMs: number): string | undefined {
  let atSeconds = 0;
  const cues: string[] = [];
  for (const sheet of sheetsOf(playlist)) {
    const pictures = Math.min(
      sheet.columns * sheet.rows,
      Math.max(1, Math.round(sheet.seconds / sheet.each)),
      Math.max(0, Math.ceil((durationMs / 1_000 - atSeconds) / sheet.each)),
    );
    for (let index = 0; index < pictures && cues.length < maxPictures; index += 1) {
      const startMs = Math.round((atSeconds + index * sheet.each) * 1_000);
      const endMs = Math.min(durationMs, Math.round((atSeconds + (index + 1) * sheet.each) * 1_000));
      if (endMs <= startMs) break;
      const x = (index % sheet.columns) * sheet.width;
      const y = Math.floor(index / sheet.columns) * sheet.height;
      cues.push(
        `${clockTime(startMs)} --> ${clockTime(endMs)}\n${sheet.file}#xywh=${x},${y},${sheet.width},${sheet.height}\n`,
      );
    }
    atSeconds += sheet.seconds;
  }
  return cues.length === 0 ? undefined : `WEBVTT\n\n${cues.join('\n')}`;
}

function* sheetsOf(playlist: string): Generator<Sheet> {
  let seconds = 0;
  let tiles: Omit<Sheet, 'file' | 'seconds'> | undefined;
  for (const line of playlist.split(/\r\n|\n|\r/)) {
    if (line.startsWith('#EXTINF:')) seconds = Number.parseFloat(line.slice('#EXTINF:'.length));
    else if (line.startsWith('#EXT-X-TILES:')) tiles = tilesOf(line) ?? tiles;
    else if (line !== '' && !line.startsWith('#') && tiles !== undefined && isFileName(line) && seconds > 0)
      yield { file: line, seconds, ...tiles };
  }
}

function tilesOf(line: string): Omit<Sheet, 'file' | 'seconds'> | undefined {
  const [, width, height] = /[:,]RESOLUTION=(\d{1,5})x(\d{1,5})/.exec(line) ?? [];
  const [, columns, rows] = /[:,]LAYOUT=(\d{1,4})x(\d{1,4})/.exec(line) ?? [];
  const [, each] = /[:,]DURATION=(\d{1,6}(?:\.\d{1,6})?)/.exec(line) ?? [];
  const tiles = {
    width: Number(width),
    height: Number(height),
    columns: Number(columns),
    rows: Number(rows),
    each: Number(each),
  };
  return Object.values(tiles).every((value) => value > 0) ? tiles : undefined;
}
