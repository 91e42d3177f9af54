//! Who is there (RFC 6121 §4).

use anser_hub::AccountsConfig;
use anser_tests::script::Script;
use anser_tests::world::World;
use anser_xmpp::XmppConfig;

/// Alice and Bob see each other; Carol sees nobody.
fn friends() -> Script {
    let mut script = Script::new(&["alice", "bob", "carol"]);
    script.log_in("alice", "alice@example.org/phone");
    script.log_in("bob", "bob@example.org/phone");
    script.befriend("alice", "bob");
    script.log_in("carol", "carol@example.org/phone");
    script
}

/// RFC 6121 §4.2, §4.3
#[test]
fn whoever_comes_is_seen_and_sees_who_is_there() {
    let mut script = friends();
    script.play(
        "
        alice C: <presence><show>away</show></presence>
        alice S: <presence from='alice@example.org/phone' to='alice@example.org'>
            <show>away</show></presence>
        alice S: nothing
        bob   S: nothing
        bob   C: <presence id='here' xml:lang='de'><status>da</status></presence>
        alice S: <presence from='bob@example.org/phone' to='alice@example.org' id='here' xml:lang='de'>
            <status>da</status></presence>
        bob   S: <presence from='bob@example.org/phone'/>
        bob   S: <presence from='alice@example.org/phone' to='bob@example.org'>
            <show>away</show></presence>
        bob   S: nothing
        carol S: nothing
        ",
    );
}

/// RFC 6121 §4.4, §4.5
#[test]
fn changes_and_leaving_are_told_to_those_who_see_it() {
    let mut script = friends();
    script.play(
        "
        alice C: <presence/>
        alice S: <presence from='alice@example.org/phone'/>
        bob   C: <presence/>
        bob   S: <presence from='bob@example.org/phone'/>
        bob   S: <presence from='alice@example.org/phone'/>
        alice S: <presence from='bob@example.org/phone'/>
        alice C: <presence><show>dnd</show></presence>
        bob   S: <presence from='alice@example.org/phone'><show>dnd</show></presence>
        alice S: <presence from='alice@example.org/phone'><show>dnd</show></presence>
        alice C: <presence type='unavailable'><status>bye</status></presence>
        bob   S: <presence type='unavailable' from='alice@example.org/phone' to='bob@example.org'>
            <status>bye</status></presence>
        alice S: <presence type='unavailable' from='alice@example.org/phone'/>
        bob   C: <presence><show>xa</show></presence>
        bob   S: <presence><show>xa</show></presence>
        alice S: nothing
        ",
    );
}

/// RFC 6121 §4.5.2
#[test]
fn whoever_is_cut_off_is_seen_to_leave() {
    let mut script = friends();
    script.play(
        "
        bob   C: <presence/>
        bob   S: <presence from='bob@example.org/phone'/>
        alice C: <presence/>
        bob   S: <presence from='alice@example.org/phone'/>
        ",
    );
    script.cut("alice");
    script.expect(
        "bob",
        "<presence type='unavailable' from='alice@example.org/phone'/>",
    );
}

/// RFC 6121 §4.6
#[test]
fn directed_presence_reaches_a_stranger_who_is_told_when_it_ends() {
    for leave in ["<presence type='unavailable'/>", "</stream:stream>"] {
        let mut script = friends();
        script.play(&format!(
            "
            carol C: <presence/>
            carol S: <presence from='carol@example.org/phone'/>
            alice C: <presence to='carol@example.org/phone'><show>chat</show></presence>
            carol S: <presence from='alice@example.org/phone' to='carol@example.org/phone'>
                <show>chat</show></presence>
            alice C: <presence/>
            carol S: nothing
            alice C: {leave}
            carol S: <presence type='unavailable' from='alice@example.org/phone'/>
            carol S: nothing
            "
        ));
    }
}

/// RFC 6121 §4.6.3
#[test]
fn directed_presence_can_be_taken_back() {
    let mut script = friends();
    script.play(
        "
        carol C: <presence/>
        carol S: <presence from='carol@example.org/phone'/>
        alice C: <presence to='carol@example.org'/>
        carol S: <presence from='alice@example.org/phone' to='carol@example.org'/>
        alice C: <presence to='carol@example.org' type='unavailable'/>
        carol S: <presence type='unavailable' from='alice@example.org/phone'/>
        alice C: </stream:stream>
        carol S: nothing
        ",
    );
}

/// RFC 6121 §4.6.3: also to a contact who would see it, were it broadcast.
#[test]
fn a_contact_who_alone_was_told_is_told_when_it_ends() {
    let mut script = friends();
    script.play(
        "
        bob   C: <presence/>
        bob   S: <presence from='bob@example.org/phone'/>
        alice C: <presence to='bob@example.org'/>
        bob   S: <presence from='alice@example.org/phone'/>
        ",
    );
    script.cut("alice");
    script.expect(
        "bob",
        "<presence type='unavailable' from='alice@example.org/phone' to='bob@example.org'/>",
    );
    script.expect_nothing("bob");
}

