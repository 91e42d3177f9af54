-- Logs that are forgotten up to a place, and not yet taken apart: nobody sees
-- what is there up to `through`, and it goes a piece at a time.
CREATE TABLE doomed (
    owner   INTEGER PRIMARY KEY,
    through INTEGER NOT NULL
);
