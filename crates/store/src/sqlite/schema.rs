//! Numbered migrations: the schema's number stands in the file.

use super::open_error;
use crate::StoreError;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// In order; a migration that was released never changes.
const MIGRATIONS: &[&str] = &[
    include_str!("../../sql/0001_records_and_logs.sql"),
    include_str!("../../sql/0002_doomed.sql"),
    include_str!("../../sql/0003_conversations.sql"),
    include_str!("../../sql/0004_blocks.sql"),
    include_str!("../../sql/0005_owners_by_key.sql"),
];

/// Brings the file to the newest schema, all missing steps at once or none.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let known = u32::try_from(MIGRATIONS.len()).expect("migrations are few");
    let found = version(connection).map_err(|error| open_error(path, &error))?;
    if found > known {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    if found < known {
        if found > 0 {
            tracing::info!(
                found,
                known,
                "the database is of an earlier version; a large one takes minutes to bring up to date"
            );
        }
        apply(connection, found, known).map_err(|error| open_error(path, &error))?;
    }
    Ok(())
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn apply(connection: &mut Connection, found: u32, known: u32) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for migration in MIGRATIONS.iter().skip(found as usize) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()
}
