const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const headerName = [0x49, 0x48, 0x44, 0x52];
const trailer = [0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82];
const headerEnd = 33;

/** The size of a PNG by its header, if that and its end are there: https://www.w3.org/TR/png-3/#11IHDR */
export function pngSize(bytes: Uint8Array): { readonly width: number; readonly height: number } | undefined {
  const has = (at: number, expected: readonly number[]): boolean =>
    expected.every((byte, index) => bytes[at + index] === byte);
  if (bytes.length < headerEnd + trailer.length) return undefined;
  if (!has(0, signature) || !has(12, headerName) || !has(bytes.length - trailer.length, trailer))
    return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  return width > 0 && height > 0 ? { width, height } : undefined;
}
