//! How many files and sockets the system lets the server have open.

use rlimit::{Resource, getrlimit, increase_nofile_limit};

/// Descriptors for everything but clients: the database, the doors, commands.
const OWN_FILES: usize = 64;
/// Descriptors that a worker needs to wait for its connections.
const FILES_PER_WORKER: usize = 4;

/// How many connections there may be: as many as are wanted, if the system gives
/// so many descriptors and keeps some for everything else. Whoever is beyond
/// that is turned away; without descriptors nobody could be, and no command be
/// taken.
pub(crate) fn connections(wanted: usize, workers: usize) -> usize {
    let soft = || getrlimit(Resource::NOFILE).map(|(soft, _)| soft);
    let Ok(files) = increase_nofile_limit(u64::MAX).or_else(|_| soft()) else {
        return wanted;
    };
    let most = connections_within(files, workers);
    if most < wanted {
        tracing::warn!(
            files,
            "the limit of open files leaves room for {most} connections; \
             network.connections = {wanted}"
        );
    }
    wanted.min(most)
}

/// How many connections a limit of open files leaves room for.
fn connections_within(files: u64, workers: usize) -> usize {
    let files = usize::try_from(files).unwrap_or(usize::MAX);
    let reserve = workers
        .saturating_mul(FILES_PER_WORKER)
        .saturating_add(OWN_FILES);
    files.saturating_sub(reserve).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_descriptors_are_kept_for_what_is_no_connection() {
        assert_eq!(connections_within(100_000, 16), 99_872);
        assert_eq!(connections_within(1024, 2), 952);
        assert_eq!(connections_within(u64::MAX, 1), usize::MAX - 68);
        assert_eq!(connections_within(0, usize::MAX), 1);
    }
}
