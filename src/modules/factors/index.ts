export {
  type FactorKind,
  type FactorProof,
  factorKinds,
  hasConfirmedFactor,
  hasPasskey,
  type PasskeyProof,
  putBackupCodes,
  spendChallengeCte,
  useFactorCte,
} from './factors.repository.ts';
export { factorsRoutes } from './factors.routes.ts';
export { backupCodeSchema, sentCodeSchema, smsCodeSchema, totpCodeSchema } from './factors.schemas.ts';
export { backupCodes, totpFactors } from './factors.table.ts';
export { phonesRoutes, presentSentCode } from './phones.routes.ts';
export { phoneFactors, smsCodes } from './phones.table.ts';
export { newBackupCodes } from './usecases/manage-factors.ts';
export { type GivenCode, methodOf, proveFactor } from './usecases/prove-factor.ts';
export { type SentCode, sendSmsCode, usableFactors } from './usecases/sms-codes.ts';
