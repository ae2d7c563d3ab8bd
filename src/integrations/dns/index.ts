export { ResolverUnavailable, resolveAddresses } from './doh.ts';
