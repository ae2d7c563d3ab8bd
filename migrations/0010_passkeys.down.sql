SET lock_timeout = '2s';

DROP TABLE used_passkey_challenges;
DROP TABLE passkeys;
