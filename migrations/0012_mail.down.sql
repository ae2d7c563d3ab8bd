SET lock_timeout = '2s';

DROP TABLE account_tokens;
DROP TABLE mail_deliveries;
