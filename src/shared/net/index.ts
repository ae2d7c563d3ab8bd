export { isPublicAddress } from './ip-address.ts';
export { type CheckedUrl, checkOutboundUrl, type OutboundPolicy, type UrlProblem } from './outbound-url.ts';
