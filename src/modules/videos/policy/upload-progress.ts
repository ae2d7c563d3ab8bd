import { partSizeAt } from './part-plan.ts';

/** Shares of an upload that are told to its owner, each once. */
export const quarters = [25, 50, 75, 100] as const;
export type Quarter = (typeof quarters)[number];

interface PlannedUpload {
  readonly sizeBytes: number;
  readonly partSizeBytes: number;
  readonly partCount: number;
}

export interface HeldPart {
  readonly partNumber: number;
  /** As S3 gives it, in quotes. */
  readonly etag: string;
  readonly sizeBytes: number;
}

/** The parts that are as they were planned; one of another size would not become the announced file. */
export const wellHeld = (upload: PlannedUpload, parts: readonly HeldPart[]): HeldPart[] =>
  parts.filter(
    (part) =>
      part.partNumber <= upload.partCount &&
      part.sizeBytes === partSizeAt(upload.sizeBytes, upload.partSizeBytes, part.partNumber),
  );

export const bytesOf = (parts: readonly HeldPart[]): number =>
  parts.reduce((sum, part) => sum + part.sizeBytes, 0);

/** Whole percent of a file, never more than there is. */
export const percentOf = (heldBytes: number, sizeBytes: number): number =>
  sizeBytes <= 0 ? 0 : Math.max(0, Math.min(100, Math.floor((heldBytes * 100) / sizeBytes)));

/** The last quarter that is reached; 0 below the first. */
export const quarterOf = (percent: number): Quarter | 0 =>
  quarters.findLast((quarter) => percent >= quarter) ?? 0;
