-- Ids such as artist_123, as beacons have them.
ALTER TABLE artists DROP CONSTRAINT artists_id_check, ADD CONSTRAINT artists_id_check CHECK (id ~ '^[a-z0-9_-]{1,64}$');
ALTER TABLE venues DROP CONSTRAINT venues_id_check, ADD CONSTRAINT venues_id_check CHECK (id ~ '^[a-z0-9_-]{1,64}$');
ALTER TABLE categories DROP CONSTRAINT categories_id_check,
    ADD CONSTRAINT categories_id_check CHECK (id ~ '^[a-z0-9_-]{1,64}$');
ALTER TABLE events DROP CONSTRAINT events_id_check, ADD CONSTRAINT events_id_check CHECK (id ~ '^[a-z0-9_-]{1,64}$');

-- Names that people type in either script. An admin may change them: PUT /api/events/keywords.
INSERT INTO search_keywords (korean, english) VALUES
    ('아이유', 'IU'), ('방탄소년단', 'BTS'), ('블랙핑크', 'BLACKPINK'), ('세븐틴', 'SEVENTEEN'), ('뉴진스', 'NewJeans'),
    ('에스파', 'aespa'), ('트와이스', 'TWICE'), ('스트레이 키즈', 'Stray Kids'), ('아이브', 'IVE'), ('르세라핌', 'LE SSERAFIM'),
    ('레드벨벳', 'Red Velvet'), ('엑소', 'EXO'), ('빅뱅', 'BIGBANG'), ('데이식스', 'DAY6'), ('임영웅', 'Lim Young Woong'),
    ('콘서트', 'concert'), ('뮤지컬', 'musical'), ('페스티벌', 'festival'), ('팬미팅', 'fan meeting')
ON CONFLICT DO NOTHING;
