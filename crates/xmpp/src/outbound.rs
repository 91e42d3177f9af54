//! Events as stanzas.

use crate::bound::{ArchiveHeader, can_wait};
use crate::error;
use crate::room;
use anser_hub::{
    BlockChange, BlockPush, Contact, Direction, Event, Message, MessageKind, Presence,
    PresenceKind, Query, QueryKind, RoomEvent, RoomMessage, RosterPush, Session, SessionHandle,
    Subscription, SubscriptionStep, Taken, Traits,
};
use anser_jid::Jid;
use anser_store::{MessageId, Timestamp};
use anser_xml::Writer;
use anser_xmpp_proto::payload::{blocking, carbons, delay, mam, roster, stanza_id};
use anser_xmpp_proto::{
    DefinedCondition, IqKind, Kind, MessageType, PresenceType, StanzaError, ns,
};
use bytes::{Bytes, BytesMut};
use std::sync::Arc;

/// A stanza for the client, kept in the shortest form in which it can be
/// written again.
#[derive(Debug, Clone)]
pub(crate) enum Sent {
    /// Something that happened.
    Event(Event),
    /// A message that comes late, and says so.
    Late {
        message: Arc<Message>,
        place: MessageId,
        /// Whether it is a copy.
        copy: Option<Direction>,
    },
    /// The same of what was said in a room.
    LateInRoom(Arc<RoomMessage>),
    /// A message out of an archive that the client has asked after.
    Archived {
        message: Arc<Message>,
        place: MessageId,
        header: Arc<ArchiveHeader>,
    },
    /// An answer, as it is.
    Reply(Bytes),
}

impl Sent {
    /// A message that waited in the log.
    pub(crate) fn waiting(message: Message, place: MessageId) -> Self {
        Self::Late {
            message: Arc::new(message),
            place,
            copy: None,
        }
    }

    /// A message of an answer out of an archive.
    pub(crate) fn archived(message: Message, place: MessageId, header: Arc<ArchiveHeader>) -> Self {
        Self::Archived {
            message: Arc::new(message),
            place,
            header,
        }
    }

    /// Marks a message as late if it was sent before the client was there.
    pub(crate) fn late_before(self, live_since: Timestamp) -> Self {
        let late = match &self {
            Self::Event(Event::Message { message, place }) => (message, *place, None),
            Self::Event(Event::Copy {
                direction,
                message,
                place,
            }) => (message, *place, Some(*direction)),
            Self::Event(Event::Room(RoomEvent::Message {
                message,
                is_past: false,
            })) if message.at < live_since => return Self::LateInRoom(Arc::clone(message)),
            Self::Event(_)
            | Self::Late { .. }
            | Self::LateInRoom(_)
            | Self::Archived { .. }
            | Self::Reply(_) => return self,
        };
        match late {
            (message, Some(place), copy) if place.timestamp() < live_since => Self::Late {
                message: Arc::clone(message),
                place,
                copy,
            },
            _ => self,
        }
    }

    /// What the client has taken of its account's log when it has this.
    pub(crate) fn taken(&self) -> Option<Taken> {
        match self {
            Self::Event(Event::Message { place, .. } | Event::Copy { place, .. }) => {
                place.map(Taken::Mail)
            }
            Self::Late { place, .. } => Some(Taken::Mail(*place)),
            Self::Archived { place, header, .. } => {
                let is_own = header.room.is_none();
                is_own.then_some(Taken::History(*place))
            }
            Self::Event(_) | Self::LateInRoom(_) | Self::Reply(_) => None,
        }
    }

    /// Whether nobody misses it for long if it does not arrive.
    pub(crate) fn is_fleeting(&self) -> bool {
        matches!(self, Self::Event(event) if can_wait(event))
    }

    /// About how much memory it holds.
    pub(crate) fn weight_bytes(&self) -> u32 {
        let bytes = match self {
            Self::Event(event) => event.weight_bytes(),
            Self::Late { message, .. } | Self::Archived { message, .. } => {
                message.encoded().len() + size_of::<Self>()
            }
            Self::LateInRoom(message) => message.message.encoded().len() + size_of::<Self>(),
            Self::Reply(stanza) => stanza.len() + size_of::<Self>(),
        };
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }

    /// The question that somebody asked the client, if it is one.
    pub(crate) fn into_query(self) -> Option<Arc<Query>> {
        match self {
            Self::Event(Event::Query(query)) => Some(query),
            Self::Event(_)
            | Self::Late { .. }
            | Self::LateInRoom(_)
            | Self::Archived { .. }
            | Self::Reply(_) => None,
        }
    }

