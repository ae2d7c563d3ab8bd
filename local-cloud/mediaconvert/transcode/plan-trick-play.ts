import { JobFailure } from '../errors.ts';
import type { CmafGroupSettings } from '../settings/create-job.ts';
import type { BuildContext } from './build.ts';
import type { PlannedTrickPlay } from './plan.ts';

const DEFAULT_THUMBNAIL_WIDTH = 312;
const DEFAULT_INTERVAL_SECONDS = 10;
const MAX_TILE_HEIGHT = 4096;
/** Of THUMBNAIL, whose layout MediaConvert does not publish. */
const PLAIN_LAYOUT = { columns: 5, rows: 5 };

type Planned = { trickPlay: PlannedTrickPlay; args: string[] };
type Pictures = Pick<
  PlannedTrickPlay,
  'suffix' | 'intervalSeconds' | 'width' | 'height' | 'columns' | 'rows'
>;

/**
 * Plans the pictures of image-based trick play: tiled thumbnails, and for THUMBNAIL_AND_FULLFRAME a full-size picture of
 * each key frame as well. `gopSeconds` is the time between two key frames of the outputs, `colors` their
 * colour filters: the pictures look as the film does.
 * @throws JobFailure 1040 when a tile image would be too high.
 */
export function planTrickPlays(
  context: BuildContext,
  settings: CmafGroupSettings,
  directory: string,
  gopSeconds: number,
  colors: string,
): Planned[] {
  const size = context.video ?? { width: 16, height: 9 };
  switch (settings.imageBasedTrickPlay ?? 'NONE') {
    case 'NONE':
      return [];
    case 'ADVANCED':
      return [
        plan(
          context,
          advanced(settings.imageBasedTrickPlaySettings ?? {}, size, gopSeconds),
          directory,
          colors,
        ),
      ];
    case 'THUMBNAIL':
      return [plan(context, plainThumbnails(size, gopSeconds), directory, colors)];
    case 'THUMBNAIL_AND_FULLFRAME': {
      const { width, height } = {
        width: 2 * Math.round(size.width / 2),
        height: 2 * Math.round(size.height / 2),
      };
      const full = { suffix: '_fullframe', intervalSeconds: gopSeconds, width, height, columns: 1, rows: 1 };
      return [
        plan(context, plainThumbnails(size, gopSeconds), directory, colors),
        plan(context, full, directory, colors),
      ];
    }
  }
}

function advanced(
  settings: NonNullable<CmafGroupSettings['imageBasedTrickPlaySettings']>,
  source: { width: number; height: number },
  gopSeconds: number,
): Pictures {
  const width = settings.thumbnailWidth ?? DEFAULT_THUMBNAIL_WIDTH;
  const rows = settings.tileHeight ?? 1;
  const height = settings.thumbnailHeight ?? following(width, source);
  if (height * rows > MAX_TILE_HEIGHT) {
    throw new JobFailure(
      1040,
      `a tile image of ${rows} thumbnails of ${height} px is higher than ${MAX_TILE_HEIGHT} px`,
    );
  }
  const intervalSeconds =
    settings.intervalCadence === 'FOLLOW_IFRAME'
      ? gopSeconds
      : (settings.thumbnailInterval ?? DEFAULT_INTERVAL_SECONDS);
  return { suffix: '_tiles', intervalSeconds, width, height, columns: settings.tileWidth ?? 1, rows };
}

function plainThumbnails(source: { width: number; height: number }, gopSeconds: number): Pictures {
  const width = DEFAULT_THUMBNAIL_WIDTH;
  const height = Math.min(following(width, source), 2 * Math.floor(MAX_TILE_HEIGHT / PLAIN_LAYOUT.rows / 2));
  return { suffix: '_tiles', intervalSeconds: gopSeconds, width, height, ...PLAIN_LAYOUT };
}

function plan(context: BuildContext, pictures: Pictures, directory: string, colors: string): Planned {
  const { intervalSeconds, width, height, columns, rows } = pictures;
  const thumbnails = Math.max(1, Math.ceil(context.durationSeconds / intervalSeconds - 1e-6));
  const filePrefix = `${pictures.suffix.slice(1)}-`;
  const pad = context.graph.label();
  context.graph.chain(
    [context.rawVideoPad()],
    `fps=1/${intervalSeconds}:round=up,trim=end_frame=${thumbnails},scale=${width}:${height}${colors},setsar=1,tile=${columns}x${rows}`,
    [pad],
  );
  return {
    trickPlay: { ...pictures, filePrefix, thumbnails },
    args: [
      ...['-map', `[${pad}]`, '-c:v', 'mjpeg', '-q:v', '5', '-pix_fmt', 'yuvj420p'],
      ...['-f', 'image2', '-start_number', '1', `${directory}/${filePrefix}%09d.jpg`],
    ],
  };
}

function following(width: number, source: { width: number; height: number }): number {
  return 2 * Math.max(1, Math.round((width * source.height) / source.width / 2));
}
