//! What a commit may change.

use crate::MessageId;
use anser_jid::BareJid;
use bytes::Bytes;

/// One change of a record or a log. The changes appended together commit
/// together or not at all.
#[derive(Debug, Clone)]
pub enum Change {
    /// Writes a record; its version becomes one more than it was.
    Put {
        /// Whose record.
        owner: BareJid,
        /// What sort of record; a fixed word per feature.
        kind: &'static str,
        /// Which one of that sort; empty where there is only one.
        key: String,
        /// The new value.
        value: Bytes,
        /// What must hold of the record before.
        expect: Expect,
    },
    /// Removes a record; removing one that is not there changes nothing.
    Delete {
        /// Whose record.
        owner: BareJid,
        /// What sort of record.
        kind: &'static str,
        /// Which one of that sort.
        key: String,
    },
    /// Adds a message to the logs named in `entries`.
    Append {
        /// Given by the journal; greater than every id before it.
        id: MessageId,
        /// The message, in a form only its writer knows.
        body: Bytes,
        /// At most one entry per owner.
        entries: Vec<NewEntry>,
    },
    /// Puts another body in the place of a message's, in every log that has it
    /// (a retraction leaves a tombstone).
    Replace {
        /// Which message; nothing happens if it is gone.
        id: MessageId,
        /// What stands there from now on.
        body: Bytes,
    },
    /// Forgets an owner's log up to and including `through`, in the same way.
    Trim {
        /// Whose log.
        owner: BareJid,
        /// The last entry to go.
        through: MessageId,
    },
    /// Removes every record of an owner and its log. Nobody sees any of it from
    /// then on; that it takes up no more room comes about a piece at a time
    /// (`Engine::tidy`), however large the log is.
    Forget {
        /// Whose things.
        owner: BareJid,
    },
}

impl Change {
    /// About how much memory the change takes while it waits.
    pub(crate) fn weight_bytes(&self) -> usize {
        let payload = match self {
            Self::Put { key, value, .. } => key.len() + value.len(),
            Self::Append { body, .. } | Self::Replace { body, .. } => body.len(),
            Self::Delete { .. } | Self::Trim { .. } | Self::Forget { .. } => 0,
        };
        payload + size_of::<Self>()
    }
}

/// What must hold of a record for a [`Change::Put`] to go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Nothing: the value is written either way.
    Anything,
    /// There is no such record yet.
    Absent,
    /// The record has this version.
    Version(u64),
}

impl Expect {
    /// Whether a record with version `found`, if there is one, is as expected.
    pub(crate) fn holds(self, found: Option<u64>) -> bool {
        match self {
            Self::Anything => true,
            Self::Absent => found.is_none(),
            Self::Version(version) => found == Some(version),
        }
    }
}

/// A message's entry in one log.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// Whose log.
    pub owner: BareJid,
    /// Who the conversation is with.
    pub counterpart: BareJid,
    /// What reading may select by.
    pub flags: EntryFlags,
}

/// Bits that reading may select by. The store gives them no meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EntryFlags(pub u8);

impl EntryFlags {
    /// No bit set: as a filter, every entry.
    pub const NONE: Self = Self(0);

    /// Both sets of bits.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every bit of `other` is set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
