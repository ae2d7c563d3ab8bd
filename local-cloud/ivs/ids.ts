import { randomInt } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

const random = (length: number): string =>
  Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');

/** Last part of the ARN of a resource, and of the path of a recording. */
export const newResourceId = (): string => random(12);

/** 26 characters, as the service model says. */
export const newStreamId = (): string => `st-${random(23)}`;

export const newStreamKey = (region: string): string => `sk_${region}_${random(12)}_${random(30)}`;
