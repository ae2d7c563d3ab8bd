import type { UploadSource } from './types.ts';

const sampleBytes = 65_536;

/**
 * Names a file so that it is known again after a reload: its name, size, time, and SHA-256 over its first and last 64 KiB.
 * Reading a whole film to name it would take longer than sending some.
 */
export async function fingerprintOf(source: UploadSource): Promise<string> {
  const { name, size, lastModified } = source;
  const head = await source.read(0, Math.min(size, sampleBytes));
  const tail = await source.read(Math.max(0, size - sampleBytes), size);
  const label = new TextEncoder().encode(JSON.stringify([name, size, lastModified]));
  const all = new Uint8Array(label.length + head.length + tail.length);
  all.set(label);
  all.set(head, label.length);
  all.set(tail, label.length + head.length);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', all));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
