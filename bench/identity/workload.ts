/** What every limiter is asked to enforce: so slow a refill that none happens during a run, so the right answers are known. */
export const decisionWindow = { limit: 60, periodSeconds: 86_400 } as const;
export const decisionKeys = 1_000;

/** scrypt as OWASP ASVS 5.0 appendix C has it for p = 3: 32 MiB. */
export const kdf = { N: 2 ** 15, r: 8, p: 3, maxmem: 2 ** 26 } as const;

export const password = 'a password of good length 1';
