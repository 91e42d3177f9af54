//! Rooms as their occupants see them (XEP-0045).

use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use serde::Serialize;
use tokio::time::timeout;

use crate::xmpp::{Accounts, Element, Error, Incoming, Session};

const MUC: &str = "http://jabber.org/protocol/muc";

/// The most that a room may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Options of the loads with rooms.
#[derive(Debug, Args)]
pub(crate) struct RoomArgs {
    /// Where rooms are [default: rooms.DOMAIN]
    #[arg(long)]
    service: Option<String>,
}

/// Whose comings and goings a room tells its occupants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Broadcast {
    /// Everybody's, which is the default of all servers: N occupants make N² presences.
    All,
    /// Those of moderators alone.
    Moderators,
    /// Those of moderators while the room fills, then everybody's.
    Revealed,
}

/// What the owner of a room wants of it, beyond the server's defaults.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Setting {
    /// Everybody's presence goes to everybody.
    AllPresence,
    /// Only that of moderators does.
    ModeratorsPresence,
    /// The room stays when the last one leaves.
    Persistent,
}

/// A room, by its address.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    address: String,
}

/// What came of entering.
#[derive(Debug)]
pub(crate) struct Joined {
    /// From the request to the self-presence (status 110).
    pub(crate) time: Duration,
    /// Presences that came until then, this one included.
    pub(crate) presences: u64,
    /// Whether the room is new (status 201).
    pub(crate) created: bool,
}

impl RoomArgs {
    /// The address of the service.
    pub(crate) fn service(&self, accounts: &Accounts) -> String {
        let default = || format!("rooms.{}", accounts.domain);
        self.service.clone().unwrap_or_else(default)
    }
}

impl Broadcast {
    /// How a room is opened for it.
    pub(crate) fn at_first(self) -> &'static [Setting] {
        match self {
            Self::All => &[],
            Self::Moderators | Self::Revealed => &[Setting::ModeratorsPresence],
        }
    }
}

impl Room {
    /// A room that no other run has.
    pub(crate) fn fresh(service: &str, number: usize) -> Self {
        Self {
            address: format!("r{number}-{}@{service}", std::process::id()),
        }
    }

    /// A room that every run finds again.
    pub(crate) fn lasting(service: &str, number: usize) -> Self {
        Self {
            address: format!("sleeper{number}@{service}"),
        }
    }

    /// The bare address.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The request to enter, as the occupant in this seat; past messages are not asked for.
    pub(crate) fn entrance(&self, seat: usize) -> String {
        let room = &self.address;
        format!(
            "<presence to='{room}/n{seat}'><x xmlns='{MUC}'><history maxstanzas='0'/></x></presence>"
        )
    }

    /// The request to leave.
    pub(crate) fn exit(&self, seat: usize) -> String {
        format!(
            "<presence to='{}/n{seat}' type='unavailable'/>",
            self.address
        )
    }

    /// The owner's form (XEP-0045 §10.2); with no settings it takes the defaults (§10.1.2).
    pub(crate) fn configuration(&self, id: &str, settings: &[Setting]) -> String {
        let fields: String = settings.iter().map(|setting| setting.field()).collect();
        let kind = if settings.is_empty() {
            String::new()
        } else {
            format!("<field var='FORM_TYPE'><value>{MUC}#roomconfig</value></field>")
        };
        format!(
            "<iq type='set' id='{id}' to='{}'><query xmlns='{MUC}#owner'>\
             <x xmlns='jabber:x:data' type='submit'>{kind}{fields}</x></query></iq>",
            self.address
        )
    }

    /// The seat of the occupant that a stanza is from; nothing if it is from elsewhere.
    pub(crate) fn seat_of(&self, stanza: &Element) -> Option<usize> {
        let rest = stanza.attribute("from")?.strip_prefix(&self.address)?;
        rest.strip_prefix("/n")?.parse().ok()
    }

    /// Enters, and reads whatever comes until the room says that it is done (XEP-0045 §7.2.2).
    pub(crate) async fn join(&self, session: &mut Session, seat: usize) -> Result<Joined, Error> {
        let started = Instant::now();
        session.queue(&self.entrance(seat));
        let mut presences = 0;
        let done = self.answer(session, "entering a room", |stanza| {
            let is_presence = stanza.name() == b"presence" && self.is_from_here(stanza);
            presences += u64::from(is_presence);
            is_presence && is_self_presence(stanza)
        });
        let created = has_status(&done.await?, "201");
        Ok(Joined {
            time: started.elapsed(),
            presences,
            created,
        })
    }

    /// Tells the room what its owner wants.
    pub(crate) async fn configure(
        &self,
        session: &mut Session,
        settings: &[Setting],
    ) -> Result<(), Error> {
        session.queue(&self.configuration("configuration", settings));
        self.answer(session, "configuring a room", |stanza| {
            stanza.name() == b"iq" && stanza.attribute("id") == Some("configuration")
        })
        .await
        .map(drop)
    }

