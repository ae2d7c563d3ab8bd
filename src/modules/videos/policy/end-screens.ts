/** One thing shown over the end of a film. Lengths are shares of the picture's, 0 to 1. */
export type EndScreen = {
  readonly startMs: number;
  readonly endMs: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
} & (
  | { readonly kind: 'video'; readonly id: string }
  | { readonly kind: 'playlist'; readonly id: string }
  | { readonly kind: 'channel'; readonly id: string }
  | { readonly kind: 'link'; readonly url: string; readonly title: string }
);

export const maxEndScreens = 4;
export const minEndScreenMs = 5_000;

/** How long a film must be for all of them to be seen. */
export const endScreensNeedMs = (endScreens: readonly EndScreen[]): number =>
  Math.max(0, ...endScreens.map(({ endMs }) => endMs));

/** Those a film of this length can show. A length not known yet cuts nothing. */
export const endScreensWithin = (
  endScreens: readonly EndScreen[],
  durationMs: number | null,
): readonly EndScreen[] =>
  durationMs === null ? endScreens : endScreens.filter(({ endMs }) => endMs <= durationMs);
