import type { ScanStatus } from '../../../integrations/scanner/index.ts';
import type { FailureCode } from './failures.ts';

/** What is known of a file: null until something is heard; `waived` when scanning was turned off as it arrived. */
export type ScanVerdict = ScanStatus | 'waived' | null;

/**
 * The verdict after another report, whatever was delivered twice, late or out of order: a threat once found stays found, a
 * file found clean or beyond the scanner stays that, and only a scan that failed is open to a better one.
 */
export function verdictAfter(verdict: ScanVerdict, said: ScanStatus): ScanVerdict {
  if (verdict === 'infected' || said === 'infected') return 'infected';
  return verdict === null || verdict === 'failed' ? said : verdict;
}

export type ScanStep =
  | { readonly kind: 'wait' }
  | { readonly kind: 'ask' }
  | { readonly kind: 'release' }
  | { readonly kind: 'refuse'; readonly code: FailureCode };

/** What is to be done about a file that is neither released nor refused. */
export function nextScanStep(
  scan: { readonly verdict: ScanVerdict; readonly requests: number; readonly waitingSeconds: number },
  limits: { readonly timeoutSeconds: number; readonly maxRequests: number },
): ScanStep {
  const mayAsk = scan.requests < limits.maxRequests;
  switch (scan.verdict) {
    case 'clean':
    case 'waived':
      return { kind: 'release' };
    case 'infected':
      return { kind: 'refuse', code: 'infected' };
    case 'unsupported':
      return { kind: 'refuse', code: 'scan_unsupported' };
    case 'failed':
      return mayAsk ? { kind: 'ask' } : { kind: 'refuse', code: 'scan_failed' };
    case null:
      if (scan.waitingSeconds < limits.timeoutSeconds) return { kind: 'wait' };
      return mayAsk ? { kind: 'ask' } : { kind: 'refuse', code: 'scan_timeout' };
  }
}
