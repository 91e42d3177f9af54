//! What goes through, and what does not.

use super::{friends, with_blocked};
use anser_tests::script::Script;

/// XEP-0191 §3.3: "the server SHOULD return an error, which SHOULD be
/// service-unavailable". What has no answer gets none.
#[test]
fn a_message_from_somebody_who_is_blocked_is_refused() {
    let mut script = with_blocked(&["bob@example.org"]);
    script.log_in("copies", "alice@example.org/laptop");
    script.send(
        "copies",
        "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>",
    );
    script.forget("copies");
    for (attributes, is_refused) in [
        ("to='alice@example.org' type='chat'", true),
        ("to='alice@example.org/phone' type='chat'", true),
        ("to='alice@example.org/nowhere' type='chat'", true),
        ("to='alice@example.org'", true),
        ("to='alice@example.org' type='groupchat'", true),
        ("to='alice@example.org' type='headline'", false),
        ("to='alice@example.org/phone' type='headline'", false),
        ("to='alice@example.org/phone' type='error'", false),
    ] {
        let message = format!("<message {attributes} id='1'><body>x</body></message>");
        script.send("bob", &message);
        if is_refused {
            script.expect(
                "bob",
                "<message type='error' id='1'><error type='cancel'><service-unavailable \
                 xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
            );
        }
        for actor in ["bob", "alice", "copies"] {
            script.expect_nothing(actor);
        }
    }
    script.change_blocks("alice", "unblock", &["bob@example.org"]);
    script.forget("alice");
    script.play(
        "
        bob   S: <presence from='alice@example.org/phone'/>
        bob   C: <message to='alice@example.org' type='chat'><body>again</body></message>
        alice S: <message from='bob@example.org/phone'><body>again</body></message>
        alice S: nothing
        ",
    );
}

/// XEP-0191 §3.3: "MUST NOT route the stanza to the JID but instead MUST return a
/// not-acceptable error", whatever the stanza is and wherever the address.
#[test]
fn nothing_goes_to_somebody_who_is_blocked() {
    let mut script = with_blocked(&["bob@example.org", "far.example"]);
    let stanzas = [
        (
            "message",
            "to='bob@example.org' type='chat'",
            "<body>x</body>",
        ),
        ("message", "to='bob@example.org/phone'", "<body>x</body>"),
        (
            "message",
            "to='eve@far.example' type='chat'",
            "<body>x</body>",
        ),
        ("presence", "to='bob@example.org'", ""),
        (
            "presence",
            "to='bob@example.org/phone' type='unavailable'",
            "",
        ),
        ("presence", "to='bob@example.org' type='probe'", ""),
        ("presence", "to='bob@example.org' type='subscribe'", ""),
        ("presence", "to='eve@far.example' type='subscribe'", ""),
        (
            "iq",
            "to='bob@example.org/phone' type='get'",
            "<ping xmlns='urn:xmpp:ping'/>",
        ),
        (
            "iq",
            "to='bob@example.org' type='get'",
            "<ping xmlns='urn:xmpp:ping'/>",
        ),
        (
            "iq",
            "to='far.example' type='get'",
            "<ping xmlns='urn:xmpp:ping'/>",
        ),
    ];
    for (name, attributes, content) in stanzas {
        script.send(
            "alice",
            &format!("<{name} {attributes} id='1'>{content}</{name}>"),
        );
        script.expect(
            "alice",
            &format!(
                "<{name} type='error' id='1'><error type='cancel'>\
                 <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
                 <blocked xmlns='urn:xmpp:blocking:errors'/></error></{name}>"
            ),
        );
        script.expect_nothing("bob");
    }
}

/// XEP-0191 §3.3: "For IQ stanzas of type get or set, the server MUST return an
/// error"; others "MUST be silently dropped".
#[test]
fn a_question_from_somebody_who_is_blocked_is_refused() {
    let mut script = with_blocked(&["bob@example.org"]);
    for to in ["alice@example.org/phone", "alice@example.org"] {
        let query = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
        script.send(
            "bob",
            &format!("<iq to='{to}' type='get' id='1'>{query}</iq>"),
        );
        script.expect(
            "bob",
            "<iq type='error' id='1'><error type='cancel'><service-unavailable \
             xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
        );
    }
    script.play(
        "
        bob   C: <iq to='alice@example.org/phone' type='result' id='2'/>
        bob   S: nothing
        alice S: nothing
        ",
    );
}