/// RFC 6121 §4.6.3: whoever sees the broadcast needs no other, and whoever is
/// not there does not see it.
#[test]
fn a_contact_is_told_once_that_somebody_leaves() {
    for (present, to) in [
        (true, "bob@example.org"),
        (true, "bob@example.org/phone"),
        (false, "bob@example.org/phone"),
    ] {
        let mut script = friends();
        if present {
            script.play(
                "
                bob   C: <presence/>
                bob   S: <presence from='bob@example.org/phone'/>
                ",
            );
        }
        script.send("alice", "<presence/>");
        script.send(
            "alice",
            &format!("<presence to='{to}'><show>chat</show></presence>"),
        );
        script.forget("bob");
        script.cut("alice");
        script.expect(
            "bob",
            "<presence type='unavailable' from='alice@example.org/phone'/>",
        );
        script.expect_nothing("bob");
    }
}

/// RFC 6121 §4.6; every input has a limit.
#[test]
fn a_session_tells_only_so_many_addresses_of_its_presence() {
    let limits = AccountsConfig {
        directed_presences: 1,
        ..AccountsConfig::default()
    };
    let names = ["alice", "bob", "carol"];
    let world = World::with_config(1, &names, limits, XmppConfig::default());
    let mut script = Script::in_world(world);
    for name in names {
        script.log_in(name, &format!("{name}@example.org/phone"));
    }
    script.play(
        "
        bob   C: <presence/>
        bob   S: <presence from='bob@example.org/phone'/>
        carol C: <presence/>
        carol S: <presence from='carol@example.org/phone'/>
        alice C: <presence to='bob@example.org'/>
        bob   S: <presence from='alice@example.org/phone'/>
        alice C: <presence to='bob@example.org'><show>away</show></presence>
        bob   S: <presence from='alice@example.org/phone'><show>away</show></presence>
        alice C: <presence to='carol@example.org' id='p'/>
        alice S: <presence type='error' from='carol@example.org' id='p'><error type='wait'>
            <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
        carol S: nothing
        alice C: <presence to='bob@example.org' type='unavailable'/>
        bob   S: <presence type='unavailable' from='alice@example.org/phone'/>
        alice C: <presence to='carol@example.org' id='p'/>
        carol S: <presence from='alice@example.org/phone'/>
        ",
    );
}

/// RFC 6121 §8.5.1, §8.5.3.2.2
#[test]
fn presence_for_nobody_is_ignored() {
    let mut script = friends();
    for to in [
        "nobody@example.org",
        "nobody@example.org/x",
        "bob@example.org/x",
        "example.org",
    ] {
        for kind in ["", "type='unavailable'", "type='probe'", "type='error'"] {
            script.send("alice", &format!("<presence to='{to}' {kind}/>"));
        }
    }
    script.expect_nothing("alice");
    script.expect_nothing("bob");
}

/// RFC 6120 §8.3.3.16
#[test]
fn presence_for_another_server_comes_back() {
    let mut script = friends();
    script.play(
        "
        alice C: <presence to='dave@elsewhere.example' id='p'/>
        alice S: <presence type='error' from='dave@elsewhere.example' id='p'><error type='cancel'>
            <remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
        alice C: <presence to='dave@elsewhere.example' type='subscribe' id='q'/>
        alice S: <presence type='error' from='dave@elsewhere.example' id='q'/>
        ",
    );
}

/// RFC 6121 §4.7.2.3
#[test]
fn a_priority_that_is_none_is_a_bad_request() {
    let mut script = friends();
    for priority in ["high", "128", "-129", "1.5"] {
        script.play(&format!(
            "
            alice C: <presence id='p'><priority>{priority}</priority></presence>
            alice S: <presence type='error' id='p'><error type='modify'>
                <bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
            "
        ));
    }
    script.play(
        "
        alice C: <presence type='gone' id='p'/>
        alice S: <presence type='error' id='p'><error type='modify'>
            <bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
        alice C: <presence type='subscribe' id='q'/>
        alice S: <presence type='error' id='q'><error type='modify'>
            <bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
        ",
    );
}

/// RFC 6121 §4.3.2
#[test]
fn a_probe_is_answered_for_those_only_who_may_see() {
    let mut script = friends();
    script.play(
        "
        alice C: <presence/>
        alice S: <presence from='alice@example.org/phone'/>
        bob   C: <presence type='probe' to='alice@example.org'/>
        bob   S: <presence from='alice@example.org/phone' to='bob@example.org'/>
        carol C: <presence type='probe' to='alice@example.org'/>
        carol S: nothing
        ",
    );
}
