//! Messages to rooms: to all, to one, and about others who are to come
//! (XEP-0045 §7.4, §7.5, §7.8, §7.13, §8.1, §8.6).

use crate::bound::Bound;
use crate::content::content_without;
use crate::error;
use crate::forgery::is_forged_in_room;
use crate::front::Xmpp;
use crate::retraction;
use crate::traits::{hints, mentions, traits};
use anser_hub::{
    Actor, Archived, Draft, Message, MessageKind, Remains, Retraction, Retractor, Room, RoomError,
    SendError, Speaker, Speech, Traits, Whispered,
};
use anser_jid::{FullJid, Jid};
use anser_store::Timestamp;
use anser_xml::{Child, Element, Writer};
use anser_xmpp_proto::payload::form::{Form, FormKind, Submission};
use anser_xmpp_proto::payload::muc::{self, Mediation, Note};
use anser_xmpp_proto::payload::retract;
use anser_xmpp_proto::{DefinedCondition, MessageType, StanzaError, StanzaHeader, ns};
use bytes::BytesMut;
use std::sync::Arc;

/// Takes a message to a room, or to somebody in one.
///
/// # Errors
/// The error of XEP-0045; nobody hears it.
pub(crate) async fn take(
    bound: &Bound,
    front: &Xmpp,
    element: &Element,
    header: &StanzaHeader,
    to: &Jid,
    now: Timestamp,
) -> Result<(), StanzaError> {
    let kind = MessageType::of(element);
    // Errors are about what the room has sent, and there is nobody to tell.
    if kind == MessageType::Error {
        return Ok(());
    }
    let stanza = Stanza {
        bound,
        front,
        element,
        header,
        now,
    };
    match (FullJid::try_from(to.clone()), kind) {
        (Ok(_), MessageType::Groupchat) => {
            let reason = "what is for all goes to the room itself";
            Err(DefinedCondition::BadRequest.because(reason))
        }
        (Ok(occupant), _) => stanza.whisper_or_take_back(&occupant, kind).await,
        (Err(room), _) => {
            let found = front.hub().room(&room, now).await;
            let room = found.map_err(|error| error::room_error(&error))?;
            if kind == MessageType::Groupchat {
                stanza.say_or_take_back(&room).await
            } else {
                stanza.ask(&room).await
            }
        }
    }
}

/// A message on its way to a room.
struct Stanza<'a> {
    bound: &'a Bound,
    front: &'a Xmpp,
    element: &'a Element,
    header: &'a StanzaHeader,
    now: Timestamp,
}

