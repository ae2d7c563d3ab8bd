// What the handlers read of a job event. The rest may be long, and a queue message holds 128 KB.
const readMembers = [
  'timestamp',
  'jobId',
  'status',
  'userMetadata',
  'jobProgress',
  'outputGroupDetails',
  'errorCode',
  'errorMessage',
] as const;

const maxDetailLength = 65_536;

/** The part of an event's detail that is handed on. Outputs are dropped when they are too long: they can be asked for. */
export function relevantDetail(detail: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept = Object.fromEntries(
    readMembers.flatMap((name) => (detail[name] === undefined ? [] : [[name, detail[name]]])),
  );
  if (typeof kept.errorMessage === 'string') kept.errorMessage = kept.errorMessage.slice(0, 2_000);
  if (JSON.stringify(kept).length > maxDetailLength) delete kept.outputGroupDetails;
  return kept;
}
