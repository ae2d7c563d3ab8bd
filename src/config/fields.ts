import { z } from 'zod';

/** An integer written in decimal in the environment, within [min, max]. */
export const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^-?\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().int().min(min).max(max));

/** `true` or `false`, nothing else. */
export const boolean = () => z.enum(['true', 'false']).transform((value) => value === 'true');

/** Comma-separated values, blanks dropped. */
export const list = () =>
  z.string().transform((value) =>
    value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );

/** A base URL without a trailing slash. */
export const baseUrl = () => z.url({ protocol: /^https?$/ }).transform((value) => value.replace(/\/+$/, ''));

export const postgresUrl = () => z.url({ protocol: /^postgres(ql)?$/ });
