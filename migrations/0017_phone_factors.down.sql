SET lock_timeout = '2s';

DROP TABLE sms_codes;
DROP TABLE phone_factors;
