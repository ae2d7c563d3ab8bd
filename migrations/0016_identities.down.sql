SET lock_timeout = '2s';

ALTER TABLE mfa_challenges DROP COLUMN first_factor;
DROP TABLE oauth_flows;
DROP TABLE identities;
