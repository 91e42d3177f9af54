//! The writing side: one enum over the engines there are.

use crate::memory::Shelf;
use crate::sqlite::{self, SqliteOptions, Writer};
use crate::{Change, MessageId, Refusal, Space, Store, StoreError};

/// What turns batches of changes into commits. There is one per store.
#[derive(Debug)]
pub struct Engine {
    kind: Kind,
}

/// Whether there is work left that is not urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tidiness {
    /// There is none, or it does not go on now.
    Tidy,
    /// There may be some.
    Untidy,
}

#[derive(Debug)]
enum Kind {
    Memory(Shelf),
    Sqlite(Box<Writer>),
}

impl Engine {
    /// An engine that forgets everything when it is dropped.
    #[must_use]
    pub fn memory() -> (Self, Store) {
        let shelf = Shelf::default();
        let kind = Kind::Memory(shelf.clone());
        (Self { kind }, Store::memory(shelf))
    }

    /// Opens or makes a SQLite database and brings it to the newest schema.
    ///
    /// # Errors
    /// [`StoreError::Open`], [`StoreError::Damaged`] or [`StoreError::Newer`].
    /// An existing file is left as it was.
    pub fn sqlite(options: &SqliteOptions) -> Result<(Self, Store), StoreError> {
        let (writer, pool) = sqlite::open(options)?;
        let kind = Kind::Sqlite(Box::new(writer));
        Ok((Self { kind }, Store::sqlite(pool)))
    }

    /// The space granted to the store, for changing it while the engine works
    /// elsewhere.
    #[must_use]
    pub fn space(&self) -> Space {
        match &self.kind {
            Kind::Memory(shelf) => shelf.space(),
            Kind::Sqlite(writer) => writer.space(),
        }
    }

    /// The newest id in use.
    ///
    /// # Errors
    /// [`StoreError`] if the engine failed.
    pub fn newest(&self) -> Result<MessageId, StoreError> {
        match &self.kind {
            Kind::Memory(shelf) => Ok(shelf.newest()),
            Kind::Sqlite(writer) => writer.newest(),
        }
    }

    /// Goes on for a moment with what is not urgent: taking apart the logs that
    /// were forgotten. Nobody sees these, so nobody waits for it.
    pub fn tidy(&mut self) -> Tidiness {
        match &mut self.kind {
            Kind::Memory(_) => Tidiness::Tidy,
            Kind::Sqlite(writer) => writer.tidy(),
        }
    }

    /// Commits all batches as one and says for each whether it went through.
    /// When this returns, what went through is on disk and readers see it.
    pub(crate) fn commit<'a>(
        &mut self,
        batches: impl Iterator<Item = &'a [Change]> + Clone,
    ) -> Vec<Result<(), Refusal>> {
        match &mut self.kind {
            Kind::Memory(shelf) => shelf.commit(batches),
            Kind::Sqlite(writer) => writer.commit(batches),
        }
    }
}
