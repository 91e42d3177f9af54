//! Questions to occupants, which go through the room, and to oneself.

use super::{COVEN, JOIN, three_in_a_room};
use anser_tests::script::Script;

/// XEP-0045 §17.4: "the MUC service MUST NOT reveal the sender's real JID to the
/// recipient at any time, nor reveal the recipient's real JID to the sender".
#[test]
fn questions_go_through_the_room_and_nobody_learns_who_the_other_is() {
    let mut script = three_in_a_room();
    script.send("carol", "<enable xmlns='urn:xmpp:sm:3'/>");
    script.expect("carol", "<enabled xmlns='urn:xmpp:sm:3'/>");
    let ask = |id: &str| {
        format!(
            "<iq type='get' id='{id}' to='{COVEN}/carol'>\
             <query xmlns='jabber:iq:version'/></iq>"
        )
    };
    script.send("bob", &ask("v"));
    let question = script.receive("carol");
    assert_eq!(
        question.attribute("from").as_deref(),
        Some("coven@rooms.example.org/bob")
    );
    assert!(!format!("{question:?}").contains("bob@example.org"));
    let id = question.attribute("id").unwrap();
    script.send(
        "carol",
        &format!(
            "<iq type='result' id='{id}' to='{COVEN}/bob'><query xmlns='jabber:iq:version'/></iq>"
        ),
    );
    script.expect(
        "bob",
        &format!("<iq type='result' id='v' from='{COVEN}/carol'/>"),
    );
    script.send("carol", "<a xmlns='urn:xmpp:sm:3' h='1'/>");
    // Whoever leaves without an answer has the asker told.
    script.send("bob", &ask("w"));
    script.receive("carol");
    script.cut("carol");
    script.expect(
        "bob",
        &format!(
            "<iq type='error' id='w' from='{COVEN}/carol'><error type='cancel'>\
             <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        ),
    );
    let gone = format!("<presence from='{COVEN}/carol' type='unavailable'/>");
    script.expect("bob", &gone);
    script.send("bob", &ask("x"));
    script.expect("bob", "<iq type='error' id='x'/>");
}

/// XEP-0045 §17.4: an id that is the same in two rooms tells whoever is in both
/// who the asker is in the other.
#[test]
fn questions_through_two_rooms_do_not_tell_that_the_same_session_asks() {
    let mut script = three_in_a_room();
    let den = "den@rooms.example.org";
    let enter = |nick: &str| format!("<presence to='{den}/{nick}'>{JOIN}</presence>");
    script.send("carol", &enter("carol"));
    script.send(
        "carol",
        &format!(
            "<iq type='set' id='o' to='{den}'><query xmlns='http://jabber.org/protocol/muc#owner'>\
             <x xmlns='jabber:x:data' type='submit'/></query></iq>"
        ),
    );
    script.forget("carol");
    script.send("bob", &enter("somebody"));
    script.forget("carol");
    let mut asked_in = |room: &str| {
        let ping = "<ping xmlns='urn:xmpp:ping'/>";
        let question = format!("<iq type='get' id='p' to='{room}/carol'>{ping}</iq>");
        script.send("bob", &question);
        let question = script.receive("carol");
        question.attribute("id").unwrap().into_owned()
    };
    let ids = [COVEN, den, COVEN].map(&mut asked_in);
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[0], ids[2]);
}

/// CVE-2024-46957, XEP-0045 §17.4: an answer comes from whoever gives it, and one
/// to nothing from nobody.
#[test]
fn an_answer_that_nobody_waits_for_is_not_passed_on_or_comes_from_whoever_has_given_it() {
    let mut script = three_in_a_room();
    script.log_in("dave", "dave@example.org/phone");
    script.send(
        "bob",
        &format!(
            "<iq type='get' id='v' to='{COVEN}/carol'><query xmlns='jabber:iq:version'/></iq>"
        ),
    );
    let question = script.receive("carol");
    let asked = question.attribute("id").unwrap().into_owned();
    let (tag, _) = asked.split_once('-').unwrap();
    let other = format!("{}-v", "0".repeat(tag.len()));
    let answer = |kind: &str, id: &str, to: &str| {
        format!("<iq type='{kind}' id='{id}' to='{COVEN}/{to}'><x xmlns='urn:x'/></iq>")
    };
    for kind in ["result", "error"] {
        for (actor, id, to) in [
            ("carol", "v", "bob"),
            ("carol", &other, "bob"),
            ("carol", tag, "bob"),
            ("carol", &asked, "alice"),
            ("carol", &asked, "nobody"),
            // Dave is not in the room.
            ("dave", &asked, "bob"),
        ] {
            script.send(actor, &answer(kind, id, to));
            for actor in ["alice", "bob", "carol", "dave"] {
                script.expect_nothing(actor);
            }
        }
        script.send("alice", &answer(kind, &asked, "bob"));
        script.expect(
            "bob",
            &format!("<iq type='{kind}' id='v' from='{COVEN}/alice'/>"),
        );
    }
}

/// XEP-0410 §3.2, §3.3
#[test]
fn a_ping_to_oneself_tells_whether_one_is_in_the_room() {
    let mut script = three_in_a_room();
    let ping = |script: &mut Script, to: &str| {
        script.send(
            "bob",
            &format!("<iq type='get' id='p' to='{COVEN}/{to}'><ping xmlns='urn:xmpp:ping'/></iq>"),
        );
    };
    ping(&mut script, "bob");
    script.expect(
        "bob",
        &format!("<iq type='result' id='p' from='{COVEN}/bob'/>"),
    );
    script.send(
        "bob",
        &format!("<presence to='{COVEN}/bob' type='unavailable'/>"),
    );
    script.forget("bob");
    ping(&mut script, "bob");
    script.play(
        "
        bob S: <iq type='error' id='p'><error>
            <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        ",
    );
}
