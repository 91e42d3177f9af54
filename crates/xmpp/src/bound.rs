//! A client with a session: stanzas both ways, and stream management.

use crate::XmppConfig;
use crate::front::Xmpp;
use crate::management::Management;
use crate::outbound::Sent;
use crate::resumption::TicketHolder;
use crate::{iq, message, presence};
use anser_hub::{CloseReason, Event, Query, SessionHandle};
use anser_jid::Jid;
use anser_store::{MessageId, Timestamp};
use anser_xml::{Element, Writer};
use anser_xmpp_proto::payload::stream_management::{self as sm, Request};
use anser_xmpp_proto::{
    DefinedCondition, Kind, Outbox, StanzaError, StanzaHeader, StreamCondition, StreamError, ns,
};
use bytes::BytesMut;
use std::collections::VecDeque;
use std::task::{Context, Poll};

/// A stream with a session. It may outlive the connection that it is in.
#[derive(Debug)]
pub(crate) struct Bound {
    session: SessionHandle,
    management: Option<Box<Management>>,
    /// Taken from the mailbox and not sent yet.
    queue: VecDeque<Event>,
    /// Messages written for a client that does not acknowledge: they count as
    /// taken when the connection has swallowed them.
    written: Vec<MessageId>,
    silence: Silence,
    /// The client has sent something since it has the session. Until then it
    /// gets nothing: what it sends first may be that it acknowledges, and what
    /// came before would be lost with the connection.
    has_spoken: bool,
    /// Messages that were sent before this moment are marked as late.
    live_since: Timestamp,
}

/// How long the client has said nothing.
#[derive(Debug, Clone, Copy)]
enum Silence {
    /// Since then.
    Since(Timestamp),
    /// It was asked for a sign of life then. Its time to answer counts from the
    /// question: after a machine has slept, too.
    Asked(Timestamp),
}

impl Silence {
    /// When something has to be done about it.
    fn ends_at(self, config: &XmppConfig) -> Timestamp {
        match self {
            Self::Since(heard) => heard.after(config.ping_after()),
            Self::Asked(asked) => asked.after(config.ping_timeout()),
        }
    }
}

/// So much is written at most before the connection gets a chance to send it.
pub(crate) const BITE_BYTES: usize = 64 << 10;
/// Messages are read from the log so many at a time.
const PAGE: usize = 20;

