//! Many clients, a few of them being set up at a time.

use std::fmt;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::timeout;

/// The most that one client may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of a ramp.
pub(crate) struct Ramp<T> {
    /// The clients that came in, with their numbers, in the order of their numbers.
    pub(crate) clients: Vec<(usize, T)>,
    /// How long each of them took.
    pub(crate) times: Vec<Duration>,
    /// Why the others did not.
    pub(crate) failures: Vec<String>,
}

/// Sets up the clients of these numbers with `set_up`, at most `concurrency` at a time.
pub(crate) async fn ramp<T, F, E>(
    numbers: Range<usize>,
    concurrency: NonZeroUsize,
    set_up: impl Fn(usize) -> F,
) -> Ramp<T>
where
    T: Send + 'static,
    E: fmt::Display + Send + 'static,
    F: Future<Output = Result<T, E>> + Send + 'static,
{
    let mut waiting = numbers.map(|number| {
        let client = set_up(number);
        async move {
            let started = Instant::now();
            let result = match timeout(PATIENCE, client).await {
                Ok(result) => result.map_err(|error| error.to_string()),
                Err(_) => Err(format!("not set up after {PATIENCE:?}")),
            };
            (number, result, started.elapsed())
        }
    });
    let mut running: JoinSet<_> = waiting.by_ref().take(concurrency.get()).collect();
    let mut ramp = Ramp {
        clients: Vec::new(),
        times: Vec::new(),
        failures: Vec::new(),
    };
    while let Some(done) = running.join_next().await {
        waiting.next().map(|client| running.spawn(client));
        match done {
            Ok((number, Ok(client), time)) => {
                ramp.clients.push((number, client));
                ramp.times.push(time);
            }
            Ok((number, Err(failure), _)) => ramp.failures.push(format!("u{number}: {failure}")),
            Err(panic) => ramp.failures.push(panic.to_string()),
        }
    }
    ramp.clients.sort_unstable_by_key(|(number, _)| *number);
    ramp
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;

    #[tokio::test]
    async fn no_more_are_under_way_than_allowed_and_all_are_accounted_for() {
        let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let ramp = ramp(0..100, NonZeroUsize::new(7).unwrap(), |number| {
            let (under_way, most) = (under_way.clone(), most.clone());
            async move {
                most.fetch_max(under_way.fetch_add(1, Relaxed) + 1, Relaxed);
                tokio::task::yield_now().await;
                under_way.fetch_sub(1, Relaxed);
                if number % 10 == 3 {
                    Err("refused")
                } else {
                    Ok(())
                }
            }
        })
        .await;
        assert_eq!(most.load(Relaxed), 7);
        assert_eq!(
            (ramp.clients.len(), ramp.times.len(), ramp.failures.len()),
            (90, 90, 10)
        );
        assert!(ramp.clients.is_sorted_by_key(|(number, ())| *number));
        assert_eq!(ramp.failures[0], "u3: refused");
    }
}
