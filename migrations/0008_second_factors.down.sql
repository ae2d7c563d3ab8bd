SET lock_timeout = '2s';

DROP TABLE login_networks;
DROP TABLE mfa_challenges;
DROP TABLE backup_codes;
DROP TABLE totp_factors;
