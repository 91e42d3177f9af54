//! A client with a session: stanzas both ways, and stream management.

use crate::XmppConfig;
use crate::front::Xmpp;
use crate::management::Management;
use crate::outbound::Sent;
use crate::resumption::TicketHolder;
use crate::{iq, message, presence};
use anser_hub::{Event, Query, SessionHandle, Taken};
use anser_jid::Jid;
use anser_store::Timestamp;
use anser_xml::Element;
use anser_xmpp_proto::payload::client_state::ClientState;
use anser_xmpp_proto::payload::stream_management::{self as sm, Request};
use anser_xmpp_proto::{
    DefinedCondition, Kind, Outbox, StanzaError, StanzaHeader, StreamCondition, StreamError,
};
use bytes::BytesMut;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

mod archive;
mod attention;
mod mail;
mod silence;

use archive::ArchiveAnswer;
pub(crate) use archive::{ArchiveHeader, ArchivePage};
use attention::Held;
pub(crate) use attention::can_wait;
pub(crate) use mail::BITE_BYTES;
use silence::{Hush, Silence};

/// A stream with a session. It may outlive the connection that it is in.
#[derive(Debug)]
pub(crate) struct Bound {
    session: SessionHandle,
    /// Limits and patience, as they were when the stream began.
    config: Arc<XmppConfig>,
    management: Option<Box<Management>>,
    /// Taken from the mailbox and not sent yet.
    queue: VecDeque<Event>,
    /// What is held back while nobody looks at the client.
    held: Option<Box<Held>>,
    /// Answers out of archives that were not sent to the end.
    archives: VecDeque<ArchiveAnswer>,
    /// Messages written for a client that does not acknowledge, or not yet: they
    /// count as taken when the connection has swallowed them and the client has
    /// said something; if that is that it will acknowledge, then when it has
    /// acknowledged something.
    written: Vec<Taken>,
    silence: Silence,
    hush: Hush,
    /// Messages that were sent before this moment are marked as late.
    live_since: Timestamp,
}

impl Bound {
    pub(crate) fn new(session: SessionHandle, config: Arc<XmppConfig>, now: Timestamp) -> Self {
        Self {
            session,
            config,
            management: None,
            queue: VecDeque::new(),
            held: None,
            archives: VecDeque::new(),
            written: Vec::new(),
            silence: Silence::Since(now),
            hush: Hush::before_mail(now),
            live_since: Timestamp::default(),
        }
    }

    pub(crate) fn session(&self) -> &SessionHandle {
        &self.session
    }

    pub(crate) fn ticket(&self) -> Option<&TicketHolder> {
        self.management.as_ref()?.ticket.as_ref()
    }

    /// Whether the exchange has ended the session.
    pub(crate) fn is_over(&self) -> bool {
        self.session.mailbox().closed().is_some()
    }

    /// Handles a direct child of the stream.
    ///
    /// # Errors
    /// How the stream ends.
    pub(crate) async fn handle(
        &mut self,
        front: &Xmpp,
        element: &Element,
        output: &mut BytesMut,
        now: Timestamp,
    ) -> Result<(), Option<StreamError>> {
        self.hush = Hush::Over;
        if let Some(request) = Request::read(element) {
            return self.manage(front, &request, output);
        }
        if let Some(state) = ClientState::read(element) {
            self.set_client_state(state, output, now);
            return Ok(());
        }
        let kind = Kind::of(element)
            .ok_or_else(|| StreamError::from(StreamCondition::UnsupportedStanzaType))?;
        match StanzaHeader::read(element) {
            Ok(header) => {
                self.check_from(&header)?;
                match kind {
                    Kind::Message => {
                        message::handle(self, front, element, header, output, now).await;
                    }
                    Kind::Presence => {
                        presence::handle(self, front, element, header, output, now).await;
                    }
                    Kind::Iq => iq::handle(self, front, element, header, output, now).await,
                }
            }
            Err(fault) => {
                let id = element.attribute("id");
                if !is_answer(element, kind) {
                    self.refuse(&fault.into(), kind, None, id.as_deref(), output, now);
                }
            }
        }
        self.ask_if_due(output, now);
        let Some(management) = &mut self.management else {
            return Ok(());
        };
        management.handled(&self.session);
        if management.is_overfull(&self.config) {
            let reason = "too much waits for the client to acknowledge it";
            return Err(Some(StreamCondition::PolicyViolation.because(reason)));
        }
        Ok(())
    }

