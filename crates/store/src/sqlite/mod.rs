//! The engine on SQLite: write-ahead log, one writing connection, a few
//! reading ones, and a thread that folds the write-ahead log into the file.

mod blocks;
mod checkpoint;
mod commit;
mod reader;
mod schema;
mod tail;
mod writer;

use crate::StoreError;
use crate::pool::Pool;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tail::Tail;

pub(crate) use reader::ReadConnection;
pub(crate) use writer::Writer;

/// How to open the database.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// The file. Two more appear beside it while it is open.
    pub path: PathBuf,
    /// What a commit waits for.
    pub durability: Durability,
    /// How many reads may go on at the same time.
    pub readers: usize,
    /// How many log entries wait to be put into the index together. More make
    /// commits cheaper and the start after a crash longer.
    pub tail_entries: usize,
    /// How many entries of a log that is forgotten go in one commit. More are
    /// done sooner and keep others waiting longer.
    pub piece_entries: usize,
}

impl SqliteOptions {
    /// Durable, two readers, a tail of 16384 entries, pieces of 4096.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            durability: Durability::Durable,
            readers: 2,
            tail_entries: 16384,
            piece_entries: 4096,
        }
    }
}

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The disk: what is settled survives a power failure.
    #[default]
    Durable,
    /// The operating system: what is settled survives a crash of the process;
    /// a power failure takes back the last moments, acknowledged or not.
    Relaxed,
}

const PAGE_BYTES: u64 = 4096;

/// What a reading connection keeps of the file. The operating system keeps it
/// as well, once for all of them.
const READER_CACHE_KIB: i64 = 512;

/// Opens the file and starts the threads.
pub(crate) fn open(options: &SqliteOptions) -> Result<(Writer, ReadPool), StoreError> {
    let path = &options.path;
    create(path).map_err(|error| StoreError::Open {
        path: path.clone(),
        reason: error.to_string(),
    })?;
    let mut connection = connect(path)?;
    configure(&connection, options).map_err(|error| open_error(path, &error))?;
    schema::migrate(&mut connection, path)?;
    let checkpointer = checkpoint::start(connect(path)?).map_err(|error| StoreError::Open {
        path: path.clone(),
        reason: format!("no thread to be had: {error}"),
    })?;
    let tail = Tail::default();
    let writer = Writer::new(connection, checkpointer, tail.clone(), options)
        .map_err(|error| open_error(path, &error))?;
    Ok((writer, ReadPool::open(options, &tail)?))
}

/// Makes the file if need be, for nobody else's eyes: it has what people wrote
/// and what their passwords are checked against. The two files that appear
/// beside it are given the same permissions.
fn create(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| open_error(path, &error))?;
    connection
        .busy_timeout(Duration::from_secs(10))
        .map_err(|error| open_error(path, &error))?;
    // Without it, statements with `LIMIT ?` are planned anew at every use.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(|error| open_error(path, &error))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn configure(connection: &Connection, options: &SqliteOptions) -> rusqlite::Result<()> {
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let synchronous = match options.durability {
        Durability::Durable => "FULL",
        Durability::Relaxed => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    // Checkpoints wait for the disk twice; a thread of their own does them.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "cache_size", -32 * 1024)?;
    Ok(())
}

/// Grants the database so many bytes.
fn limit(connection: &Connection, bytes: u64) -> rusqlite::Result<()> {
    /// What the engine itself is built for.
    const MOST_PAGES: u64 = u32::MAX as u64 - 1;
    let pages = (bytes / PAGE_BYTES).min(MOST_PAGES);
    // This pragma answers with the new value, so it is a query.
    connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
}

/// The reading connections.
#[derive(Debug)]
pub(crate) struct ReadPool {
    pool: Pool<ReadConnection>,
}

impl ReadPool {
    fn open(options: &SqliteOptions, tail: &Tail) -> Result<Self, StoreError> {
        let connect = |_| {
            let connection = connect(&options.path)?;
            connection
                .pragma_update(None, "cache_size", -READER_CACHE_KIB)
                .map_err(|error| open_error(&options.path, &error))?;
            Ok(ReadConnection::new(connection, tail.clone()))
        };
        let connections = (0..options.readers.max(1))
            .map(connect)
            .collect::<Result<Vec<_>, _>>()?;
        let pool = Pool::new(connections).map_err(|error| StoreError::Open {
            path: options.path.clone(),
            reason: format!("no thread to be had: {error}"),
        })?;
        Ok(Self { pool })
    }

    pub(crate) async fn run<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut ReadConnection) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        self.pool.run(job).await
    }
}

fn open_error(path: &Path, error: &rusqlite::Error) -> StoreError {
    let (path, reason) = (path.to_owned(), error.to_string());
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            StoreError::Damaged { path, reason }
        }
        _ => StoreError::Open { path, reason },
    }
}

pub(crate) fn engine_error(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        _ => StoreError::Engine(error.to_string()),
    }
}
