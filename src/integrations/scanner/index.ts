export { readScanTag, requestScan, type ScanReport, type ScanStatus, scanReportOf } from './guardduty.ts';
