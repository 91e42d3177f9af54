//! What happens in rooms, as stanzas.
//!
//! What is the same for all is rendered once and shared: to each goes a start
//! tag with their address, and then those bytes.

use anser_hub::{
    ConfigNews, Departure, RoomEvent, RoomMessage, RoomPresence, SessionHandle, Sight, VoiceRequest,
};
use anser_xml::Writer;
use anser_xmpp_proto::payload::form::{Field, FieldType, Form, FormKind};
use anser_xmpp_proto::payload::{delay, muc, stanza_id};
use anser_xmpp_proto::{Kind, MessageType, PresenceType, ns};
use bytes::{Bytes, BytesMut};

/// Writes what happened for one who is in the room.
pub(crate) fn write_event(event: &RoomEvent, session: &SessionHandle, output: &mut BytesMut) {
    let to = session.address().as_str();
    match event {
        RoomEvent::Presence { presence, sight } => {
            write_presence(presence, *sight, session, output);
        }
        RoomEvent::Message { message, is_past } => {
            if *is_past {
                write_late(message, message.room().as_str(), session, output);
            } else {
                write_message(message, session, output);
            }
        }
        RoomEvent::NoSubject { room } => {
            let mut writer = Writer::new(output);
            let mut stanza = from_room(&mut writer, to, room.as_str());
            stanza.open("subject").close();
        }
        RoomEvent::Config { room, news } => {
            let mut writer = Writer::new(output);
            let mut stanza = from_room(&mut writer, to, room.as_str());
            let mut x = stanza.open("x").namespace(ns::MUC_USER);
            for news in news.iter() {
                muc::write_status(&mut x, status_of(*news));
            }
        }
        RoomEvent::VoiceRequest(request) => write_voice_request(request, to, output),
        RoomEvent::NotHere { occupant } => write_not_here(occupant.as_str(), to, output),
        // No stanza: the stream takes it apart.
        RoomEvent::Others { .. } => {}
    }
}

fn from_room<'a>(writer: &'a mut Writer<'_>, to: &str, room: &str) -> Writer<'a> {
    writer
        .open("message")
        .attribute("to", to)
        .attribute("from", room)
        .attribute("type", MessageType::Groupchat.name())
}

/// XEP-0045 §7.2.18
fn write_not_here(occupant: &str, to: &str, output: &mut BytesMut) {
    let mut writer = Writer::new(output);
    let mut stanza = writer
        .open("presence")
        .attribute("to", to)
        .attribute("from", occupant)
        .attribute("type", PresenceType::Unavailable.name());
    let mut x = stanza.open("x").namespace(ns::MUC_USER);
    let item = muc::Item {
        affiliation: "none",
        role: "none",
        reason: Some("You are not in this room"),
        ..muc::Item::default()
    };
    item.write(&mut x);
    for status in [110, 307, 333] {
        muc::write_status(&mut x, status);
    }
}

/// XEP-0045 §10.2.1
fn status_of(news: ConfigNews) -> u16 {
    match news {
        ConfigNews::AddressesShown => 172,
        ConfigNews::AddressesHidden => 173,
        ConfigNews::Other => 104,
    }
}

/// Writes a stanza that is the same for all from its `from` on.
fn write_shared(kind: Kind, rest: &Bytes, to: &str, output: &mut BytesMut) {
    Writer::new(output)
        .open(kind.name())
        .attribute("to", to)
        .leave_open();
    // The start tag goes on with what is shared.
    output.truncate(output.len() - 1);
    output.extend_from_slice(&rest[1 + kind.name().len()..]);
}

fn write_presence(
    presence: &RoomPresence,
    sight: Sight,
    session: &SessionHandle,
    output: &mut BytesMut,
) {
    let sees_address = sight.has(Sight::ADDRESSES);
    if sight.has(Sight::OWN) {
        let mut writer = Writer::new(output);
        let stanza = writer
            .open("presence")
            .attribute("to", session.address().as_str());
        return finish_presence(stanza, presence, sight);
    }
    let rendering = &presence.renderings[usize::from(sees_address)];
    let rendering = rendering.get_or_init(|| {
        session.hub().counters().on_rendering();
        let mut shared = BytesMut::new();
        finish_presence(Writer::new(&mut shared).open("presence"), presence, sight);
        shared.freeze()
    });
    write_shared(
        Kind::Presence,
        rendering,
        session.address().as_str(),
        output,
    );
}

