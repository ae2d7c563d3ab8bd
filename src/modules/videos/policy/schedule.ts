const longestWaitMs = 366 * 86_400_000;

/** What is wrong with showing a video at a moment (Unix milliseconds); undefined when nothing is. */
export function scheduleProblem(publishAtMs: number, nowMs: number): string | undefined {
  if (!(publishAtMs > nowMs)) return 'must lie ahead';
  return publishAtMs - nowMs > longestWaitMs ? 'must be within a year' : undefined;
}
