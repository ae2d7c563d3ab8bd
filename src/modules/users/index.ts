export { type UserSummary, userSummarySchema } from './users.schemas.ts';
export { userCounters, userSummaryJson, users } from './users.table.ts';
export { presentUserSummary, type UserSummaryRow } from './users.views.ts';
