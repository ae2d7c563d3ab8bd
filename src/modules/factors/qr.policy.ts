import { encode } from 'uqr';

// Light modules that must surround a symbol (ISO/IEC 18004 §9.1).
const quietZone = 4;

/** A QR code of `text` as an SVG image, one unit a module. It holds squares only, nothing of the text itself. */
export function qrSvgOf(text: string): string {
  const { data, size } = encode(text, { ecc: 'M', border: quietZone });
  const squares = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${size}v${size}H0z"/><path d="${squares.join('')}"/></svg>`;
}
