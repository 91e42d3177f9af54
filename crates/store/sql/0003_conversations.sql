-- One conversation of a log, however rare it is among the others. The flags are
-- here too, so that a page is found without looking into `entry`.
CREATE INDEX entry_by_counterpart ON entry (owner, counterpart, message, flags);
