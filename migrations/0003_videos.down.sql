SET lock_timeout = '2s';

DROP TABLE thumbnails;
DROP TABLE renditions;
DROP TABLE encode_jobs;
DROP TABLE uploads;
DROP TABLE videos;
