//! Rooms: entering them, and what they tell those who are in them
//! (XEP-0045 §7).

use crate::payload::delay;
use crate::{DefinedCondition, StanzaError, ns};
use anser_jid::Jid;
use anser_xml::{Child, Element, Writer};
use std::borrow::Cow;

/// What comes with the presence that enters a room (XEP-0045 §7.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Join {
    /// What somebody says that the room's password is.
    pub password: Option<String>,
    /// How much of what was said before they want.
    pub history: History,
}

/// How much of what was said before is wanted (XEP-0045 §7.2.14).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct History {
    /// At most so many characters of stanzas.
    pub most_characters: Option<usize>,
    /// At most so many messages.
    pub most_messages: Option<u32>,
    /// Only those of the last seconds.
    pub seconds: Option<u64>,
    /// Only those after this moment, in milliseconds since 1970.
    pub since_millis: Option<u64>,
}

impl Join {
    /// Reads what a presence says of entering; `None` if it does not say that it
    /// is to enter.
    #[must_use]
    pub fn read(presence: &Element) -> Option<Self> {
        let x = presence.child(ns::MUC, "x")?.open();
        let password = x.child(ns::MUC, "password");
        let history = x.child(ns::MUC, "history");
        Some(Self {
            password: password.map(|password| password.text().into_owned()),
            history: history
                .map(|history| History::read(&history))
                .unwrap_or_default(),
        })
    }
}

impl History {
    /// What is no number or moment limits nothing.
    fn read(history: &Child<'_>) -> Self {
        fn number<N: std::str::FromStr>(text: Option<Cow<'_, str>>) -> Option<N> {
            text?.trim().parse().ok()
        }
        let since = history.attribute("since");
        Self {
            most_characters: number(history.attribute("maxchars")),
            most_messages: number(history.attribute("maxstanzas")),
            seconds: number(history.attribute("seconds")),
            since_millis: since.and_then(|since| delay::moment(&since)),
        }
    }
}

/// What somebody sends to a room about somebody who is to come
/// (XEP-0045 §7.8.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mediation {
    /// Asks them in.
    Invite(Note),
    /// Does not come.
    Decline(Note),
}

/// Whom an invitation or its refusal concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Whom it is for.
    pub to: Jid,
    /// Why.
    pub reason: Option<String>,
    /// Goes on with a conversation of two; with its thread, if it had one
    /// (XEP-0045 §7.9).
    pub thread: Option<Option<String>>,
}

impl Mediation {
    /// The most invitations in one stanza.
    pub const MOST: usize = 50;

    /// Reads invitations, or the refusal of one. Empty if the message is about
    /// something else.
    ///
    /// # Errors
    /// `jid-malformed` if one is for no address, `bad-request` for several
    /// refusals (XEP-0045 §19.2), `policy-violation` if there are more than
    /// [`Mediation::MOST`].
    pub fn read(message: &Element) -> Result<Vec<Self>, StanzaError> {
        let Some(x) = message.child(ns::MUC_USER, "x") else {
            return Ok(Vec::new());
        };
        let x = x.open();
        let mut mediations = Vec::new();
        for child in x.children() {
            let kind = match (child.namespace(), child.name()) {
                (ns::MUC_USER, "invite") => Self::Invite,
                (ns::MUC_USER, "decline") => {
                    if mediations.iter().any(Self::is_decline) {
                        let reason = "one invitation is declined at a time";
                        return Err(DefinedCondition::BadRequest.because(reason));
                    }
                    Self::Decline
                }
                _ => continue,
            };
            if mediations.len() == Self::MOST {
                let reason = format_args!("more than {} invitations", Self::MOST);
                return Err(DefinedCondition::PolicyViolation.because(reason));
            }
            mediations.push(kind(Note::read(child)?));
        }
        Ok(mediations)
    }

    fn is_decline(&self) -> bool {
        match self {
            Self::Decline(_) => true,
            Self::Invite(_) => false,
        }
    }
}

impl Note {
    /// How much it says.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let thread = self.thread.iter().flatten().map(String::len);
        self.reason.as_ref().map_or(0, String::len) + thread.sum::<usize>()
    }

    fn read(child: Child<'_>) -> Result<Self, StanzaError> {
        let to = child.attribute("to").and_then(|to| Jid::parse(&to).ok());
        let reason = "'to' is not an address";
        let to = to.ok_or_else(|| DefinedCondition::JidMalformed.because(reason))?;
        let child = child.open();
        let thread = child.child(ns::MUC_USER, "continue");
        let reason = child.child(ns::MUC_USER, "reason");
        Ok(Self {
            to,
            reason: reason.map(|reason| reason.text().into_owned()),
            thread: thread.map(|thread| thread.attribute("thread").map(Cow::into_owned)),
        })
    }

    fn write(&self, x: &mut Writer<'_>, name: &'static str, from: &str) {
        let mut element = x.open(name).attribute("from", from);
        write_reason(&mut element, self.reason.as_deref());
        if let Some(thread) = &self.thread {
            element
                .open("continue")
                .attribute_opt("thread", thread.as_deref())
                .close();
        }
    }
}

