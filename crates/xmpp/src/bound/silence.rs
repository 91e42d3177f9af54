//! Clients that say nothing: they are asked, and then given up.

use super::Bound;
use crate::XmppConfig;
use crate::front::Xmpp;
use anser_store::Timestamp;
use anser_xml::Writer;
use anser_xmpp_proto::ns;
use anser_xmpp_proto::payload::stream_management as sm;
use bytes::BytesMut;
use std::time::Duration;

/// How long mail waits for a client to speak first: a round trip at bad reception.
const HUSH: Duration = Duration::from_secs(2);

/// So many messages at most are given to a client that has not spoken.
const UNHEARD: usize = 20;

/// Whether the client has said something since it has the session. What it says first may
/// be that it acknowledges, and what it was sent before would be lost with the connection:
/// so mail waits for that. But nobody owes the server a word, and whoever is connected gets
/// what is sent to the full address (RFC 6121 §8.5.3.1).
#[derive(Debug, Clone, Copy)]
pub(super) enum Hush {
    /// It has not, and gets no mail until then.
    Until(Timestamp),
    /// It has not for so long that it gets mail all the same.
    Broken,
    /// It has.
    Over,
}

impl Hush {
    pub(super) fn before_mail(now: Timestamp) -> Self {
        Self::Until(now.after(HUSH))
    }

    pub(super) fn is_over(self) -> bool {
        matches!(self, Self::Over)
    }

    /// Whether mail has to wait, when so many messages were written already.
    pub(super) fn holds_back(self, written: usize) -> bool {
        match self {
            Self::Until(_) => true,
            Self::Broken => written >= UNHEARD,
            Self::Over => false,
        }
    }

    fn ends_at(self) -> Option<Timestamp> {
        match self {
            Self::Until(end) => Some(end),
            Self::Broken | Self::Over => None,
        }
    }
}

/// How long the client has said nothing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Silence {
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

impl Bound {
    /// Something has arrived: the client is alive.
    pub(crate) fn heard(&mut self, now: Timestamp) {
        self.silence = Silence::Since(now);
    }

    /// When [`Bound::time_out`] has something to do.
    pub(crate) fn deadline(&self) -> Timestamp {
        let silence = self.silence.ends_at(&self.config);
        let ask = self.management.as_ref().and_then(|m| m.ask_at());
        let due = [ask, self.hush.ends_at()].into_iter().flatten();
        due.fold(silence, Timestamp::min)
    }

    /// Asks for an acknowledgement, or for a sign of life. Says whether the
    /// connection is alive.
    pub(crate) fn time_out(&mut self, front: &Xmpp, output: &mut BytesMut, now: Timestamp) -> bool {
        if self.hush.ends_at().is_some_and(|end| end <= now) {
            self.hush = Hush::Broken;
        }
        self.ask_if_due(output, now);
        if now < self.silence.ends_at(&self.config) {
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

    /// Asks for an acknowledgement if it is time to.
    pub(super) fn ask_if_due(&mut self, output: &mut BytesMut, now: Timestamp) {
        let is_held_back = self.is_held_back();
        if let Some(management) = &mut self.management
            && management.shall_ask(is_held_back, now)
        {
            sm::write_ask(output);
        }
    }
}
