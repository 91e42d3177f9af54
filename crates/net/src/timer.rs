//! A deadline that moves with every event, over a timer that does not.

use anser_store::Timestamp;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// Wakes at a deadline or before, never after: moving a deadline further away
/// leaves the runtime's timer alone, and whoever is woken asks again whether it
/// is time.
pub(crate) struct Timer {
    sleep: Pin<Box<Sleep>>,
    is_armed: bool,
    /// When the runtime's timer fires.
    wakes_at: Timestamp,
}

impl Timer {
    pub(crate) fn new() -> Self {
        Self {
            sleep: Box::pin(sleep(Duration::ZERO)),
            is_armed: false,
            wakes_at: Timestamp::default(),
        }
    }

    pub(crate) fn set(mut self: Pin<&mut Self>, deadline: Option<Timestamp>, now: Timestamp) {
        let Some(deadline) = deadline else {
            return;
        };
        if !self.is_armed || deadline < self.wakes_at || self.wakes_at <= now {
            let left = deadline.since(now);
            self.sleep.as_mut().reset(Instant::now() + left);
            self.is_armed = true;
            self.wakes_at = deadline;
        }
    }

    pub(crate) fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if !self.is_armed {
            return Poll::Pending;
        }
        self.sleep.as_mut().poll(context).map(|()| {
            self.is_armed = false;
        })
    }
}