fn finish_presence(stanza: Writer<'_>, presence: &RoomPresence, sight: Sight) {
    let kind = presence.departure.as_ref();
    let kind = kind.map(|_| PresenceType::Unavailable.name());
    let mut stanza = stanza
        .attribute("from", presence.occupant.as_str())
        .attribute_opt("type", kind)
        .attribute_opt("id", presence.id.as_deref())
        .attribute_opt("xml:lang", presence.lang.as_deref());
    stanza.raw(&presence.payload);
    let mut x = stanza.open("x").namespace(ns::MUC_USER);
    let deed = presence.deed.as_ref();
    let address = sight
        .has(Sight::ADDRESSES)
        .then(|| presence.address.as_str());
    let nick = match &presence.departure {
        Some(Departure::Renamed { nick }) => Some(&**nick),
        _ => None,
    };
    let item = muc::Item {
        affiliation: presence.affiliation.name(),
        role: presence.role.name(),
        address,
        nick,
        actor: deed.and_then(|deed| deed.nick.as_deref()),
        reason: deed.and_then(|deed| deed.reason.as_deref()),
    };
    item.write(&mut x);
    if let Some(Departure::Destroyed(destruction)) = &presence.departure {
        muc::write_destroy(
            &mut x,
            destruction.venue.as_ref().map(|venue| venue.as_str()),
            destruction.password.as_deref(),
            destruction.reason.as_deref(),
        );
    }
    for status in statuses(presence, sight) {
        muc::write_status(&mut x, status);
    }
    x.close();
    muc::write_hats(
        &mut stanza,
        presence.hats.iter().map(|hat| muc::Hat {
            uri: hat.uri(),
            title: hat.title(),
            hue: hat.hue(),
        }),
    );
    muc::write_occupant_id(&mut stanza, presence.occupant_id);
}

/// XEP-0045 §16.6
fn statuses(presence: &RoomPresence, sight: Sight) -> impl Iterator<Item = u16> {
    let of_sight = [
        (Sight::ENTERED.with(Sight::NOT_ANONYMOUS), 100),
        (Sight::OWN, 110),
        (Sight::CREATED, 201),
        (Sight::NICK_CHANGED, 210),
    ];
    let of_sight = of_sight
        .into_iter()
        .filter(move |(condition, _)| sight.has(*condition))
        .map(|(_, status)| status);
    let of_departure: &[u16] = match &presence.departure {
        None | Some(Departure::Left | Departure::Destroyed(_)) => &[],
        Some(Departure::Renamed { .. }) => &[303],
        Some(Departure::Kicked) => &[307],
        Some(Departure::Banned) => &[301],
        Some(Departure::NoMember) => &[321],
        Some(Departure::MembersOnly) => &[322],
        Some(Departure::Shutdown) => &[332],
        Some(Departure::Lost) => &[333],
    };
    of_sight.chain(of_departure.iter().copied())
}

/// What the shared rendering of a message ends with.
const MESSAGE_END: &[u8] = b"</message>";

fn write_message(message: &RoomMessage, session: &SessionHandle, output: &mut BytesMut) {
    let rendering = rendering(message, session);
    write_shared(Kind::Message, rendering, session.address().as_str(), output);
}

/// The same with the time at which it was said: by the room, of what was said
/// before somebody came (XEP-0045 §7.2.14), and by the server, of what was said
/// while their connection was broken.
pub(crate) fn write_late(
    message: &RoomMessage,
    kept_by: &str,
    session: &SessionHandle,
    output: &mut BytesMut,
) {
    let rendering = rendering(message, session);
    let open = rendering.slice(..rendering.len() - MESSAGE_END.len());
    write_shared(Kind::Message, &open, session.address().as_str(), output);
    delay::write(&mut Writer::new(output), kept_by, message.at.millis());
    output.extend_from_slice(MESSAGE_END);
}

fn rendering<'a>(message: &'a RoomMessage, session: &SessionHandle) -> &'a Bytes {
    message.rendering.get_or_init(|| {
        session.hub().counters().on_rendering();
        render_message(message)
    })
}

fn render_message(room_message: &RoomMessage) -> Bytes {
    let mut shared = BytesMut::new();
    let message = &room_message.message;
    let mut writer = Writer::new(&mut shared);
    let mut stanza = writer
        .open("message")
        .attribute("from", message.from().as_str())
        .attribute("type", MessageType::Groupchat.name())
        .attribute_opt("id", message.id())
        .attribute_opt("xml:lang", message.lang());
    stanza.raw(&message.payload());
    if let Some(place) = room_message.place {
        stanza_id::write(&mut stanza, room_message.room().as_str(), place);
    }
    if let Some(id) = room_message.occupant_id {
        muc::write_occupant_id(&mut stanza, id);
    }
    stanza.close();
    writer.close();
    shared.freeze()
}

/// XEP-0045 §8.6
fn write_voice_request(request: &VoiceRequest, to: &str, output: &mut BytesMut) {
    let mut writer = Writer::new(output);
    let mut stanza = writer
        .open("message")
        .attribute("to", to)
        .attribute("from", request.occupant.bare_str());
    let mut form = Form::new(FormKind::Form, ns::MUC_REQUEST).with([
        Field::new(FieldType::ListSingle, "muc#role")
            .label("Requested role")
            .option("participant", "Participant")
            .value("participant"),
        Field::new(FieldType::JidSingle, "muc#jid")
            .label("User ID")
            .value(request.address.as_str()),
        Field::new(FieldType::TextSingle, "muc#roomnick")
            .label("Room nickname")
            .value(request.occupant.resource()),
        Field::boolean("muc#request_allow", false).label("Grant voice to this person?"),
    ]);
    form.title = Some("Voice request".to_owned());
    form.instructions = vec!["To let this person speak, approve the request.".to_owned()];
    form.write(&mut stanza);
}
