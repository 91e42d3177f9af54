-- Addresses that own something or wrote to somebody. Other rows carry the
-- number: a text in every log entry would be most of the entry.
CREATE TABLE address (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE record (
    owner   INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    key     TEXT NOT NULL,
    version INTEGER NOT NULL,
    value   BLOB NOT NULL,
    PRIMARY KEY (owner, kind, key)
) WITHOUT ROWID;

CREATE INDEX record_by_kind ON record (kind, owner);

-- A message once, in the order of arrival: appending touches the last pages
-- only, and this is all that a commit has to write. `logs` says who has it, for
-- `entry` to be filled from later, many messages at a time. `entries` counts
-- the logs that still have it; at none it goes.
CREATE TABLE message (
    id      INTEGER PRIMARY KEY,
    entries INTEGER NOT NULL,
    logs    BLOB NOT NULL,
    body    BLOB NOT NULL
);

-- Whose log has which message. Its pages are touched all over, which is why
-- nobody waits for it: messages after `indexed.through` are still missing here.
CREATE TABLE entry (
    owner       INTEGER NOT NULL,
    message     INTEGER NOT NULL,
    counterpart INTEGER NOT NULL,
    flags       INTEGER NOT NULL,
    PRIMARY KEY (owner, message)
) WITHOUT ROWID;

CREATE TABLE indexed (
    through INTEGER NOT NULL
);
INSERT INTO indexed VALUES (0);
