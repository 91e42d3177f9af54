//! Questions from one session to another, and the answers to them
//! (RFC 6120 §8.2.3): whoever asks hears something, in any case.

use crate::mailbox::Wakes;
use crate::pipeline::Content;
use crate::{Event, Hub, Query, SendError, Session, SessionHandle};
use anser_jid::Jid;
use anser_store::Timestamp;
use std::sync::Arc;

impl Hub {
    /// Passes a question or an answer on to the session it is for.
    ///
    /// # Errors
    /// [`SendError`] if there is no such session, or none for whoever asks; the
    /// query goes nowhere.
    pub fn send_query(
        &self,
        sender: &SessionHandle,
        query: Query,
        now: Timestamp,
    ) -> Result<(), SendError> {
        if let Some(addressee) = addressee(sender, &query) {
            sender.check_addressee(addressee)?;
        }
        if !self.serves(query.to.domain()) {
            return Err(SendError::NoRoute);
        }
        let is_there = self.resident(&query.to).is_some_and(|account| {
            let mut state = account.state();
            !state.blocked.covers(&query.from) && state.device(query.to.resource()).is_some()
        });
        if !is_there {
            return Err(SendError::Unavailable);
        }
        self.pass(sender.session(), Content::Query(Arc::new(query)), now);
        Ok(())
    }

    pub(crate) fn deliver_query(&self, query: &Arc<Query>, wakes: &mut Wakes) {
        let account = self.resident(&query.to);
        let session = account.and_then(|account| {
            let mut state = account.state();
            let device = state.device(query.to.resource())?;
            Some(Arc::clone(&device.session))
        });
        let is_delivered = session.is_some_and(|session| {
            let event = Event::Query(Arc::clone(query));
            session.mailbox().offer(event, wakes).is_ok()
        });
        if !is_delivered {
            self.unanswered(query, wakes);
        }
    }

    /// Tells whoever asked that there will be no answer: the session that was
    /// asked has ended.
    pub fn query_undelivered(&self, query: &Query) {
        self.unanswered(query, &mut Wakes::default());
    }

    fn unanswered(&self, query: &Query, wakes: &mut Wakes) {
        let asker = match &query.relay {
            Some(relay) => &Jid::from(relay.asker.clone()),
            None => &query.from,
        };
        let Some(resource) = asker.resource().filter(|_| query.kind.is_question()) else {
            return;
        };
        let Some(account) = self.resident(asker) else {
            return;
        };
        if let Some(device) = account.state().device(resource) {
            let event = Event::Unanswered(Arc::new(query.clone()));
            device.session.mailbox().push(event, wakes);
        }
    }
}

/// To whom a question or an answer goes as far as its sender knows. Nobody says
/// that of an answer that goes through a room.
fn addressee<'a>(sender: &Session, query: &'a Query) -> Option<&'a Jid> {
    match &query.relay {
        Some(relay) => Some(&relay.asked),
        None if query.from.as_str() == sender.address().as_str() => Some(&query.to),
        None => None,
    }
}
