//! `[accounts]`: what one account may use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one account may use. Whatever is beyond a limit is refused with the
/// protocol's own error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AccountsConfig {
    /// Sessions of one account at the same time, at most 64.
    pub sessions: usize,
    /// Contacts in a roster, those included who have only asked.
    pub contacts: usize,
    /// Messages that wait for a device of an account; its senders get an error
    /// beyond that.
    pub waiting_messages: usize,
    /// Events that wait for a session that does not read; beyond that the
    /// session ends, and its messages wait for the next one.
    pub mailbox_events: u32,
    /// The same limit in bytes.
    pub mailbox_bytes: u32,
    /// Addresses that a session may tell of its presence each by a stanza of its
    /// own.
    pub directed_presences: usize,
    /// Addresses that an account blocks.
    pub blocked: usize,
    /// Things that clients keep with the account for themselves, such as
    /// bookmarks.
    pub private_entries: usize,
    /// Bytes that they have together.
    pub private_bytes: usize,
    /// Messages that a client gets at once of what was said before, if it does
    /// not say how many it wants.
    pub history_page: usize,
    /// The most messages that it gets at once if it does.
    pub history_page_most: usize,
}

impl Default for AccountsConfig {
    fn default() -> Self {
        Self {
            sessions: 32,
            contacts: 5000,
            waiting_messages: 10_000,
            mailbox_events: 10_000,
            mailbox_bytes: 8 << 20,
            directed_presences: 1000,
            blocked: 1000,
            private_entries: 100,
            private_bytes: 256 << 10,
            history_page: 50,
            history_page_most: 250,
        }
    }
}

/// When a mailbox is full. Every session has these, so they are small.
#[derive(Debug, Clone, Copy)]
pub struct MailboxLimits {
    /// Events in it.
    pub events: u32,
    /// Bytes they hold.
    pub bytes: u32,
}

impl AccountsConfig {
    pub(crate) fn mailbox(&self) -> MailboxLimits {
        MailboxLimits {
            events: self.mailbox_events,
            bytes: self.mailbox_bytes,
        }
    }
}
