//! `[xmpp]`: limits and patience towards clients.

use anser_xml::Limits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Limits and patience towards XMPP clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct XmppConfig {
    /// Time from connecting to being logged in.
    pub login_timeout_seconds: u32,
    /// Failed attempts to log in on one connection, of those that may have been
    /// guesses at a password. Ten may fail before that besides, as of clients
    /// that try one mechanism after the other.
    pub login_attempts: u32,
    /// Bytes that a client may send before it is logged in.
    pub login_bytes: usize,
    /// Largest stanza of a client that is logged in, in bytes.
    pub stanza_bytes: u32,
    /// Stanzas under way to a client that it has not acknowledged; more wait.
    /// Answers to its own questions do not, and twice as many end its stream.
    pub unacknowledged_stanzas: usize,
    /// The same limit in bytes.
    pub unacknowledged_bytes: u32,
    /// Changes of presence and news of typing that are held back for a client
    /// which says that nobody looks at it; when there are more, all of them go
    /// out. With 0 nothing is held back.
    pub held_stanzas: usize,
    /// How long a client whose connection broke may come back and go on as if
    /// nothing had happened; 0 means not at all.
    pub resume_seconds: u32,
    /// After so long without a word from a client it is asked whether it is
    /// still there.
    pub ping_seconds: u32,
    /// Time to answer that.
    pub ping_timeout_seconds: u32,
}

impl Default for XmppConfig {
    fn default() -> Self {
        Self {
            login_timeout_seconds: 30,
            login_attempts: 3,
            login_bytes: 64 << 10,
            stanza_bytes: 256 << 10,
            unacknowledged_stanzas: 500,
            unacknowledged_bytes: 4 << 20,
            held_stanzas: 100,
            resume_seconds: 300,
            ping_seconds: 300,
            ping_timeout_seconds: 60,
        }
    }
}

impl XmppConfig {
    pub(crate) fn login_timeout(&self) -> Duration {
        seconds(self.login_timeout_seconds)
    }

    pub(crate) fn resume_time(&self) -> Duration {
        seconds(self.resume_seconds)
    }

    pub(crate) fn ping_after(&self) -> Duration {
        seconds(self.ping_seconds)
    }

    pub(crate) fn ping_timeout(&self) -> Duration {
        seconds(self.ping_timeout_seconds)
    }

    /// The longest silence that a client can be sure to survive (XEP-0478 §3).
    pub(crate) fn idle_seconds(&self) -> u32 {
        self.ping_seconds.saturating_add(self.ping_timeout_seconds)
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            stanza_bytes: self.stanza_bytes,
            ..Limits::DEFAULT
        }
    }
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}