/// Writes an invitation for whom it is for.
pub fn write_invitation(stanza: &mut Writer<'_>, from: &str, note: &Note, password: Option<&str>) {
    let mut x = stanza.open("x").namespace(ns::MUC_USER);
    note.write(&mut x, "invite", from);
    if let Some(password) = password {
        x.open("password").text(password);
    }
}

/// Writes an invitation as it is without a room in between (XEP-0249 §2).
pub fn write_direct_invitation(
    stanza: &mut Writer<'_>,
    room: &str,
    note: &Note,
    password: Option<&str>,
) {
    let mut x = stanza
        .open("x")
        .namespace(ns::CONFERENCE)
        .attribute("jid", room)
        .attribute_opt("password", password)
        .attribute_opt("reason", note.reason.as_deref());
    if let Some(thread) = &note.thread {
        x = x
            .attribute("continue", "true")
            .attribute_opt("thread", thread.as_deref());
    }
    x.close();
}

/// Writes the refusal of an invitation for whoever sent that.
pub fn write_decline(stanza: &mut Writer<'_>, from: &str, note: &Note) {
    let mut x = stanza.open("x").namespace(ns::MUC_USER);
    note.write(&mut x, "decline", from);
}

/// What a room says of an occupant (XEP-0045 §7.2.2).
#[derive(Debug, Clone, Copy, Default)]
pub struct Item<'a> {
    /// `owner` and so on.
    pub affiliation: &'a str,
    /// `moderator` and so on.
    pub role: &'a str,
    /// Who it is, for those who may know.
    pub address: Option<&'a str>,
    /// The new nickname.
    pub nick: Option<&'a str>,
    /// Who brought it about.
    pub actor: Option<&'a str>,
    /// Why.
    pub reason: Option<&'a str>,
}

impl Item<'_> {
    /// Writes the element `item`.
    pub fn write(&self, x: &mut Writer<'_>) {
        let mut item = x
            .open("item")
            .attribute("affiliation", self.affiliation)
            .attribute("role", self.role)
            .attribute_opt("jid", self.address)
            .attribute_opt("nick", self.nick);
        if let Some(actor) = self.actor {
            item.open("actor").attribute("nick", actor).close();
        }
        write_reason(&mut item, self.reason);
    }
}

/// Writes that a room is no more (XEP-0045 §10.9).
pub fn write_destroy(
    x: &mut Writer<'_>,
    venue: Option<&str>,
    password: Option<&str>,
    reason: Option<&str>,
) {
    let mut destroy = x.open("destroy").attribute_opt("jid", venue);
    if let Some(password) = password {
        destroy.open("password").text(password);
    }
    write_reason(&mut destroy, reason);
}

/// Writes a status (XEP-0045 §16.6).
pub fn write_status(x: &mut Writer<'_>, code: u16) {
    x.open("status").attribute_display("code", code).close();
}

fn write_reason(parent: &mut Writer<'_>, reason: Option<&str>) {
    if let Some(reason) = reason {
        parent.open("reason").text(reason);
    }
}

/// A title of an occupant (XEP-0317 §3.1).
#[derive(Debug, Clone, Copy)]
pub struct Hat<'a> {
    /// What it is known by.
    pub uri: &'a str,
    /// What people call it.
    pub title: &'a str,
    /// Its colour, as an angle in degrees.
    pub hue: Option<&'a str>,
}

/// Writes an occupant's titles, if there are any.
pub fn write_hats<'a>(stanza: &mut Writer<'_>, hats: impl IntoIterator<Item = Hat<'a>>) {
    let mut hats = hats.into_iter().peekable();
    if hats.peek().is_none() {
        return;
    }
    let mut element = stanza.open("hats").namespace(ns::HATS);
    for hat in hats {
        element
            .open("hat")
            .attribute("title", hat.title)
            .attribute("uri", hat.uri)
            .attribute_opt("hue", hat.hue)
            .close();
    }
}

/// Writes an occupant's name through all visits (XEP-0421 §3).
pub fn write_occupant_id(stanza: &mut Writer<'_>, id: impl std::fmt::Display) {
    stanza
        .open("occupant-id")
        .namespace(ns::OCCUPANT_ID)
        .attribute_display("id", id)
        .close();
}

/// What only a room may say of its occupants, and what is for the room alone:
/// what clients send of it is not passed on (XEP-0045 §17.3, XEP-0421 §3).
#[must_use]
pub fn is_the_rooms_own(child: Child<'_>) -> bool {
    child.is(ns::MUC, "x")
        || child.is(ns::MUC_USER, "x")
        || child.is(ns::HATS, "hats")
        || child.namespace() == ns::OCCUPANT_ID
}