impl Stanza<'_> {
    /// For all in the room. What takes back an earlier message of the same
    /// author leaves a tombstone in its place; what names another's, or none, is
    /// said and no more (XEP-0424 §5), and so is what has no id by which the
    /// tombstone could name it (§4).
    async fn say_or_take_back(&self, room: &Arc<Room>) -> Result<(), StanzaError> {
        let named = retract::retracted_id(self.element);
        let place = named.and_then(|id| id.parse().ok());
        let by = self.header.id.as_deref().filter(|id| !id.is_empty());
        let (Some(place), Some(by)) = (place, by) else {
            return self.say(room);
        };
        let payload = self.payload(room.address())?;
        let retraction = Retraction {
            place,
            retractor: Retractor::Author {
                speech: self.speech(&payload),
            },
            bytes: payload.len(),
        };
        let hub = self.front.hub();
        let make = |_: &Archived, speaker: &Speaker| {
            let mut tombstone = BytesMut::new();
            let mut writer = Writer::new(&mut tombstone);
            retract::write_tombstone(&mut writer, by, self.now.millis());
            drop(writer);
            let from = Jid::from(speaker.occupant.clone());
            let to = Jid::from(room.address().clone());
            let traits = traits(self.element);
            let news = self.message(&from, &to, MessageKind::Groupchat, traits, &payload);
            Remains {
                tombstone: tombstone.to_vec(),
                news,
            }
        };
        let session = self.bound.session();
        let taken_back = hub.take_back(session, room, retraction, self.now, make);
        match taken_back.await {
            Err(RoomError::NoSuchMessage) => self.say(room),
            other => other.map_err(|error| error::room_error(&error)),
        }
    }

    /// For all in the room.
    fn say(&self, room: &Arc<Room>) -> Result<(), StanzaError> {
        let payload = self.payload(room.address())?;
        let speech = self.speech(&payload);
        let traits = match speech {
            Speech::Subject { .. } => Traits::SUBJECT.with(hints(self.element)),
            Speech::Message | Speech::Signal => traits(self.element),
        };
        let said = self.front.hub().say(
            self.bound.session(),
            room,
            speech,
            payload.len(),
            self.now,
            |speaker| {
                let from = Jid::from(speaker.occupant.clone());
                let to = Jid::from(room.address().clone());
                self.message(&from, &to, MessageKind::Groupchat, traits, &payload)
            },
        );
        said.map_err(|error| error::room_error(&error))
    }

    /// What it is to everybody. Whatever has a text is something to read, also
    /// where that is for those only who do not know the rest (XEP-0500 §5).
    fn speech(&self, payload: &[u8]) -> Speech {
        if muc::is_subject_change(self.element) {
            // All that comes with it is kept with it, and told whoever enters.
            let bytes = payload.len();
            Speech::Subject { bytes }
        } else if self.element.child(ns::CLIENT, "body").is_some() {
            Speech::Message
        } else {
            Speech::Signal
        }
    }

    /// For one in the room. What takes back something said to them before leaves
    /// tombstones in its places, and is for them to know in any case.
    async fn whisper_or_take_back(
        &self,
        occupant: &FullJid,
        kind: MessageType,
    ) -> Result<(), StanzaError> {
        let (bound, front) = (self.bound, self.front);
        let retracted = match retract::retracted_id(self.element) {
            Some(id) => {
                let by = self.header.id.as_deref();
                retraction::find_whispered(bound, front, occupant, &id, by).await
            }
            None => None,
        };
        self.whisper(occupant, kind)?;
        if let Some(retracted) = retracted {
            retraction::carry_out(front, retracted, self.now).await;
        }
        Ok(())
    }

    /// For one in the room.
    fn whisper(&self, occupant: &FullJid, kind: MessageType) -> Result<(), StanzaError> {
        let mut payload = BytesMut::from(&*self.payload(occupant)?);
        // That it comes out of a room (XEP-0045 §7.5).
        Writer::new(&mut payload)
            .open("x")
            .namespace(ns::MUC_USER)
            .close();
        let kind = match kind {
            MessageType::Chat => MessageKind::Chat,
            MessageType::Headline => MessageKind::Headline,
            MessageType::Normal | MessageType::Groupchat | MessageType::Error => {
                MessageKind::Normal
            }
        };
        let traits = traits(self.element).with(Traits::IN_ROOM);
        let (hub, session) = (self.front.hub(), self.bound.session());
        let whispered = hub.whisper(
            session,
            occupant,
            payload.len(),
            self.now,
            |speaker, account| {
                let (from, to) = (session.address().clone().into(), occupant.clone().into());
                let said = self.message(&from, &to, kind, traits, &payload);
                let mut payload = payload.clone();
                muc::write_occupant_id(&mut Writer::new(&mut payload), speaker.id);
                let (from, to) = (speaker.occupant.clone().into(), account.clone().into());
                let heard = self.message(&from, &to, kind, traits, &payload);
                Whispered { said, heard }
            },
        );
        whispered.map_err(|error| error::room_error(&error))
    }

    /// For the room itself. Of several who are asked in each is treated by
    /// themselves: that one cannot be is no reason against the others.
    async fn ask(&self, room: &Arc<Room>) -> Result<(), StanzaError> {
        let mediations = Mediation::read(self.element)?;
        let mut refused = Vec::new();
        for mediation in &mediations {
            let (note, done) = match mediation {
                Mediation::Invite(note) => (note, self.invite(room, note).await),
                Mediation::Decline(note) => (note, self.decline(room, note).await),
            };
            refused.extend(done.err().map(|error| (&note.to, error)));
        }
        if !mediations.is_empty() {
            return all_told(refused, mediations.len());
        }
        match self.element.child(ns::FORM, "x") {
            Some(form) => self.voice(room, form),
            None => {
                let reason = "a room takes what is for all, invitations, and requests for voice";
                Err(DefinedCondition::BadRequest.because(reason))
            }
        }
    }

    /// XEP-0045 §7.8.2
    async fn invite(&self, room: &Arc<Room>, note: &Note) -> Result<(), StanzaError> {
        let (hub, session) = (self.front.hub(), self.bound.session());
        let invited = hub.invite(session, room, &note.to, note.bytes(), self.now);
        let invitation = invited.await.map_err(|error| error::room_error(&error))?;
        let mut payload = BytesMut::new();
        let password = invitation.password.as_deref();
        let inviter = session.address().bare_str();
        muc::write_invitation(&mut Writer::new(&mut payload), inviter, note, password);
        // For clients that know invitations without a room in between only
        // (XEP-0249 §2).
        muc::write_direct_invitation(
            &mut Writer::new(&mut payload),
            room.address().as_str(),
            note,
            password,
        );
        self.relay(room, invitation.invitee, &note.to, &payload)
    }

    async fn decline(&self, room: &Arc<Room>, note: &Note) -> Result<(), StanzaError> {
        let (hub, session) = (self.front.hub(), self.bound.session());
        let inviter = hub.decline(session, room, &note.to, note.bytes(), self.now);
        let inviter = inviter.await.map_err(|error| error::room_error(&error))?;
        let mut payload = BytesMut::new();
        let from = session.address().bare_str();
        muc::write_decline(&mut Writer::new(&mut payload), from, note);
        self.relay(room, inviter, &note.to, &payload)
    }

    /// Sends a message in the room's name.
    fn relay(
        &self,
        room: &Room,
        recipient: anser_hub::Recipient,
        to: &Jid,
        payload: &[u8],
    ) -> Result<(), StanzaError> {
        let from = Jid::from(room.address().clone());
        // It is copied: every device is asked in (XEP-0280 §6.1).
        let traits = Traits::CONTENT.with(Traits::CONVERSATION);
        let message = self.message(&from, to, MessageKind::Normal, traits, payload);
        let sent = self.front.hub().send_for_room(
            self.bound.session(),
            recipient,
            Arc::new(message),
            self.now,
        );
        sent.map_err(|error: SendError| error::stanza_error(&error))
    }

    /// Somebody asks to be allowed to speak, or somebody allows it
    /// (XEP-0045 §7.13, §8.6).
    fn voice(&self, room: &Arc<Room>, form: Child<'_>) -> Result<(), StanzaError> {
        let (hub, session) = (self.front.hub(), self.bound.session());
        // Clients send the request with and without saying what it is about.
        let form = Form::read(form)?;
        if form.kind != FormKind::Submit {
            return Ok(());
        }
        let form = Submission::try_from(form)?;
        if form
            .form_type()
            .is_some_and(|about| about != ns::MUC_REQUEST)
        {
            let reason = "a room takes forms that are requests for voice, and their answers";
            return Err(DefinedCondition::BadRequest.because(reason));
        }
        let done = match form.boolean("muc#request_allow")? {
            None => hub.request_voice(session, room, self.now),
            Some(false) => Ok(()),
            Some(true) => {
                let nick = form.text("muc#roomnick")?.unwrap_or_default();
                let address = form.jid("muc#jid")?.map(FullJid::try_from).transpose();
                let address = address.map_err(|_| DefinedCondition::JidMalformed)?;
                let actor = Actor::Session(session);
                hub.approve_voice(room, actor, address.as_ref(), nick, self.now)
            }
        };
        done.map_err(|error: RoomError| error::room_error(&error))
    }

    fn message(
        &self,
        from: &Jid,
        to: &Jid,
        kind: MessageKind,
        traits: Traits,
        payload: &[u8],
    ) -> Message {
        let body = self.element.child(ns::CLIENT, "body");
        Message::new(&Draft {
            from,
            to,
            kind,
            traits,
            id: self.header.id.as_deref(),
            lang: self.header.lang.as_deref(),
            text: body.map(|body| body.text()).as_deref(),
            mentions: &mentions(self.element),
            payload,
        })
    }

    /// What it carries, without what is only the room's to say.
    fn payload(&self, room: &Jid) -> Result<bytes::Bytes, StanzaError> {
        let (hub, own) = (self.front.hub(), self.bound.session().address());
        content_without(self.front, self.element, |child| {
            muc::is_the_rooms_own(child) || is_forged_in_room(hub, child, own, room)
        })
    }
}

/// Whether so many were told. If not, the error is that of the first who was not,
/// and where it could be about somebody else, its text has all of them.
fn all_told(refused: Vec<(&Jid, StanzaError)>, of: usize) -> Result<(), StanzaError> {
    let why = |(to, error): &(&Jid, StanzaError)| {
        let reason = error.text.as_deref();
        format!("{to}: {}", reason.unwrap_or(error.condition.name()))
    };
    let text = refused.iter().map(why).collect::<Vec<_>>().join("; ");
    match refused.into_iter().next() {
        None => Ok(()),
        Some((_, only)) if of == 1 => Err(only),
        Some((_, first)) => Err(StanzaError {
            text: Some(text),
            ..first
        }),
    }
}
