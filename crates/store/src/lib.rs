//! What must survive: *records*, *logs* and the journal through which both are
//! written.
//!
//! - A **record** is a small value under (owner, kind, key) with a version for
//!   compare-and-set.
//! - A **log** is an owner's messages in the order of their ids. A message is
//!   stored once; each log that has it holds an entry of a few bytes.
//! - The **journal** is one writer with group commit: what is appended while a
//!   commit is on its way to the disk goes into the next one. Appending never
//!   blocks; the outcome comes when the commit is durable.
//!
//! Reading goes through [`Store`], writing through [`Journal`] and an
//! [`Engine`], so that whoever runs the writer decides when it commits: a
//! thread in the server, a step of the virtual clock in a simulation.

mod change;
mod engine;
mod error;
mod id;
mod journal;
mod memory;
mod pool;
mod space;
mod sqlite;
mod store;

pub use change::{Change, EntryFlags, Expect, NewEntry};
pub use engine::{Engine, Tidiness};
pub use error::{Refusal, StoreError};
pub use id::{MessageId, NodeId, ParseIdError, Timestamp};
pub use journal::{Journal, JournalLimits, Room, Settled, Weigh};
pub use space::Space;
pub use sqlite::{Durability, SqliteOptions};
pub use store::{LogEntry, Page, Record, Store, View};
