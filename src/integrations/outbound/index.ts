export {
  fetchPublic,
  OutboundError,
  type OutboundFailure,
  type OutboundRequest,
  readAtMost,
  requirePublicUrl,
} from './fetch-public.ts';
