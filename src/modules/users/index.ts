export { forgetBirthDate, hasBirthDate } from './birth-dates.repository.ts';
export { isOfAge } from './birth-dates.usecases.ts';
export { userNotFound, usernameReserved, usernameTaken } from './users.errors.ts';
export { isReservedUsername, parseUserReference, type UserReference } from './users.policy.ts';
export { accountColumns, insertUserCtes, type NewUser } from './users.repository.ts';
export { meRoutes, usersRoutes } from './users.routes.ts';
export {
  accountSchema,
  displayNameSchema,
  emailSchema,
  type UserSummary,
  usernameSchema,
  userReferenceParams,
  userSummarySchema,
} from './users.schemas.ts';
export { userCounters, userSummaryJson, users } from './users.table.ts';
export { type AccountRow, presentAccount, presentUserSummary, type UserSummaryRow } from './users.views.ts';
