//! What others have for the client, and the acknowledgements that go with it.

use super::Bound;
use crate::front::Xmpp;
use crate::management::Management;
use crate::outbound::Sent;
use anser_hub::{CloseReason, Departure, Event, RoomEvent, RoomPresence, Sight};
use anser_store::{MessageId, Timestamp};
use anser_xmpp_proto::payload::stream_management as sm;
use anser_xmpp_proto::{StreamCondition, StreamError};
use bytes::BytesMut;
use std::sync::Arc;
use std::task::{Context, Poll};

/// So much is written at most before the connection gets a chance to send it.
pub(crate) const BITE_BYTES: usize = 64 << 10;
/// Messages are read from the log so many at a time.
pub(super) const PAGE: usize = 20;

impl Bound {
    /// Whether [`Bound::mail`] has something to do.
    pub(crate) fn poll_mail(&mut self, front: &Xmpp, context: &mut Context<'_>) -> Poll<()> {
        if !self.written.is_empty() && self.hush.is_over() && self.management.is_none() {
            // Whoever polls has sent what was written.
            front.hub().taken(&self.session, self.written.drain(..));
            self.written = Vec::new();
        }
        if self.is_held_back() {
            return self.session.mailbox().poll_closed(context);
        }
        if let Some(owed) = self.management.as_ref().and_then(|m| m.owed())
            && self.session.poll_settled(owed, context).is_ready()
        {
            return Poll::Ready(());
        }
        let is_due = self.held.as_ref().is_some_and(|held| held.is_due());
        if is_due || !self.queue.is_empty() || !self.archives.is_empty() {
            return Poll::Ready(());
        }
        self.session.mailbox().poll_ready(context)
    }

    /// Mail has to wait: the client may be about to speak first, or so much is under way
    /// to it that it has to acknowledge some first.
    pub(super) fn is_held_back(&self) -> bool {
        let is_full = |management: &Management| management.is_full(&self.config);
        self.hush.holds_back(self.written.len()) || self.management.as_deref().is_some_and(is_full)
    }

    /// Sends what others have for the client, a good bite of it.
    ///
    /// # Errors
    /// How the stream ends.
    pub(crate) async fn mail(
        &mut self,
        front: &Xmpp,
        output: &mut BytesMut,
        now: Timestamp,
    ) -> Result<(), StreamError> {
        if let Some(reason) = self.session.mailbox().closed() {
            // Refusals may be among what an overfull mailbox has lost.
            if self.management.is_some() && reason != CloseReason::Overfull {
                self.settle(output, now).await;
            }
            self.send_last_words(output, now);
            return Err(closing(reason));
        }
        self.send_archives(front, output, now).await;
        while output.len() < BITE_BYTES && !self.is_held_back() {
            match self.next_event() {
                Some(Event::Waiting(places)) => {
                    self.send_waiting(front, places, output, now).await?;
                }
                Some(Event::Room(RoomEvent::Others {
                    presences,
                    sight,
                    told,
                })) => self.send_other(presences, sight, told, output, now),
                Some(event) => self.send(Sent::Event(event), output, now),
                None if self.look_for_mail(output) => {}
                None => break,
            }
        }
        self.ask_if_due(output, now);
        Ok(())
    }

    /// Looks into the mailbox once everything from it is sent. Says whether
    /// there was something.
    fn look_for_mail(&mut self, output: &mut BytesMut) -> bool {
        // In this order: a refusal is in the mailbox before it counts as
        // settled.
        let settled = self.session.settled();
        self.queue = self.session.mailbox().take().into();
        let has_mail = !self.queue.is_empty();
        if let Some(management) = &mut self.management {
            let before = std::mem::replace(&mut management.told, settled);
            let told = if has_mail { before } else { settled };
            self.acknowledge(told, output);
        }
        has_mail
    }

    /// The last that the client hears: what it has sent is settled, and then
    /// refused or acknowledged, or it would send that again in another session.
    pub(super) async fn settle(&mut self, output: &mut BytesMut, now: Timestamp) {
        self.session.all_settled().await;
        let settled = self.session.settled();
        self.queue.extend(self.session.mailbox().take());
        let is_refusal = |event: &Event| matches!(event, Event::Refused { .. });
        let (refusals, rest): (Vec<_>, _) = self.queue.drain(..).partition(is_refusal);
        self.queue = rest.into();
        for refusal in refusals {
            self.send(Sent::Event(refusal), output, now);
        }
        if let Some(management) = &mut self.management {
            sm::write_acknowledgement(output, management.acknowledgement(settled));
        }
    }

    /// What rooms say last to a client whose server stops.
    fn send_last_words(&mut self, output: &mut BytesMut, now: Timestamp) {
        self.queue.extend(self.session.mailbox().take());
        let is_last_word = |event: &Event| match event {
            Event::Room(RoomEvent::Presence { presence, .. }) => {
                presence.departure == Some(Departure::Shutdown)
            }
            _ => false,
        };
        for event in std::mem::take(&mut self.queue) {
            if is_last_word(&event) {
                self.send(Sent::Event(event), output, now);
            }
        }
    }

    /// Sends messages that wait in the log; those beyond the first page go back
    /// to the head of the queue.
    ///
    /// # Errors
    /// They cannot be read. They go on waiting for the next session; later ones
    /// must not overtake them in this.
    async fn send_waiting(
        &mut self,
        front: &Xmpp,
        mut places: Vec<MessageId>,
        output: &mut BytesMut,
        now: Timestamp,
    ) -> Result<(), StreamError> {
        let rest = places.split_off(places.len().min(PAGE));
        let messages = front.hub().waiting_messages(&self.session, &places).await;
        let messages = messages.map_err(|error| {
            tracing::error!(%error, "waiting messages cannot be read");
            StreamError::from(StreamCondition::InternalServerError)
        })?;
        for (place, message) in messages {
            self.send(Sent::waiting(message, place), output, now);
        }
        if !rest.is_empty() {
            self.queue.push_front(Event::Waiting(rest));
        }
        Ok(())
    }

    /// Sends the presence of one of those who are in a room; the rest goes back to
    /// the head of the queue.
    fn send_other(
        &mut self,
        presences: Arc<[Arc<RoomPresence>]>,
        sight: Sight,
        told: u32,
        output: &mut BytesMut,
        now: Timestamp,
    ) {
        let Some(presence) = presences.get(told as usize).cloned() else {
            return;
        };
        let event = RoomEvent::Presence { presence, sight };
        self.send(Sent::Event(Event::Room(event)), output, now);
        self.queue.push_front(Event::Room(RoomEvent::Others {
            presences,
            sight,
            told: told + 1,
        }));
    }

    /// Acknowledges what is settled if the client waits for that. What of it
    /// was refused after all has to be on its way to the client by now, so that
    /// nobody takes it for delivered.
    fn acknowledge(&mut self, settled: u32, output: &mut BytesMut) {
        if let Some(management) = &mut self.management
            && let Some(h) = management.pay(settled)
        {
            sm::write_acknowledgement(output, h);
        }
    }
}

fn closing(reason: CloseReason) -> StreamError {
    match reason {
        CloseReason::Replaced => {
            StreamCondition::Conflict.because("another session has taken the resource")
        }
        CloseReason::Revoked => {
            StreamCondition::NotAuthorized.because("the account is gone or has a new password")
        }
        CloseReason::Shutdown => StreamCondition::SystemShutdown.into(),
        CloseReason::Overfull => StreamCondition::ResourceConstraint
            .because("more was waiting for the session than a mailbox holds"),
    }
}