/// Whether a message is to change the subject: it has one, and says nothing
/// (XEP-0045 §8.1).
#[must_use]
pub fn is_subject_change(message: &Element) -> bool {
    let has = |name| message.child(ns::CLIENT, name).is_some();
    has("subject") && !has("body") && !has("thread")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{element, in_iq, jid};

    /// XEP-0045 §7.2.1, §7.2.14
    #[test]
    fn entering_comes_with_a_password_and_wishes_about_the_past() {
        let presence = element(
            "<presence><x xmlns='http://jabber.org/protocol/muc'><password>secret</password>\
             <history maxstanzas='20' maxchars='65000' seconds='180' \
             since='1970-01-01T00:00:01Z'/></x></presence>",
        );
        let join = Join {
            password: Some("secret".into()),
            history: History {
                most_characters: Some(65_000),
                most_messages: Some(20),
                seconds: Some(180),
                since_millis: Some(1000),
            },
        };
        assert_eq!(Join::read(&presence), Some(join));
        let plain = element("<presence><x xmlns='http://jabber.org/protocol/muc'/></presence>");
        assert_eq!(Join::read(&plain), Some(Join::default()));
        let no_numbers = "<presence><x xmlns='http://jabber.org/protocol/muc'>\
             <history maxstanzas='-1' maxchars='many' since='yesterday'/></x></presence>";
        assert_eq!(Join::read(&element(no_numbers)), Some(Join::default()));
        let update =
            element("<presence><x xmlns='http://jabber.org/protocol/muc#user'/></presence>");
        assert_eq!(Join::read(&update), None);
    }

    /// XEP-0045 §7.8.2, §7.9
    #[test]
    fn invitations_are_passed_on_in_the_name_of_whoever_sends_them() {
        let message = element(
            "<message><x xmlns='http://jabber.org/protocol/muc#user'>\
             <invite to='hecate@shakespeare.lit'><reason>Hey</reason>\
             <continue thread='e0ff'/></invite><invite to='hag@shakespeare.lit/pda'/></x></message>",
        );
        let mediations = Mediation::read(&message).unwrap();
        let [Mediation::Invite(first), Mediation::Invite(second)] = &mediations[..] else {
            panic!("{mediations:?}");
        };
        assert_eq!(second.to, jid("hag@shakespeare.lit/pda"));
        assert_eq!(
            in_iq(|stanza| write_invitation(stanza, "crone@shakespeare.lit", first, Some("pw"))),
            "<x xmlns='http://jabber.org/protocol/muc#user'>\
             <invite from='crone@shakespeare.lit'><reason>Hey</reason>\
             <continue thread='e0ff'/></invite><password>pw</password></x>"
        );
        let decline = element(
            "<message><x xmlns='http://jabber.org/protocol/muc#user'>\
             <decline to='crone@shakespeare.lit'/></x></message>",
        );
        let [Mediation::Decline(note)] = &Mediation::read(&decline).unwrap()[..] else {
            panic!("no decline");
        };
        assert_eq!(
            in_iq(|stanza| write_decline(stanza, "hecate@shakespeare.lit", note)),
            "<x xmlns='http://jabber.org/protocol/muc#user'>\
             <decline from='hecate@shakespeare.lit'/></x>"
        );
    }

    #[test]
    fn an_invitation_for_nobody_is_a_fault_and_so_are_too_many() {
        let condition = |content: &str| {
            let message = element(&format!(
                "<message><x xmlns='http://jabber.org/protocol/muc#user'>{content}</x></message>"
            ));
            Mediation::read(&message).map_err(|error| error.condition)
        };
        for content in ["<invite/>", "<invite to='@'/>", "<decline to=''/>"] {
            assert_eq!(condition(content), Err(DefinedCondition::JidMalformed));
        }
        let many = "<invite to='a@b'/>".repeat(Mediation::MOST + 1);
        assert_eq!(condition(&many), Err(DefinedCondition::PolicyViolation));
        let twice = "<decline to='a@b'/>".repeat(2);
        assert_eq!(condition(&twice), Err(DefinedCondition::BadRequest));
        assert_eq!(condition("<item/>"), Ok(Vec::new()));
    }

    /// XEP-0317 §3.1, example 3
    #[test]
    fn titles_have_an_address_and_perhaps_a_colour() {
        let hat = |uri, title, hue| Hat { uri, title, hue };
        let hats = [
            hat("urn:a", "A & B", Some("327.2")),
            hat("urn:b", "C", None),
        ];
        assert_eq!(
            in_iq(|stanza| write_hats(stanza, hats)),
            "<hats xmlns='urn:xmpp:hats:0'><hat title='A &amp; B' uri='urn:a' hue='327.2'/>\
             <hat title='C' uri='urn:b'/></hats>"
        );
        let bare = in_iq(|stanza| {
            write_hats(stanza, []);
            stanza.open("x").close();
        });
        assert_eq!(bare, "<x/>");
    }

    /// XEP-0045 §8.1
    #[test]
    fn only_a_subject_without_a_body_or_a_thread_changes_the_subject() {
        for (content, expected) in [
            ("<subject>x</subject>", true),
            ("<subject/>", true),
            ("<subject/><other xmlns='urn:x'/>", true),
            ("<subject>x</subject><body/>", false),
            ("<subject>x</subject><thread>t</thread>", false),
            ("<body>x</body>", false),
        ] {
            let message = element(&format!("<message>{content}</message>"));
            assert_eq!(is_subject_change(&message), expected, "{content}");
        }
    }
}
