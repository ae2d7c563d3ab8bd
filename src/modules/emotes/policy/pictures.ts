import { encodeId } from '../../../shared/ids.ts';
import { emoteGif, gifSide } from './gif.ts';
import { emotePngs, emoteSizes, type PictureProblem } from './png.ts';

export type EmoteFormat = 'png' | 'gif';

/** The pictures of an emote, by the pixels of their side. */
export interface EmotePictures {
  readonly format: EmoteFormat;
  readonly bySize: ReadonlyMap<number, Uint8Array<ArrayBuffer>>;
}

/** Makes the pictures of an emote from a file, whatever it was called. */
export function emotePictures(file: Uint8Array): EmotePictures | { readonly problem: PictureProblem } {
  if (file[0] === 0x47) {
    const gif = emoteGif(file);
    return 'problem' in gif ? gif : { format: 'gif', bySize: new Map([[gifSide, gif]]) };
  }
  const pngs = emotePngs(file);
  return 'problem' in pngs ? pngs : { format: 'png', bySize: pngs };
}

export const sizesOf = (format: EmoteFormat): readonly number[] =>
  format === 'gif' ? [gifSide] : emoteSizes;

const fileOf = (id: string, format: EmoteFormat, size: number): string =>
  `${encodeId('emote', id)}/${size}.${format}`;

/** Where a picture waits for its review, in the bucket of uploads. */
export const waitingKey = (id: string, format: EmoteFormat, size: number): string =>
  `emotes/${fileOf(id, format, size)}`;

/** Where anybody may fetch it, in the bucket of media. */
export const shownKey = (id: string, format: EmoteFormat, size: number): string =>
  `open/emotes/${fileOf(id, format, size)}`;
