import { IMAGE_INPUT_GUARD } from '../../ffmpeg/index.ts';
import type { InsertableImage } from '../settings/create-job.ts';
import type { Graph } from './graph.ts';

const DEFAULT_OPACITY = 50;

/**
 * Lays still images over a picture, lowest layer first, and returns the resulting pad. Positions and sizes are pixels
 * of that picture; a missing width or height keeps the image's own, and opacity is 50 % unless told otherwise.
 */
export function overlayImages(
  graph: Graph,
  source: string,
  images: readonly InsertableImage[],
  paths: ReadonlyMap<string, string>,
): string {
  let current = source;
  for (const image of [...images].sort((a, b) => a.layer - b.layer)) {
    const path = paths.get(image.imageInserterInput);
    if (path === undefined) throw new Error(`no file for ${image.imageInserterInput}`);
    const input = graph.addInput([...IMAGE_INPUT_GUARD, '-i', path]);
    const stamp = graph.label();
    const size = image.width || image.height ? `scale=${image.width ?? -1}:${image.height ?? -1},` : '';
    graph.chain(
      [`${input}:0`],
      `${size}format=rgba,colorchannelmixer=aa=${((image.opacity ?? DEFAULT_OPACITY) / 100).toFixed(2)}`,
      [stamp],
    );
    const result = graph.label();
    graph.chain([current, stamp], `overlay=${image.imageX}:${image.imageY}`, [result]);
    current = result;
  }
  return current;
}
