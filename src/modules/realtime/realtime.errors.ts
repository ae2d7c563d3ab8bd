import { defineError } from '../../shared/errors.ts';

export const upgradeRequired = defineError({
  code: 'realtime.upgrade_required',
  status: 426,
  title: 'This address speaks WebSocket only; connect with a WebSocket client.',
});
export const originNotAllowed = defineError({
  code: 'realtime.origin_not_allowed',
  status: 403,
  title: 'Pages of this origin may not open connections here.',
});
