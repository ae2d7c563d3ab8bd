/** What GuardDuty would report of an object. */
export type ScanOutcome = {
  status: 'NO_THREATS_FOUND' | 'THREATS_FOUND' | 'UNSUPPORTED' | 'FAILED';
  threats: readonly string[];
  /** Why it could not be scanned. */
  reasons: readonly string[];
};

export type ScanEngine = {
  /** Told in the tags of every scanned object. */
  name: string;
  /** Told at start. */
  description: string;
  /** Looks through a file. Rejects only when the file cannot be read. */
  scan(path: string): Promise<ScanOutcome>;
};

export const clean: ScanOutcome = { status: 'NO_THREATS_FOUND', threats: [], reasons: [] };

export const found = (...threats: string[]): ScanOutcome => ({
  status: 'THREATS_FOUND',
  threats,
  reasons: [],
});

export const unsupported = (reason: string): ScanOutcome => ({
  status: 'UNSUPPORTED',
  threats: [],
  reasons: [reason],
});
