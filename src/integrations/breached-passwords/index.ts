export { isBreached } from './range-api.ts';
