/** A picture of eight bits each of red, green, blue and opacity. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/**
 * A square picture made smaller: each new pixel is the mean of the area it covers, of which what is seen through counts less, so
 * that edges get no fringe.
 */
export function shrink(picture: Pixels, side: number): Pixels {
  const { width, data } = picture;
  const ratio = width / side;
  const spans = Array.from({ length: side }, (_, index) => spanOf(index * ratio, (index + 1) * ratio));
  const small = new Uint8Array(side * side * 4);
  for (const [row, vertical] of spans.entries())
    for (const [column, horizontal] of spans.entries()) {
      let [red, green, blue, opacity, area] = [0, 0, 0, 0, 0];
      for (const [y, tall] of vertical)
        for (const [x, wide] of horizontal) {
          const at = (y * width + x) * 4;
          const share = tall * wide;
          const seen = share * (data[at + 3] ?? 0);
          red += seen * (data[at] ?? 0);
          green += seen * (data[at + 1] ?? 0);
          blue += seen * (data[at + 2] ?? 0);
          opacity += seen;
          area += share;
        }
      const to = (row * side + column) * 4;
      const whole = opacity === 0 ? 1 : opacity;
      small[to] = Math.round(red / whole);
      small[to + 1] = Math.round(green / whole);
      small[to + 2] = Math.round(blue / whole);
      small[to + 3] = Math.round(opacity / area);
    }
  return { width: side, height: side, data: small };
}

/** The old pixels from `from` to `to` along one side, each with how much of it lies between. */
function spanOf(from: number, to: number): [number, number][] {
  const span: [number, number][] = [];
  for (let at = Math.floor(from); at < to - 1e-9; at += 1)
    span.push([at, Math.min(at + 1, to) - Math.max(at, from)]);
  return span;
}
