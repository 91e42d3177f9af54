-- Whose record of a kind has a key: the rooms in which an account is something,
-- without reading all that is kept of all rooms.
CREATE INDEX record_by_key ON record (kind, key) WHERE key <> '';
