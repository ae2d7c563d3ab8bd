SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- Holds the number until the migration that has it is merged.
CREATE FUNCTION reserved_0007() RETURNS void LANGUAGE sql IMMUTABLE AS '';