    /// Sends a message and waits until it comes back.
    pub(crate) async fn say(
        &self,
        session: &mut Session,
        id: &str,
        body: &str,
    ) -> Result<Duration, Error> {
        let started = Instant::now();
        session.queue(&self.message(id, body));
        self.answer(session, "writing to a room", |stanza| {
            stanza.name() == b"message" && stanza.text_of("body") == Some(body)
        })
        .await?;
        Ok(started.elapsed())
    }

    /// A message to everyone.
    pub(crate) fn message(&self, id: &str, body: &str) -> String {
        let to = &self.address;
        format!("<message to='{to}' type='groupchat' id='{id}'><body>{body}</body></message>")
    }

    /// Whether a stanza is the room's, or from someone in it.
    fn is_from_here(&self, stanza: &Element) -> bool {
        let from = stanza.attribute("from").unwrap_or_default();
        let rest = from.strip_prefix(&self.address);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The first stanza that is it; an error from the room ends the waiting too.
    async fn answer(
        &self,
        session: &mut Session,
        step: &'static str,
        mut is_it: impl FnMut(&Element) -> bool,
    ) -> Result<Element, Error> {
        let answer = async {
            loop {
                let Incoming::Stanza(stanza) = session.next().await? else {
                    continue;
                };
                if self.is_from_here(&stanza) && stanza.attribute("type") == Some("error") {
                    let answer = stanza.to_string();
                    return Err(Error::Refused { step, answer });
                }
                if is_it(&stanza) {
                    return Ok(stanza);
                }
            }
        };
        let silent = Error::Silent {
            step,
            patience: PATIENCE,
        };
        timeout(PATIENCE, answer).await.unwrap_or(Err(silent))
    }
}

impl Setting {
    fn field(self) -> String {
        let field = |name: &str, values: &[&str]| {
            let values: String = values
                .iter()
                .map(|value| format!("<value>{value}</value>"))
                .collect();
            format!("<field var='muc#roomconfig_{name}'>{values}</field>")
        };
        match self {
            Self::AllPresence => field(
                "presencebroadcast",
                &["moderator", "participant", "visitor"],
            ),
            Self::ModeratorsPresence => field("presencebroadcast", &["moderator"]),
            Self::Persistent => field("persistentroom", &["1"]),
        }
    }
}

/// Whether a presence is one's own, come back (status 110).
pub(crate) fn is_self_presence(presence: &Element) -> bool {
    presence.attribute("type") != Some("error") && has_status(presence, "110")
}

/// Whether a stanza has a status code (XEP-0045 §16.6).
pub(crate) fn has_status(stanza: &Element, code: &str) -> bool {
    ['\'', '"']
        .iter()
        .any(|quote| stanza.mentions(&format!("code={quote}{code}{quote}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(text: &str) -> Element {
        Element::new(text.as_bytes().to_vec().into())
    }

    #[test]
    fn an_occupant_is_known_by_room_and_nickname() {
        let room = Room::lasting("rooms.localhost", 1);
        let from = |from: &str| room.seat_of(&element(&format!("<message from='{from}'/>")));
        assert_eq!(from("sleeper1@rooms.localhost/n12"), Some(12));
        assert_eq!(from("sleeper1@rooms.localhost"), None);
        assert_eq!(from("sleeper12@rooms.localhost/n12"), None);
        assert_eq!(from("sleeper1@rooms.localhost/nobody"), None);
        let is_from_here =
            |from: &str| room.is_from_here(&element(&format!("<message from='{from}'/>")));
        assert!(is_from_here("sleeper1@rooms.localhost"));
        assert!(!is_from_here("sleeper1@rooms.localhost.example"));
    }

    /// XEP-0045 §7.2.2
    #[test]
    fn the_presence_that_ends_a_join_has_status_110() {
        let own = "<presence from='a@b/c'><x><item role='participant'/><status code=\"110\"/></x></presence>";
        assert!(is_self_presence(&element(own)));
        assert!(!is_self_presence(&element(&own.replace("110", "100"))));
        assert!(has_status(&element(&own.replace("110", "201")), "201"));
        let refused = own.replace("<presence ", "<presence type='error' ");
        assert!(!is_self_presence(&element(&refused)));
    }

    /// XEP-0045 §10.1.2: an empty form takes the defaults.
    #[test]
    fn a_form_names_its_type_if_it_has_fields() {
        let room = Room::lasting("rooms.localhost", 1);
        assert!(room.configuration("c", &[]).contains("type='submit'></x>"));
        let form = element(&room.configuration("c", Broadcast::Moderators.at_first()));
        assert_eq!(
            form.text_of("value"),
            Some("http://jabber.org/protocol/muc#roomconfig")
        );
        assert!(
            form.mentions("muc#roomconfig_presencebroadcast'><value>moderator</value></field>")
        );
    }
}
