//! The pictures of rooms (XEP-0486).

use super::{COVEN, JOIN, configure, coven, field, refused, three_in_a_room};
use anser_tests::script::Script;
use std::time::Duration;

/// The picture of XEP-0486 §4.2, and its hash.
const BINVAL: &str = "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHdpZHRoPSIzMiIgaGVpZ2h0PSIzMiI+CiA8cmVjdCB4PSIwIiB5PSIwIiB3aWR0aD0iMzIiIGhlaWdodD0iMzIiIGZpbGw9InJlZCIvPgo8L3N2Zz4K";
const HASH: &str = "a31c4bd04de69663cfd7f424a8453f4674da37ff";

fn card(kind: &str, content: &str) -> String {
    format!(
        "<iq type='{kind}' id='card' to='{COVEN}'><vCard xmlns='vcard-temp'>{content}</vCard></iq>"
    )
}

fn photo(binval: &str) -> String {
    format!("<PHOTO><TYPE>image/svg+xml</TYPE><BINVAL>{binval}</BINVAL></PHOTO>")
}

/// What service discovery tells of a picture.
fn hashes(script: &mut Script) -> Vec<String> {
    script.send(
        "bob",
        &format!(
            "<iq type='get' id='d' to='{COVEN}'>\
             <query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
        ),
    );
    let answer = script.receive("bob");
    let query = answer.children().next().unwrap().open();
    assert!(format!("{query:?}").contains("feature var='vcard-temp'"));
    let form = query.child("jabber:x:data", "x").unwrap().open();
    let mut fields = form.children();
    let field =
        fields.find(|field| field.attribute("var").as_deref() == Some("muc#roominfo_avatarhash"));
    let values = field.map(|field| field.open());
    let values = values.iter().flat_map(anser_xml::Element::children);
    values.map(|value| value.text().into_owned()).collect()
}

/// XEP-0486 §4.2 to §4.4
#[test]
fn an_owner_gives_a_room_a_picture_and_everybody_can_see_it() {
    let mut script = three_in_a_room();
    assert_eq!(hashes(&mut script), [""; 0]);
    script.send("alice", &card("set", &photo(BINVAL)));
    let news = format!(
        "<message from='{COVEN}' type='groupchat'>\
         <x xmlns='http://jabber.org/protocol/muc#user'><status code='104'/></x></message>"
    );
    script.expect(
        "alice",
        &format!("<iq type='result' id='card' from='{COVEN}'/>"),
    );
    for actor in ["alice", "bob", "carol"] {
        script.expect(actor, &news);
    }
    assert_eq!(hashes(&mut script), [HASH]);
    // Dave is not in the room.
    script.appear("dave", "dave@example.org/phone");
    script.send("dave", &card("get", ""));
    script.expect(
        "dave",
        &format!(
            "<iq type='result' id='card' from='{COVEN}'>\
             <vCard xmlns='vcard-temp'>{}</vCard></iq>",
            photo(BINVAL)
        ),
    );
    // What the room is like is another matter.
    configure(&mut script, "alice", &field("muc#roomconfig_roomname", "x"));
    script.forget("bob");
    assert_eq!(hashes(&mut script), [HASH]);
    // §4.2: "Setting an empty vCard unpublishes the avatar."
    script.send("alice", &card("set", ""));
    script.expect("bob", &news);
    assert_eq!(hashes(&mut script), [""; 0]);
    script.send("dave", &card("get", ""));
    let answer = script.receive("dave");
    assert_eq!(answer.attribute("type").as_deref(), Some("result"));
    let empty = answer.child("vcard-temp", "vCard").unwrap();
    assert_eq!(empty.children().count(), 0);
}

/// XEP-0486 §4.2: "If the user trying to publish an avatar isn't allowed to do
/// so, the room must return a forbidden error".
#[test]
fn nobody_but_an_owner_gives_a_room_a_picture() {
    let mut script = three_in_a_room();
    for content in [photo(BINVAL), photo("?"), String::new()] {
        script.send("bob", &card("set", &content));
        script.expect("bob", &refused("auth", "forbidden"));
    }
    script.expect_nothing("carol");
    let service = card("set", &photo(BINVAL)).replace(COVEN, "rooms.example.org");
    script.send("alice", &service);
    script.expect(
        "alice",
        "<iq type='error' id='card' from='rooms.example.org'><error type='auth'>\
         <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    );
}

/// Not in a specification: what the server's limit is for, and what is no
/// picture.
#[test]
fn a_card_that_is_too_large_or_no_picture_is_refused() {
    let mut script = coven();
    let limit = script.world.hub().config().rooms.card_bytes;
    let large = photo(&"A".repeat(limit / 4 * 4));
    for (content, condition) in [
        (large, "not-acceptable"),
        (photo(BINVAL).repeat(9), "not-acceptable"),
        (photo("?!"), "bad-request"),
    ] {
        script.send("alice", &card("set", &content));
        script.expect("alice", &refused("modify", condition));
    }
    assert_eq!(hashes(&mut script), [""; 0]);
    script.send(
        "alice",
        &card("set", &photo(&"A".repeat(limit / 2 / 4 * 4))),
    );
    script.forget("alice");
    assert_eq!(hashes(&mut script).len(), 1);
    script.forget("bob");
    // A room that its owner has not opened has nothing to keep it in.
    script.send(
        "alice",
        &format!("<presence to='heath@rooms.example.org/alice'>{JOIN}</presence>"),
    );
    script.forget("alice");
    let early = card("set", &photo(BINVAL)).replace(COVEN, "heath@rooms.example.org");
    script.send("alice", &early);
    let refusal = refused("modify", "not-acceptable");
    script.expect("alice", &refusal.replace(COVEN, "heath@rooms.example.org"));
}

/// The picture outlasts that the room is in memory, and the room's end takes it
/// along.
#[test]
fn a_picture_is_kept_with_the_room_and_goes_with_it() {
    let mut script = coven();
    script.send("alice", &card("set", &photo(BINVAL)));
    script.send(
        "alice",
        &format!("<presence to='{COVEN}/alice' type='unavailable'/>"),
    );
    script.forget("alice");
    script.world.pass(Duration::from_secs(61));
    script.world.settle();
    assert_eq!(script.world.hub().room_count(), 0);
    assert_eq!(hashes(&mut script), [HASH]);
    script.send(
        "alice",
        &format!(
            "<iq type='set' id='end' to='{COVEN}'>\
             <query xmlns='http://jabber.org/protocol/muc#owner'><destroy/></query></iq>"
        ),
    );
    script.expect("alice", "<iq type='result' id='end'/>");
    script.send(
        "bob",
        &format!("<presence to='{COVEN}/bob'>{JOIN}</presence>"),
    );
    script.forget("bob");
    configure(&mut script, "bob", "");
    script.forget("bob");
    assert_eq!(hashes(&mut script), [""; 0]);
    script.send("bob", &card("get", ""));
    let answer = script.receive("bob");
    assert_eq!(
        answer
            .child("vcard-temp", "vCard")
            .unwrap()
            .children()
            .count(),
        0
    );
}
