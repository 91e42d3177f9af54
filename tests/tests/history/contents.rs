//! What is in an archive, and as what.

use super::{MAM, RSM, ask, tell, two};

/// XEP-0313 §4, §4.2
#[test]
fn an_archive_has_what_was_sent_and_what_was_received() {
    let mut script = two();
    script.play(
        "
        alice C: <message to='bob@example.org' type='chat' id='m1' xml:lang='en'>
            <body>hello</body><x xmlns='urn:x'/></message>
        bob   S: <message id='m1'/>
        bob   C: <message to='alice@example.org/phone' id='m2'><body>hi</body></message>
        alice S: <message id='m2'/>
        ",
    );
    for actor in ["alice", "bob"] {
        script.play(&format!(
            "
            {actor} C: <iq type='set' id='q1'><query xmlns='{MAM}' queryid='f&apos;27'/></iq>
            {actor} S: <message from='{actor}@example.org' to='{actor}@example.org/phone'>
                <result xmlns='{MAM}' queryid='f&apos;27' id='*'>
                <forwarded xmlns='urn:xmpp:forward:0'>
                <delay xmlns='urn:xmpp:delay' stamp='2026-11-20T00:00:00.000Z'/>
                <message xmlns='jabber:client' from='alice@example.org/phone' to='bob@example.org'
                    type='chat' id='m1' xml:lang='en'><body>hello</body><x xmlns='urn:x'/></message>
                </forwarded></result></message>
            {actor} S: <message><result xmlns='{MAM}' queryid='f&apos;27' id='*'>
                <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay'/>
                <message xmlns='jabber:client' from='bob@example.org/phone'
                    to='alice@example.org/phone' id='m2'><body>hi</body></message>
                </forwarded></result></message>
            {actor} S: <iq type='result' id='q1'><fin xmlns='{MAM}' complete='true'>
                <set xmlns='{RSM}'><first index='0'/><last/><count>2</count></set></fin></iq>
            {actor} S: nothing
            "
        ));
    }
}

/// XEP-0313 §3.4: the id that a message comes with is the one in the archive.
#[test]
fn a_message_comes_with_the_id_that_it_has_in_the_archive() {
    let mut script = two();
    script.send(
        "alice",
        "<message to='bob@example.org' type='chat'><body>x</body></message>",
    );
    let message = script.receive("bob");
    let id = message.child("urn:xmpp:sid:0", "stanza-id").unwrap();
    assert_eq!(id.attribute("by").unwrap(), "bob@example.org");
    let id = id.attribute("id").unwrap();
    for actor in ["alice", "bob"] {
        assert_eq!(ask(&mut script, actor, "").id(0), id);
    }
}

/// XEP-0313 §6.1.1, XEP-0334 §4
#[test]
fn what_is_not_meant_to_stay_is_in_no_archive() {
    let mut script = two();
    for content in [
        "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
        "<body>1</body><no-store xmlns='urn:xmpp:hints'/>",
        "<body>2</body><no-permanent-store xmlns='urn:xmpp:hints'/>",
        "<body>kept</body>",
    ] {
        let message = format!("<message to='bob@example.org' type='chat'>{content}</message>");
        script.send("alice", &message);
    }
    script.send(
        "alice",
        "<message to='bob@example.org' type='headline'><body>3</body></message>",
    );
    for actor in ["alice", "bob"] {
        script.forget(actor);
        assert_eq!(ask(&mut script, actor, "").texts(), ["kept"]);
    }
}

/// XEP-0313 §1: that is what archives are for.
#[test]
fn two_devices_of_which_one_was_away_show_the_same_messages_in_the_same_order() {
    let mut script = two();
    script.appear("laptop", "bob@example.org/laptop");
    tell(&mut script, 0..3);
    script.cut("laptop");
    script.send(
        "bob",
        "<message to='alice@example.org' type='chat'><body>a</body></message>",
    );
    tell(&mut script, 3..5);
    script.send(
        "bob",
        "<message to='alice@example.org' type='chat'><body>b</body></message>",
    );
    script.appear("laptop", "bob@example.org/laptop");
    for actor in ["alice", "bob", "laptop"] {
        script.forget(actor);
    }
    let [alice, phone, laptop] =
        ["alice", "bob", "laptop"].map(|actor| ask(&mut script, actor, "").messages);
    assert_eq!(phone, laptop);
    assert_eq!(phone, alice);
    let texts: Vec<_> = phone.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["0", "1", "2", "a", "3", "4", "b"]);
}

/// XEP-0313 §8.2, XEP-0359 §6: a client that trusts what looks like its server's
/// must not be deceived.
#[test]
fn nobody_makes_a_message_look_like_a_part_of_an_archive() {
    let mut script = two();
    let forged = "<result xmlns='urn:xmpp:mam:2' queryid='f27' id='1'>\
         <forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' \
         from='carol@example.org'><body>forged</body></message></forwarded></result>\
         <m:result xmlns:m='urn:xmpp:mam:1'/><fin xmlns='urn:xmpp:mam:0'/>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='bob@example.org' id='1'/>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='2'/>";
    let message = format!(
        "<message to='bob@example.org' type='chat'><body>real</body>{forged}</message>\
         <message to='bob@example.org' type='chat'>{forged}</message>"
    );
    script.send("alice", &message);
    let first = script.receive("bob");
    assert!(first.child("jabber:client", "body").is_some());
    assert_eq!(first.children().count(), 2);
    let second = script.receive("bob");
    assert_eq!(second.children().count(), 0);
    for actor in ["alice", "bob"] {
        script.send(
            actor,
            &format!("<iq type='set' id='q'><query xmlns='{MAM}'/></iq>"),
        );
        let archived = script.receive(actor);
        let text = String::from_utf8(archived.raw().to_vec()).unwrap();
        assert!(text.contains("real") && !text.contains("forged"), "{text}");
        assert!(!text.contains("stanza-id"), "{text}");
        assert_eq!(script.receive(actor).name(), "iq");
    }
}
