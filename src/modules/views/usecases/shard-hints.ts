// What heartbeats through this isolate told about videos that have become hot since their last flush. A hint: without it a
// session merely goes where the database says.
const hints = new Map<string, { readonly shards: number; readonly untilMs: number }>();
const maxHints = 1_000;
const hintMs = 120_000;

/** Keeps what a counter said about over how many objects new sessions of its video should be spread. */
export function noteShards(videoId: string, shards: number, nowMs: number): void {
  if (shards <= 1 && !hints.has(videoId)) return;
  hints.delete(videoId);
  if (hints.size >= maxHints)
    for (const oldest of hints.keys()) {
      hints.delete(oldest);
      break;
    }
  hints.set(videoId, { shards, untilMs: nowMs + hintMs });
}

/** Over how many objects the sessions of a video are spread now. */
export function shardsNow(videoId: string, known: number, nowMs: number): number {
  const hint = hints.get(videoId);
  return hint === undefined || hint.untilMs < nowMs ? known : Math.max(known, hint.shards);
}