/// XEP-0191 §6
#[test]
fn an_address_stands_for_itself_its_devices_or_its_domain() {
    for (blocked, phone, laptop) in [
        ("bob@example.org", true, true),
        ("bob@example.org/phone", true, false),
        ("bob@example.org/tablet", false, false),
        ("example.org", true, true),
        ("example.org/phone", false, false),
        ("bob@example.net", false, false),
        ("carol@example.org", false, false),
    ] {
        let mut script = with_blocked(&[blocked]);
        script.log_in("laptop", "bob@example.org/laptop");
        for (actor, is_blocked) in [("bob", phone), ("laptop", laptop)] {
            script.send(
                actor,
                "<message to='alice@example.org' type='chat' id='1'><body>x</body></message>",
            );
            let refused = script.try_receive(actor);
            assert_eq!(refused.is_some(), is_blocked, "{blocked} {actor}");
            let arrived = script.try_receive("alice");
            assert_eq!(arrived.is_some(), !is_blocked, "{blocked} {actor}");
        }
        // "An implementation MUST NOT block communications from one of a user's
        // resources to another" (§5).
        script.log_in("own", "alice@example.org/laptop");
        script.send(
            "own",
            "<message to='alice@example.org'><body>own</body></message>",
        );
        script.expect("alice", "<message from='alice@example.org/laptop'/>");
        script.expect_nothing("own");
    }
}

/// XEP-0191 §3.3, §3.4: whoever is blocked sees the account go, and come when it
/// is over; meanwhile neither sees anything of the other.
#[test]
fn whoever_is_blocked_sees_nobody_there() {
    let mut script = friends();
    script.change_blocks("alice", "block", &["bob@example.org"]);
    script.play(
        "
        bob   S: <presence type='unavailable' from='alice@example.org/phone' to='bob@example.org'/>
        bob   S: nothing
        alice C: <presence><show>away</show></presence>
        alice S: <presence from='alice@example.org/phone'/>
        bob   S: nothing
        bob   C: <presence><show>dnd</show></presence>
        bob   S: <presence from='bob@example.org/phone'/>
        bob   C: <presence to='alice@example.org/phone'/>
        bob   C: <presence to='alice@example.org' type='probe'/>
        bob   S: nothing
        alice S: nothing
        ",
    );
    // Nor do devices that come meanwhile, on either side.
    for (actor, user) in [("alices", "alice"), ("bobs", "bob")] {
        script.appear(actor, &format!("{user}@example.org/laptop"));
        script.expect(
            actor,
            &format!("<presence from='{user}@example.org/phone'/>"),
        );
        script.expect_nothing(actor);
        script.expect(
            user,
            &format!("<presence from='{user}@example.org/laptop'/>"),
        );
    }
    script.expect_nothing("alice");
    script.expect_nothing("bob");
    script.change_blocks("alice", "unblock", &["bob@example.org"]);
    for actor in ["bob", "bobs"] {
        script.expect(
            actor,
            "<presence from='alice@example.org/phone'><show>away</show></presence>",
        );
        script.expect(actor, "<presence from='alice@example.org/laptop'/>");
        script.expect_nothing(actor);
    }
    for actor in ["alice", "alices"] {
        script.expect(
            actor,
            "<presence from='bob@example.org/phone'><show>dnd</show></presence>",
        );
        script.expect(actor, "<presence from='bob@example.org/laptop'/>");
        script.expect_nothing(actor);
    }
}

/// XEP-0191 §3.3, §6: one device of a contact can be blocked.
#[test]
fn a_device_that_is_blocked_sees_less_than_its_neighbour() {
    let mut script = friends();
    script.appear("laptop", "bob@example.org/laptop");
    for actor in ["laptop", "bob", "alice"] {
        script.forget(actor);
    }
    script.change_blocks("alice", "block", &["bob@example.org/laptop"]);
    script.play(
        "
        laptop S: <presence type='unavailable' from='alice@example.org/phone'/>
        bob    S: nothing
        alice  C: <presence><show>away</show></presence>
        alice  S: <presence from='alice@example.org/phone'/>
        bob    S: <presence from='alice@example.org/phone'><show>away</show></presence>
        laptop S: nothing
        laptop C: <presence><show>dnd</show></presence>
        laptop S: <presence from='bob@example.org/laptop'/>
        bob    C: <presence><show>xa</show></presence>
        alice  S: <presence from='bob@example.org/phone'><show>xa</show></presence>
        alice  S: nothing
        ",
    );
}

/// XEP-0191 §3.3, RFC 6121 §4.6.3: also a stranger who was told.
#[test]
fn somebody_who_was_told_of_a_device_alone_sees_it_go_once() {
    let mut script = friends();
    script.appear("carol", "carol@example.org/phone");
    script.play(
        "
        alice C: <presence to='carol@example.org'/>
        alice C: <presence to='bob@example.org/phone'/>
        carol S: <presence from='alice@example.org/phone'/>
        bob   S: <presence from='alice@example.org/phone'/>
        ",
    );
    script.change_blocks("alice", "block", &["example.org"]);
    script.play(
        "
        carol S: <presence type='unavailable' from='alice@example.org/phone' to='carol@example.org'/>
        carol S: nothing
        bob   S: <presence type='unavailable' from='alice@example.org/phone'/>
        bob   S: nothing
        ",
    );
    script.send("alice", "</stream:stream>");
    script.expect_nothing("carol");
    script.expect_nothing("bob");
}