    pub(crate) fn write(&self, session: &SessionHandle, output: &mut BytesMut) {
        match self {
            Self::Event(event) => write_event(event, session, output),
            Self::Late {
                message,
                place,
                copy: None,
            } => write_message(message, Some(*place), IsLate::Yes, session, output),
            Self::Late {
                message,
                place,
                copy: Some(direction),
            } => write_copy(
                *direction,
                message,
                Some(*place),
                IsLate::Yes,
                session,
                output,
            ),
            Self::LateInRoom(message) => {
                let server = session.address().domain();
                room::write_late(message, server, session, output);
            }
            Self::Archived {
                message,
                place,
                header,
            } => write_archived(message, *place, header, session, output),
            Self::Reply(stanza) => output.extend_from_slice(stanza),
        }
    }
}

fn write_event(event: &Event, session: &SessionHandle, output: &mut BytesMut) {
    match event {
        Event::Message { message, place } => {
            write_message(message, *place, IsLate::No, session, output);
        }
        Event::Copy {
            direction,
            message,
            place,
        } => write_copy(*direction, message, *place, IsLate::No, session, output),
        Event::Presence(presence) => write_presence(presence, output),
        Event::Query(query) => write_query(query, output),
        Event::Unanswered(query) => {
            let error = StanzaError::from(DefinedCondition::ServiceUnavailable);
            let to = session.address().as_str();
            let (from, id) = match &query.relay {
                Some(relay) => (relay.asked.as_str(), &relay.id),
                None => (query.to.as_str(), &query.id),
            };
            error.write_reply(output, Kind::Iq, Some(from), Some(to), Some(id));
        }
        Event::Room(event) => room::write_event(event, session, output),
        Event::Roster(push) => write_roster_push(push, session, output),
        Event::Blocks(push) => write_block_push(push, session, output),
        Event::Refused { message, error } => {
            let (from, to) = (message.to().as_str(), session.address().as_str());
            error::stanza_error(error).write_reply(
                output,
                Kind::Message,
                Some(from),
                Some(to),
                message.id(),
            );
        }
        // No stanza: the stream deals with it.
        Event::Waiting(_) => {}
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IsLate {
    Yes,
    No,
}

fn write_message(
    message: &Message,
    place: Option<MessageId>,
    is_late: IsLate,
    session: &Session,
    output: &mut BytesMut,
) {
    let mut writer = Writer::new(output);
    let stanza = writer.open("message");
    // Out of a room it is for the session that is there (XEP-0045 §7.5).
    let to = match message.traits().contains(Traits::IN_ROOM) {
        true => session.address(),
        false => message.to(),
    };
    let mut stanza = write_content(stanza, message, to, place, session);
    if let (Some(place), IsLate::Yes) = (place, is_late) {
        write_delay(&mut stanza, place, session);
    }
}

/// A copy of a message for another device (XEP-0280 §7 and §8).
fn write_copy(
    direction: Direction,
    message: &Message,
    place: Option<MessageId>,
    is_late: IsLate,
    session: &Session,
    output: &mut BytesMut,
) {
    let own = session.address();
    let mut writer = Writer::new(output);
    let mut stanza = writer
        .open("message")
        .attribute("from", own.bare_str())
        .attribute("to", own.as_str())
        .attribute_opt("type", message_type(message.kind()));
    let direction = match direction {
        Direction::Sent => "sent",
        Direction::Received => "received",
    };
    carbons::write(&mut stanza, direction, |forwarded| {
        // Before the message, as XEP-0297 §3.1 has it.
        if let (Some(place), IsLate::Yes) = (place, is_late) {
            write_delay(forwarded, place, session);
        }
        let inner = forwarded.open("message").namespace(ns::CLIENT);
        write_content(inner, message, message.to(), place, session).close();
    });
}

/// The attributes and children of a message as its account has it in the log.
fn write_content<'a>(
    stanza: Writer<'a>,
    message: &Message,
    to: &Jid,
    place: Option<MessageId>,
    session: &Session,
) -> Writer<'a> {
    let mut stanza = stanza
        .attribute("from", message.from().as_str())
        .attribute("to", to.as_str())
        .attribute_opt("type", message_type(message.kind()))
        .attribute_opt("id", message.id())
        .attribute_opt("xml:lang", message.lang());
    stanza.raw(&message.payload());
    if let Some(place) = place {
        stanza_id::write(&mut stanza, session.address().bare_str(), place);
    }
    stanza
}

fn write_delay(stanza: &mut Writer<'_>, place: MessageId, session: &Session) {
    let sent_at = place.timestamp().millis();
    delay::write(stanza, session.address().domain(), sent_at);
}

/// `None` is what a message is without a word (RFC 6121 §5.2.2).
fn message_type(kind: MessageKind) -> Option<&'static str> {
    match kind {
        MessageKind::Normal => None,
        MessageKind::Chat => Some(MessageType::Chat.name()),
        MessageKind::Groupchat => Some(MessageType::Groupchat.name()),
        MessageKind::Headline => Some(MessageType::Headline.name()),
        MessageKind::Error => Some(MessageType::Error.name()),
    }
}

