//! How much one occupant, and all together, may have a room do (XEP-0045 §14.6).

use super::{
    COVEN, admin, configure, coven, field, join, refused, register, registration, three_in_a_room,
};

/// XEP-0045 §14.6: "Making rapid and repeated presence changes", "large
/// messages": what one occupant sends is limited.
#[test]
fn an_occupant_who_floods_the_room_is_told_to_wait() {
    let mut script = coven();
    join(&mut script, "bob", "bob", &["alice"]);
    let mut refused = 0;
    for number in 0..600 {
        let to = format!("to='{COVEN}' type='groupchat' id='{number}'");
        script.send("bob", &format!("<message {to}><body>x</body></message>"));
        let answer = script.receive("bob");
        refused += usize::from(answer.attribute("type").as_deref() == Some("error"));
        script.forget("alice");
    }
    assert_eq!(refused, 101, "a burst is of 500, and one was for entering");
    script.world.pass(std::time::Duration::from_secs(1));
    script.send(
        "bob",
        &format!("<message to='{COVEN}' type='groupchat' id='y'><body/></message>"),
    );
    script.expect("bob", "<message type='groupchat' id='y'/>");
}

/// XEP-0045 §14.6: whatever a session has a room read or tell others counts.
#[test]
fn what_a_room_passes_on_or_reads_for_somebody_has_a_limit() {
    let to = format!("to='{COVEN}'");
    let mediation = |content: &str| {
        format!(
            "<message {to}><x xmlns='{}'>{content}</x></message>",
            "http://jabber.org/protocol/muc#user"
        )
    };
    let place = anser_store::MessageId::FIRST;
    let retract = format!("<retract xmlns='urn:xmpp:message-retract:1' id='{place}'/>");
    for stanza in [
        mediation("<decline to='carol@example.org'/>"),
        mediation("<decline to='ghost@example.org'/>"),
        mediation("<invite to='ghost@example.org'/>"),
        format!("<message {to} type='groupchat' id='r'>{retract}</message>"),
        format!(
            "<iq {to} type='set' id='m'><moderate xmlns='urn:xmpp:message-moderate:1' id='{place}'>\
             <retract xmlns='urn:xmpp:message-retract:1'/></moderate></iq>"
        ),
        register(&registration("bob")),
        register("<remove/>"),
    ] {
        let mut script = coven();
        join(&mut script, "bob", "bob", &["alice"]);
        for _ in 0..500 {
            script.send("bob", &stanza);
        }
        for actor in ["alice", "bob", "carol"] {
            script.forget(actor);
        }
        script.send("bob", &stanza);
        let refusal = format!("{:?}", script.receive("bob"));
        assert!(refusal.contains("policy-violation"), "{stanza}: {refusal}");
        for actor in ["alice", "bob", "carol"] {
            script.expect_nothing(actor);
        }
    }
}

/// The same of those who decide: everybody may make a room, and then does.
#[test]
fn whoever_decides_over_a_room_has_a_limit_too() {
    let set = |query: &str| format!("<iq type='set' id='x' to='{COVEN}'>{query}</iq>");
    let card = |text: &str| {
        set(&format!(
            "<vCard xmlns='vcard-temp'><NOTE>{text}</NOTE></vCard>"
        ))
    };
    let configuration = |name: &str| {
        set(&format!(
            "<query xmlns='http://jabber.org/protocol/muc#owner'>\
             <x xmlns='jabber:x:data' type='submit'>{}</x></query>",
            field("muc#roomconfig_roomname", name)
        ))
    };
    let approval = || {
        let about = field("FORM_TYPE", "http://jabber.org/protocol/muc#request");
        let rest = field("muc#roomnick", "bob") + &field("muc#request_allow", "true");
        format!(
            "<message to='{COVEN}'><x xmlns='jabber:x:data' type='submit'>{about}{rest}</x></message>"
        )
    };
    for (stanzas, cost) in [
        (
            ["visitor", "participant"]
                .map(|role| admin(&format!("<item nick='bob' role='{role}'/>"))),
            1,
        ),
        (
            ["member", "none"].map(|affiliation| {
                let item =
                    |name| format!("<item jid='{name}@example.org' affiliation='{affiliation}'/>");
                admin(&(item("carol") + &item("dave")))
            }),
            2,
        ),
        (["one", "two"].map(configuration), 1),
        (["one", "two"].map(card), 1),
        ([(); 2].map(|()| approval()), 1),
    ] {
        let mut script = coven();
        join(&mut script, "bob", "bob", &["alice"]);
        script.world.pass(std::time::Duration::from_secs(1));
        for number in 0..500 / cost {
            script.send("alice", &stanzas[number % 2]);
            for actor in ["alice", "bob", "carol"] {
                script.forget(actor);
            }
        }
        script.send("alice", &stanzas[0]);
        let refusal = format!("{:?}", script.receive("alice"));
        assert!(
            refusal.contains("policy-violation"),
            "{}: {refusal}",
            stanzas[0]
        );
        script.expect_nothing("bob");
    }
}

