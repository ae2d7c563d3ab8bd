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
export { backupCodeSchema, totpCodeSchema } from './factors.schemas.ts';
export { backupCodes, totpFactors } from './factors.table.ts';
export { newBackupCodes } from './usecases/manage-factors.ts';
export { type GivenCode, proveFactor } from './usecases/prove-factor.ts';
