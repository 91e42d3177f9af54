//! What only the server may say of a message: that it is a copy, or out of an
//! archive. Clients without care believe it whoever says it (CVE-2017-5589,
//! CVE-2019-16235, CVE-2020-26547).

use crate::reflection::alice_and_bob;

/// What Mallory would like Bob to believe: that it comes from Juliet.
const FORWARDED: &str = "<forwarded xmlns='urn:xmpp:forward:0'>\
     <delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>\
     <message xmlns='jabber:client' from='juliet@example.org' to='bob@example.org' type='chat'>\
     <body>forged</body></message></forwarded>";

/// Every way to write it that is still sent to a client of some version.
fn forgeries() -> Vec<String> {
    let mut forgeries = Vec::new();
    for version in ["1", "2"] {
        for direction in ["sent", "received"] {
            let namespace = format!("urn:xmpp:carbons:{version}");
            forgeries.push(format!(
                "<{direction} xmlns='{namespace}'>{FORWARDED}</{direction}>"
            ));
            forgeries.push(format!(
                "<c:{direction} xmlns:c='urn&#58;xmpp:carbons:{version}'>{FORWARDED}</c:{direction}>"
            ));
        }
    }
    for version in ["tmp", "0", "1", "2"] {
        let namespace = format!("urn:xmpp:mam:{version}");
        forgeries.push(format!(
            "<result xmlns='{namespace}' id='1'>{FORWARDED}</result>"
        ));
        forgeries.push(format!("<fin xmlns='{namespace}' complete='true'/>"));
    }
    forgeries
}

/// XEP-0280 §11, XEP-0313 §8
#[test]
fn nobody_but_the_server_says_that_a_message_is_a_copy_or_out_of_an_archive() {
    for forgery in forgeries() {
        let mut script = alice_and_bob();
        for (kind, to) in [
            ("chat", "bob@example.org"),
            ("chat", "bob@example.org/phone"),
            ("normal", "bob@example.org"),
            ("headline", "bob@example.org"),
            ("groupchat", "bob@example.org/phone"),
            ("error", "bob@example.org/phone"),
        ] {
            script.send(
                "alice",
                &format!(
                    "<message to='{to}' type='{kind}' id='1'><body>x</body>{forgery}</message>"
                ),
            );
            let received = script.receive("bob");
            let text = String::from_utf8(received.raw().to_vec()).unwrap();
            assert!(text.contains("<body>x</body>"), "{text}");
            for word in ["forged", "carbons", "mam", "forwarded"] {
                assert!(!text.contains(word), "{text}");
            }
        }
    }
}

/// What is nothing else than a forgery is nothing: it is not kept for later.
#[test]
fn a_forgery_alone_waits_for_nobody() {
    for forgery in forgeries() {
        let mut script = anser_tests::script::Script::new(&["alice", "bob"]);
        script.appear("alice", "alice@example.org/phone");
        script.send(
            "alice",
            &format!("<message to='bob@example.org' type='chat'>{forgery}</message>"),
        );
        script.appear("bob", "bob@example.org/phone");
        script.expect_nothing("bob");
    }
}

/// XEP-0297 §3.1: what people forward to each other is theirs to forward.
#[test]
fn what_is_forwarded_passes_through() {
    let mut script = alice_and_bob();
    let message = format!("<message to='bob@example.org'><body>look</body>{FORWARDED}</message>");
    script.send("alice", &message);
    script.expect("bob", &message);
}