    /// A client speaks for itself only (RFC 6120 §8.1.2.1).
    fn check_from(&self, header: &StanzaHeader) -> Result<(), StreamError> {
        let own = self.session.address();
        match &header.from {
            Some(from) if from.as_str() != own.as_str() && from.as_str() != own.bare_str() => {
                let reason = format_args!("this stream is of {own}");
                Err(StreamCondition::InvalidFrom.because(reason))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Stream management (XEP-0198 §3 and §4).
    fn manage(
        &mut self,
        front: &Xmpp,
        request: &Request,
        output: &mut BytesMut,
    ) -> Result<(), Option<StreamError>> {
        match *request {
            Request::Enable { resume } => self.enable(front, resume, output),
            Request::Resume { .. } => {
                sm::write_failed(output, DefinedCondition::UnexpectedRequest, None);
            }
            Request::Ask => {
                if let Some(management) = &mut self.management {
                    management.owe(&self.session);
                }
            }
            Request::Acknowledge { h } => {
                if self.management.is_some() {
                    self.acknowledged(front, h)?;
                }
            }
            Request::Malformed => return Err(Some(StreamCondition::BadFormat.into())),
        }
        Ok(())
    }

    fn enable(&mut self, front: &Xmpp, resume: bool, output: &mut BytesMut) {
        if self.management.is_some() {
            return sm::write_failed(output, DefinedCondition::UnexpectedRequest, None);
        }
        let account = self.session.address().to_bare();
        let most_seconds = self.config.resume_seconds;
        let id = (resume && most_seconds > 0).then(|| front.new_id());
        let resumption = id.as_deref().map(|id| (id, most_seconds));
        sm::write_enabled(output, resumption);
        let ticket = id.map(|id| front.resumptions().issue(&id, account));
        self.management = Some(Box::new(Management::new(&self.session, ticket)));
    }

    /// The client has handled `h` stanzas: messages among them are taken.
    fn acknowledged(&mut self, front: &Xmpp, h: u32) -> Result<(), StreamError> {
        let Some(management) = &mut self.management else {
            return Ok(());
        };
        let taken = management.acknowledged(h).map_err(sm::count_too_high)?;
        front.hub().taken(&self.session, taken);
        if h > 0 {
            // What came before the first stanza that counts has come too.
            let written = std::mem::take(&mut self.written);
            front.hub().taken(&self.session, written);
        }
        Ok(())
    }

    /// Goes on in a new connection (XEP-0198 §5). What the client sent in the
    /// old one is settled first: it sends again whatever is not counted as
    /// handled, and that must not be something on its way to the disk.
    ///
    /// # Errors
    /// The client counts what it was never sent.
    pub(crate) async fn resume(
        &mut self,
        front: &Xmpp,
        previous: &str,
        h: u32,
        output: &mut BytesMut,
        now: Timestamp,
    ) -> Result<(), StreamError> {
        self.session.all_settled().await;
        self.acknowledged(front, h)?;
        // Nobody knows whether these have come. They go to the next session.
        self.written = Vec::new();
        self.heard(now);
        self.live_since = now;
        // Every stream begins in the eyes of somebody (XEP-0352 §5.2).
        self.wake_up();
        if let Some(management) = &mut self.management {
            management.paid();
            let handled = management.acknowledgement(self.session.settled());
            sm::write_resumed(output, previous, handled);
            for stanza in management.outbox.iter() {
                stanza.write(&self.session, output);
            }
            management.sent_again(now);
        }
        Ok(())
    }

    /// Another connection wants the stream.
    pub(crate) fn poll_abandoned(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match self.ticket() {
            Some(ticket) => ticket.poll_wanted(context),
            None => Poll::Pending,
        }
    }

    /// Whether another connection has asked for the stream.
    pub(crate) fn is_wanted(&self) -> bool {
        self.ticket().is_some_and(TicketHolder::is_wanted)
    }

    /// Writes a stanza, and keeps it if the client acknowledges.
    pub(crate) fn send(&mut self, stanza: Sent, output: &mut BytesMut, now: Timestamp) {
        let stanza = stanza.late_before(self.live_since);
        stanza.write(&self.session, output);
        match &mut self.management {
            Some(management) => management.sent(stanza, now),
            None => self.written.extend(stanza.taken()),
        }
    }

    /// Writes an answer that only this client gets.
    pub(crate) fn reply(
        &mut self,
        output: &mut BytesMut,
        now: Timestamp,
        write: impl FnOnce(&mut BytesMut),
    ) {
        let mut stanza = BytesMut::new();
        write(&mut stanza);
        self.send(Sent::Reply(stanza.freeze()), output, now);
    }

    /// Tells the client that its stanza was refused (RFC 6120 §8.3.1).
    pub(crate) fn refuse(
        &mut self,
        error: &StanzaError,
        kind: Kind,
        to: Option<&Jid>,
        id: Option<&str>,
        output: &mut BytesMut,
        now: Timestamp,
    ) {
        let own = Jid::from(self.session.address().clone());
        self.reply(output, now, |output| {
            let from = to.map(Jid::as_str);
            error.write_reply(output, kind, from, Some(own.as_str()), id);
        });
    }

    /// The client says goodbye: what it has sent is settled and acknowledged
    /// before it hears the same from us.
    pub(crate) async fn close(&mut self, front: &Xmpp, output: &mut BytesMut, now: Timestamp) {
        // What is there already is worth a try; what is not acknowledged waits
        // for the next session.
        if self.mail(front, output, now).await.is_ok() {
            self.settle(output, now).await;
        }
        front.hub().quit_rooms(&self.session);
    }

    /// Ends the session. Messages that the client did not take wait for the
    /// next; whoever asked it something is told that no answer will come.
    pub(crate) fn end(mut self, front: &Xmpp) {
        let mail = self.session.mailbox().shut();
        let sent = self.management.take().map(|management| management.outbox);
        let sent = sent.into_iter().flat_map(Outbox::into_unacknowledged);
        let asked = sent.filter_map(Sent::into_query);
        let unsent = self.queue.drain(..).chain(mail).filter_map(query);
        for query in asked.chain(unsent) {
            front.hub().query_undelivered(&query);
        }
    }
}

/// Answers are not answered (RFC 6120 §8.2.3, §8.3.1).
fn is_answer(stanza: &Element, kind: Kind) -> bool {
    match stanza.attribute("type").as_deref() {
        Some("error") => true,
        Some("result") => kind == Kind::Iq,
        Some(_) | None => false,
    }
}

fn query(event: Event) -> Option<Arc<Query>> {
    match event {
        Event::Query(query) => Some(query),
        Event::Message { .. }
        | Event::Copy { .. }
        | Event::Waiting(_)
        | Event::Presence(_)
        | Event::Room(_)
        | Event::Unanswered(_)
        | Event::Roster(_)
        | Event::Blocks(_)
        | Event::Refused { .. } => None,
    }
}