/// XEP-0313 §4.2
fn write_archived(
    message: &Message,
    place: MessageId,
    header: &ArchiveHeader,
    session: &Session,
    output: &mut BytesMut,
) {
    // A room has nobody in particular to write to (XEP-0313 §6.1.2).
    let to = match message.kind() {
        MessageKind::Groupchat => None,
        MessageKind::Normal | MessageKind::Chat | MessageKind::Headline | MessageKind::Error => {
            Some(message.to().as_str())
        }
    };
    let mut writer = Writer::new(output);
    let mut stanza = writer
        .open("message")
        .attribute("from", header.archive.as_str())
        .attribute("to", session.address().as_str());
    let (query_id, sent_at) = (header.query_id.as_deref(), place.timestamp());
    mam::write_result(
        &mut stanza,
        query_id,
        place,
        sent_at.millis(),
        |forwarded| {
            let mut archived = forwarded
                .open("message")
                .namespace(ns::CLIENT)
                .attribute("from", message.from().as_str())
                .attribute_opt("to", to)
                .attribute_opt("type", message_type(message.kind()))
                .attribute_opt("id", message.id())
                .attribute_opt("xml:lang", message.lang());
            archived.raw(&message.payload());
        },
    );
}

fn write_presence(presence: &Presence, output: &mut BytesMut) {
    let kind = match presence.kind {
        PresenceKind::Available { .. } => None,
        PresenceKind::Unavailable => Some(PresenceType::Unavailable),
        PresenceKind::Subscription(step) => Some(match step {
            SubscriptionStep::Subscribe => PresenceType::Subscribe,
            SubscriptionStep::Subscribed => PresenceType::Subscribed,
            SubscriptionStep::Unsubscribe => PresenceType::Unsubscribe,
            SubscriptionStep::Unsubscribed => PresenceType::Unsubscribed,
        }),
        PresenceKind::Probe => Some(PresenceType::Probe),
        PresenceKind::Error => Some(PresenceType::Error),
    };
    let mut writer = Writer::new(output);
    let mut stanza = writer
        .open("presence")
        .attribute("from", presence.from.as_str())
        .attribute("to", presence.to.as_str())
        .attribute_opt("type", kind.map(PresenceType::name))
        .attribute_opt("id", presence.id.as_deref())
        .attribute_opt("xml:lang", presence.lang.as_deref());
    stanza.raw(&presence.payload);
}

fn write_query(query: &Query, output: &mut BytesMut) {
    let kind = match query.kind {
        QueryKind::Get => IqKind::Get,
        QueryKind::Set => IqKind::Set,
        QueryKind::Result => IqKind::Result,
        QueryKind::Error => IqKind::Error,
    };
    let mut writer = Writer::new(output);
    let mut stanza = writer
        .open("iq")
        .attribute("from", query.from.as_str())
        .attribute("to", query.to.as_str())
        .attribute("type", kind.name())
        .attribute("id", &query.id)
        .attribute_opt("xml:lang", query.lang.as_deref());
    stanza.raw(&query.payload);
}

/// RFC 6121 §2.1.6
fn write_roster_push(push: &RosterPush, session: &Session, output: &mut BytesMut) {
    let mut writer = Writer::new(output);
    let mut stanza = writer
        .open("iq")
        .attribute("to", session.address().as_str())
        .attribute("type", "set")
        .attribute_display("id", format_args!("push-{}", push.version));
    let item = match &push.contact {
        Some(contact) => roster_item(&push.address, contact),
        None => roster::Item {
            address: &push.address,
            name: None,
            subscription: "remove",
            is_asked: false,
            is_approved: false,
            groups: &[],
        },
    };
    roster::write(&mut stanza, push.version, [item]);
}

/// XEP-0191 §3.3 to §3.5
fn write_block_push(push: &BlockPush, session: &Session, output: &mut BytesMut) {
    let mut writer = Writer::new(output);
    let mut stanza = writer
        .open("iq")
        .attribute("to", session.address().as_str())
        .attribute("type", "set")
        .attribute_display("id", format_args!("block-{}", push.number));
    match &push.change {
        BlockChange::Block(addresses) => blocking::write(&mut stanza, "block", addresses),
        BlockChange::Unblock(addresses) => blocking::write(&mut stanza, "unblock", addresses),
        BlockChange::UnblockAll => blocking::write(&mut stanza, "unblock", []),
    }
}

/// A contact as its user sees it.
pub(crate) fn roster_item<'a>(address: &'a Jid, contact: &'a Contact) -> roster::Item<'a> {
    roster::Item {
        address,
        name: contact.name.as_deref(),
        subscription: match contact.subscription {
            Subscription::None => "none",
            Subscription::To => "to",
            Subscription::From => "from",
            Subscription::Both => "both",
        },
        is_asked: contact.is_asked,
        is_approved: contact.is_approved,
        groups: &contact.groups,
    }
}
