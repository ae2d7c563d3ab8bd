/** Share of a film after which it counts as watched to the end: what follows is mostly credits. */
const completedShare = 0.95;

/** Whether somebody who stopped here has seen the film. */
export const isCompleted = (positionMs: number, durationMs: number | null): boolean =>
  durationMs !== null && durationMs > 0 && positionMs >= durationMs * completedShare;

/** Where to go on: from the start for a film that was seen to the end. */
export const resumeAtMs = (entry: { readonly positionMs: number; readonly completed: boolean }): number =>
  entry.completed ? 0 : entry.positionMs;
