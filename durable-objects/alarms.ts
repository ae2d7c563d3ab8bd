/**
 * Makes sure the object wakes no later than `atMs` (Unix milliseconds). An object has one alarm and `setAlarm` replaces
 * it, so an earlier one is kept; the handler looks for all due work and arms the next.
 */
export async function wakeBy(storage: DurableObjectStorage, atMs: number): Promise<void> {
  const pending = await storage.getAlarm();
  if (pending === null || pending > atMs) await storage.setAlarm(atMs);
}
