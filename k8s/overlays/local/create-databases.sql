-- Beside analytics_db: each service has its own. They take the encoding and locale of template1, as initdb was told.
CREATE DATABASE users_db;
CREATE DATABASE events_db;
CREATE DATABASE reservations_db;
CREATE DATABASE payments_db;
