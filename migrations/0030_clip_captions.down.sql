SET lock_timeout = '2s';

ALTER TABLE videos DROP COLUMN captions_to_cut;