impl Bound {
    pub(crate) fn new(session: SessionHandle, now: Timestamp) -> Self {
        Self {
            session,
            management: None,
            queue: VecDeque::new(),
            written: Vec::new(),
            silence: Silence::Since(now),
            has_spoken: false,
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

    /// Something has arrived: the client is alive.
    pub(crate) fn heard(&mut self, now: Timestamp) {
        self.silence = Silence::Since(now);
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
        self.has_spoken = true;
        if let Some(request) = Request::read(element) {
            return self.manage(front, &request, output);
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
        self.ask_if_due(front, output, now);
        let Some(management) = &mut self.management else {
            return Ok(());
        };
        management.handled(&self.session);
        if management.is_overfull(&front.config()) {
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
        let most_seconds = front.config().resume_seconds;
        let id = (resume && most_seconds > 0).then(|| front.new_id());
        let resumption = id.as_deref().map(|id| (id, most_seconds));
        sm::write_enabled(output, resumption);
        let ticket = id.map(|id| front.resumptions().issue(id, account));
        self.management = Some(Box::new(Management::new(&self.session, ticket)));
    }

    /// The client has handled `h` stanzas: messages among them are taken.
    fn acknowledged(&mut self, front: &Xmpp, h: u32) -> Result<(), StreamError> {
        let Some(management) = &mut self.management else {
            return Ok(());
        };
        let places = management.acknowledged(h).map_err(sm::count_too_high)?;
        front.hub().taken(&self.session, places);
        Ok(())
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
        self.heard(now);
        self.live_since = now;
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

    /// Whether [`Bound::mail`] has something to do.
    pub(crate) fn poll_mail(&mut self, front: &Xmpp, context: &mut Context<'_>) -> Poll<()> {
        if !self.written.is_empty() {
            // Whoever polls has sent what was written.
            front.hub().taken(&self.session, self.written.drain(..));
            self.written = Vec::new();
        }
        if self.is_held_back(front) {
            return self.session.mailbox().poll_closed(context);
        }
        if let Some(owed) = self.management.as_ref().and_then(|m| m.owed())
            && self.session.poll_settled(owed, context).is_ready()
        {
            return Poll::Ready(());
        }
        if !self.queue.is_empty() {
            return Poll::Ready(());
        }
        self.session.mailbox().poll_ready(context)
    }

    /// Mail has to wait: the client has not spoken yet, or so much is under way
    /// to it that it has to acknowledge some first.
    fn is_held_back(&self, front: &Xmpp) -> bool {
        let is_full = |management: &Management| management.is_full(&front.config());
        !self.has_spoken || self.management.as_deref().is_some_and(is_full)
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
            return Err(closing(reason));
        }
        while output.len() < BITE_BYTES && !self.is_held_back(front) {
            match self.queue.pop_front() {
                Some(Event::Waiting(places)) => {
                    self.send_waiting(front, places, output, now).await?;
                }
                Some(event) => self.send(Sent::Event(event), output, now),
                None if self.look_for_mail(output) => {}
                None => break,
            }
        }
        self.ask_if_due(front, output, now);
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
    async fn settle(&mut self, output: &mut BytesMut, now: Timestamp) {
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
        let messages = front.hub().waiting(&places).await.map_err(|error| {
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

    /// Writes a stanza, and keeps it if the client acknowledges.
    pub(crate) fn send(&mut self, stanza: Sent, output: &mut BytesMut, now: Timestamp) {
        let stanza = stanza.late_before(self.live_since);
        stanza.write(&self.session, output);
        match &mut self.management {
            Some(management) => management.sent(stanza, now),
            None => self.written.extend(stanza.place()),
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

    fn ask_if_due(&mut self, front: &Xmpp, output: &mut BytesMut, now: Timestamp) {
        let is_held_back = self.is_held_back(front);
        if let Some(management) = &mut self.management
            && management.shall_ask(is_held_back, now)
        {
            sm::write_ask(output);
        }
    }

    /// When [`Bound::time_out`] has something to do.
    pub(crate) fn deadline(&self, front: &Xmpp) -> Timestamp {
        let config = front.config();
        let silence = self.silence.ends_at(&config);
        let ask = self.management.as_ref().and_then(|m| m.ask_at());
        ask.map_or(silence, |ask| ask.min(silence))
    }

    /// Asks for an acknowledgement, or for a sign of life. Says whether the
    /// connection is alive.
    pub(crate) fn time_out(&mut self, front: &Xmpp, output: &mut BytesMut, now: Timestamp) -> bool {
        self.ask_if_due(front, output, now);
        let config = front.config();
        if now < self.silence.ends_at(&config) {
            return true;
        }
        if let Silence::Asked(_) = self.silence {
            return false;
        }
        self.silence = Silence::Asked(now);
        match &mut self.management {
            Some(management) => {
                management.asked();
                sm::write_ask(output);
            }
            None => self.write_ping(front, output),
        }
        true
    }

    /// XEP-0199 §4.1
    fn write_ping(&self, front: &Xmpp, output: &mut BytesMut) {
        let own = self.session.address();
        let mut writer = Writer::new(output);
        let mut iq = writer
            .open("iq")
            .attribute("type", "get")
            .attribute("id", &front.new_id())
            .attribute("from", own.domain())
            .attribute("to", own.as_str());
        iq.open("ping").namespace(ns::PING).close();
    }

    /// The client says goodbye: what it has sent is settled and acknowledged
    /// before it hears the same from us.
    pub(crate) async fn close(&mut self, front: &Xmpp, output: &mut BytesMut, now: Timestamp) {
        // What is there already is worth a try; what is not acknowledged waits
        // for the next session.
        if self.mail(front, output, now).await.is_ok() {
            self.settle(output, now).await;
        }
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

fn query(event: Event) -> Option<std::sync::Arc<Query>> {
    match event {
        Event::Query(query) => Some(query),
        Event::Message { .. }
        | Event::Waiting(_)
        | Event::Presence(_)
        | Event::Unanswered(_)
        | Event::Roster(_)
        | Event::Refused { .. } => None,
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
