export { type FactorProof, hasConfirmedFactor, useFactorCte } from './factors.repository.ts';
export { factorsRoutes } from './factors.routes.ts';
export { backupCodeSchema, totpCodeSchema } from './factors.schemas.ts';
export { backupCodes, totpFactors } from './factors.table.ts';
export { type GivenCode, proveFactor } from './usecases/prove-factor.ts';
