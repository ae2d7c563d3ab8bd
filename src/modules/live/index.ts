export { retireLiveChannel } from './channels.repository.ts';