/// XEP-0191 §3.3: for presence, "subscriptions" included, "the server MUST NOT
/// respond and MUST NOT return an error".
#[test]
fn whoever_is_blocked_asks_for_nothing() {
    let mut script = Script::new(&["alice", "bob"]);
    for name in ["alice", "bob"] {
        script.appear(name, &format!("{name}@example.org/phone"));
    }
    script.change_blocks("alice", "block", &["bob@example.org"]);
    script.play(
        "
        bob   C: <presence to='alice@example.org' type='subscribe'/>
        bob   S: nothing
        alice S: nothing
        ",
    );
    script.change_blocks("alice", "unblock", &["bob@example.org"]);
    script.appear("later", "alice@example.org/later");
    script.expect("later", "<presence from='alice@example.org/phone'/>");
    script.expect_nothing("later");
}

/// XEP-0191 §4: subscriptions stay; and one that the other side ends is over.
#[test]
fn a_subscription_that_ends_meanwhile_is_over_on_both_sides() {
    let mut script = with_blocked(&["bob@example.org"]);
    script.play(
        "
        alice C: <iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>
        alice S: <iq type='result' id='1'><query xmlns='jabber:iq:roster'>
            <item jid='bob@example.org' subscription='both'/></query></iq>
        bob   C: <presence to='alice@example.org' type='unsubscribe'/>
        alice S: <iq type='set'><query xmlns='jabber:iq:roster'>
            <item jid='bob@example.org' subscription='to'/></query></iq>
        alice S: nothing
        bob   S: nothing
        ",
    );
    script.change_blocks("alice", "unblock", &["bob@example.org"]);
    script.expect_nothing("bob");
}

/// XEP-0191 §3.3: "the user's server MUST NOT deliver any XML stanzas from the
/// JID to the user", those neither that were sent before.
#[test]
fn what_waited_when_somebody_was_blocked_is_not_delivered() {
    let mut script = Script::new(&["alice", "bob", "carol"]);
    for name in ["bob", "carol"] {
        script.appear(name, &format!("{name}@example.org/phone"));
        script.send(
            name,
            "<message to='alice@example.org'><body>hello</body></message>",
        );
    }
    script.log_in("alice", "alice@example.org/phone");
    script.change_blocks("alice", "block", &["bob@example.org"]);
    script.play(
        "
        alice C: <presence/>
        alice S: <presence from='alice@example.org/phone'/>
        alice S: <message from='carol@example.org/phone'/>
        alice S: nothing
        ",
    );
    script.change_blocks("alice", "unblock", &["bob@example.org"]);
    script.appear("laptop", "alice@example.org/laptop");
    script.expect("laptop", "<presence from='alice@example.org/phone'/>");
    script.expect_nothing("laptop");
}

/// What is on its way to the disk when somebody is blocked waits there.
#[test]
fn what_is_on_its_way_when_somebody_is_blocked_is_not_delivered() {
    let mut script = friends();
    script.hold_commits(true);
    script.send(
        "alice",
        "<iq type='set' id='1'><block xmlns='urn:xmpp:blocking'><item jid='bob@example.org'/></block></iq>",
    );
    script.send(
        "bob",
        "<message to='alice@example.org'><body>late</body></message>",
    );
    script.hold_commits(false);
    // Which of the two comes first is a matter of the disk; after the answer,
    // nothing comes.
    let mut is_blocked = false;
    while let Some(stanza) = script.try_receive("alice") {
        assert!(!is_blocked, "{stanza:?}");
        is_blocked = stanza.name() == "iq";
    }
    assert!(is_blocked);
}

/// A block that could not be kept is none.
#[test]
fn whoever_could_not_be_blocked_is_not() {
    let mut script = friends();
    script.world.space().grant(Some(0));
    script.play(
        "
        alice C: <iq type='set' id='1'><block xmlns='urn:xmpp:blocking'><item jid='bob@example.org'/></block></iq>
        alice S: <iq type='error' id='1'><error type='wait'>
            <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        bob   S: <presence type='unavailable' from='alice@example.org/phone'/>
        bob   S: <presence from='alice@example.org/phone'/>
        alice S: <presence from='bob@example.org/phone'/>
        ",
    );
    script.world.space().grant(None);
    script.play(
        "
        bob   C: <message to='alice@example.org'><body>x</body></message>
        alice S: <message from='bob@example.org/phone'/>
        bob   S: nothing
        ",
    );
}
