-- Logs in blocks: entries that came into the index together share a row. A row
-- for each entry cost as much to put in as the message itself, and as much again
-- with an index of conversations.
--
-- Every entry is in two chains of blocks: under counterpart 0 in that of the
-- whole log, and in that of its conversation. `first` is the first message of
-- the block; `entries` has, for each, eight bytes of message, four of
-- counterpart, and one of flags, the most significant byte first.
--
-- Its pages are touched all over, which is why nobody waits for it: messages
-- after `indexed.through` are still missing here.
CREATE TABLE block (
    owner       INTEGER NOT NULL,
    counterpart INTEGER NOT NULL,
    first       INTEGER NOT NULL,
    entries     BLOB NOT NULL,
    PRIMARY KEY (owner, counterpart, first)
) WITHOUT ROWID;

INSERT INTO block (owner, counterpart, first, entries)
SELECT owner, chain, min(message),
       unhex(group_concat(printf('%016x%08x%02x', message, counterpart, flags), ''
                          ORDER BY message))
FROM (
    SELECT *, (row_number() OVER (PARTITION BY owner, chain ORDER BY message) - 1) / 64 AS number
    FROM (
        SELECT owner, 0 AS chain, message, counterpart, flags FROM entry
        UNION ALL
        SELECT owner, counterpart, message, counterpart, flags FROM entry
    )
)
GROUP BY owner, chain, number;

DROP TABLE entry;
