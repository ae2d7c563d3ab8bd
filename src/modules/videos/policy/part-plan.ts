const mebibyte = 1_048_576;
const preferredPartBytes = 10 * mebibyte;
/** What S3 takes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html. */
export const maxPartCount = 10_000;

export interface PartPlan {
  /** Every part but the last has exactly this size. */
  readonly partSizeBytes: number;
  readonly partCount: number;
}

/** Cuts a file into parts of 10 MiB each, or more in whole MiB when there would be more than `maxPartCount`. */
export function planParts(sizeBytes: number): PartPlan {
  const smallest = Math.max(preferredPartBytes, Math.ceil(sizeBytes / maxPartCount));
  const partSizeBytes = Math.ceil(smallest / mebibyte) * mebibyte;
  return { partSizeBytes, partCount: Math.max(1, Math.ceil(sizeBytes / partSizeBytes)) };
}

/** Size of part `partNumber` (from 1) of a file of `sizeBytes`; 0 when it has no such part. */
export const partSizeAt = (sizeBytes: number, partSizeBytes: number, partNumber: number): number =>
  Math.max(0, Math.min(partSizeBytes, sizeBytes - (partNumber - 1) * partSizeBytes));

export type PartListProblem = {
  readonly code: 'missing' | 'unknown' | 'repeated' | 'out_of_order';
  readonly partNumber: number;
  readonly index: number;
};

/** What is wrong with a list that must name the parts 1 to `partCount` once each, ascending. At most 20 problems. */
export function checkPartList(partNumbers: readonly number[], partCount: number): PartListProblem[] {
  const problems: PartListProblem[] = [];
  const seen = new Set<number>();
  let highest = 0;
  for (const [index, partNumber] of partNumbers.entries()) {
    if (partNumber > partCount) problems.push({ code: 'unknown', partNumber, index });
    else if (seen.has(partNumber)) problems.push({ code: 'repeated', partNumber, index });
    else if (partNumber < highest) problems.push({ code: 'out_of_order', partNumber, index });
    seen.add(partNumber);
    highest = Math.max(highest, partNumber);
  }
  for (let partNumber = 1; partNumber <= partCount && problems.length < 20; partNumber += 1)
    if (!seen.has(partNumber)) problems.push({ code: 'missing', partNumber, index: partNumbers.length });
  return problems.slice(0, 20);
}
