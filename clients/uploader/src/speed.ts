const windowMs = 8_000;

/** Bytes a second over the last eight seconds. */
export function createSpeedometer(now: () => number) {
  let samples: { readonly atMs: number; readonly bytes: number }[] = [];
  return {
    /** `bytes` is the total so far; it may fall when a part is sent again. */
    note(bytes: number): void {
      const atMs = now();
      samples = [...samples.filter((sample) => atMs - sample.atMs < windowMs), { atMs, bytes }];
    },
    reset(): void {
      samples = [];
    },
    bytesPerSecond(): number {
      const [first] = samples;
      const last = samples.at(-1);
      if (first === undefined || last === undefined || last.atMs - first.atMs < 200) return 0;
      return Math.max(0, ((last.bytes - first.bytes) * 1_000) / (last.atMs - first.atMs));
    },
  };
}