/// Everybody is told of everybody then, which is as much as a message of each.
#[test]
fn who_is_shown_is_not_changed_in_a_large_room_as_fast_as_a_name_is() {
    let mut script = three_in_a_room();
    let hub = script.world.hub();
    let mut config = (*hub.config()).clone();
    config.rooms.burst_messages = 5;
    hub.configure(config);
    script.world.pass(std::time::Duration::from_secs(1));
    configure(
        &mut script,
        "alice",
        &field("muc#roomconfig_whois", "anyone"),
    );
    let query = "<query xmlns='http://jabber.org/protocol/muc#owner'>\
                 <x xmlns='jabber:x:data' type='submit'>";
    let hidden = field("muc#roomconfig_whois", "moderators");
    let hide = format!("<iq type='set' id='h' to='{COVEN}'>{query}{hidden}</x></query></iq>");
    script.forget("alice");
    script.send("alice", &hide);
    script.expect("alice", &refused("wait", "policy-violation"));
}

/// XEP-0045 §14.6: "large messages that prevent participants from following the
/// conversation"
#[test]
fn a_large_message_counts_as_many_for_its_sender_and_for_the_room() {
    let say = |number: usize| {
        let body = "x".repeat(40 << 10);
        format!(
            "<message to='{COVEN}' type='groupchat' id='{number}'><body>{body}</body></message>"
        )
    };
    for (of_session, of_room) in [(110, 5000), (5000, 110)] {
        let mut script = three_in_a_room();
        let hub = script.world.hub();
        let mut config = (*hub.config()).clone();
        config.rooms.burst_messages = of_session;
        config.rooms.room_burst_messages = of_room;
        hub.configure(config);
        script.world.pass(std::time::Duration::from_secs(1));
        for number in 0..10 {
            script.send("bob", &say(number));
            script.expect("bob", &format!("<message type='groupchat' id='{number}'/>"));
        }
        script.send("bob", &say(10));
        script.expect(
            "bob",
            "<message type='error' id='10'><error type='wait'>\
             <policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
        );
    }
}

/// XEP-0045 §14.6: "Making rapid and repeated presence changes", and coming and
/// going does not help.
#[test]
fn an_occupant_who_changes_all_the_time_is_told_to_wait_and_nobody_else_notices() {
    let mut script = coven();
    join(&mut script, "bob", "bob", &["alice"]);
    let (mut refused, mut seen) = (0, 0);
    for number in 0..600 {
        let status = format!("<status>{number}</status>");
        script.send(
            "bob",
            &format!("<presence to='{COVEN}/bob'>{status}</presence>"),
        );
        while let Some(stanza) = script.try_receive("bob") {
            refused += usize::from(stanza.attribute("type").as_deref() == Some("error"));
        }
        while script.try_receive("alice").is_some() {
            seen += 1;
        }
    }
    // To enter has cost one.
    assert_eq!((seen, refused), (499, 101));
    for kind in ["type='unavailable'", ""] {
        let x = "<x xmlns='http://jabber.org/protocol/muc'/>";
        script.send(
            "bob",
            &format!("<presence to='{COVEN}/bob' {kind}>{x}</presence>"),
        );
    }
    script.expect(
        "bob",
        &format!("<presence from='{COVEN}/bob' type='unavailable'/>"),
    );
    script.expect(
        "bob",
        "<presence type='error'><error type='wait'>\
         <policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>",
    );
}

/// What everybody together sends to a room is limited too.
#[test]
fn a_room_takes_no_more_than_it_may_from_all_together() {
    let mut script = three_in_a_room();
    let hub = script.world.hub();
    let mut config = (*hub.config()).clone();
    config.rooms.room_burst_messages = 10;
    hub.configure(config);
    let mut heard = 0;
    for number in 0..12 {
        for actor in ["bob", "carol"] {
            let to = format!("to='{COVEN}' type='groupchat' id='{number}'");
            script.send(actor, &format!("<message {to}><body>x</body></message>"));
        }
    }
    while let Some(stanza) = script.try_receive("alice") {
        heard += usize::from(stanza.attribute("type").as_deref() == Some("groupchat"));
    }
    assert_eq!(heard, 10);
}
