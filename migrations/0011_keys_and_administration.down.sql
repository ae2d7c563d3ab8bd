SET lock_timeout = '2s';

DROP TABLE admin_proposals;
DROP TABLE suspensions;
DROP TABLE api_keys;
DROP INDEX users_username_prefix;
DROP INDEX users_with_roles;
ALTER TABLE users DROP CONSTRAINT users_roles_known;
