//! People chat with clients nobody here wrote: slixmpp from PyPI, profanity and
//! go-sendxmpp from Debian.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_tests::foreign::{GoSendxmpp, Profanity, Slixmpp, Tls};
use anser_tests::program::Anser;
use serde_json::{Value, json};

const ALICE: &str = "alice@localhost";
const BOB: &str = "bob@localhost";

/// A server with the accounts of two people, made on the command line.
fn server() -> Anser {
    let anser = Anser::start();
    anser.add_user(ALICE, "secret");
    anser.add_user(BOB, "secret");
    anser
}

/// Bob in slixmpp, over STARTTLS and available.
fn bob(anser: &Anser) -> Slixmpp {
    let (mut bob, _) = Slixmpp::log_in(anser, BOB, Tls::Starttls, &[]);
    appear(&mut bob, "here");
    bob
}

/// Has a client ask for the roster and tell that it is there, as clients do.
fn appear(client: &mut Slixmpp, status: &str) {
    client.tell("roster", json!({}));
    client.tell("presence", json!({ "status": status }));
    client.wait_for("presence", |presence| presence["status"] == status);
}

fn is_from(event: &Value, account: &str) -> bool {
    let sender = event["sender"].as_str().unwrap();
    sender.split('/').next() == Some(account)
}

fn says(message: &Value, text: &str) -> bool {
    message["text"] == text
}

/// RFC 6120 §5 and §6, RFC 5802, XEP-0368
#[test]
fn slixmpp_logs_in_with_scram_and_believes_the_certificate() {
    let anser = server();
    for tls in Tls::ALL {
        let (alice, session) = Slixmpp::log_in(&anser, ALICE, tls, &[]);
        assert_eq!(session["mechanism"], "SCRAM-SHA-512");
        assert_eq!(session["tls"], "TLSv1.3");
        assert_eq!(session["verified"], true);
        assert_eq!(session["starttls"], tls == Tls::Starttls);
        alice.quit();
    }
}

/// RFC 6120 §6.5.10
#[test]
fn slixmpp_with_a_wrong_password_or_name_is_not_let_in() {
    let anser = server();
    for (account, password) in [(ALICE, "wrong"), ("nobody@localhost", "secret")] {
        let mut client = Slixmpp::start(&anser, account, password, Tls::Direct, &[]);
        let failure = client.wait_for("failed_auth", |_| true);
        assert_eq!(failure["mechanism"], "SCRAM-SHA-512");
        assert_eq!(failure["condition"], "not-authorized");
    }
}

/// RFC 6120 §5 and §6, RFC 5802, XEP-0368
#[test]
fn profanity_logs_in_with_scram_and_believes_the_certificate() {
    let anser = server();
    for tls in Tls::ALL {
        let alice = Profanity::log_in(&anser, ALICE, tls);
        for line in [
            "Certificate verification passed",
            "Issuer=/CN=Anser local authority",
            "SASL SCRAM-SHA-512 auth successful",
        ] {
            alice.log().wait_for(line);
        }
        let starttls = alice.log().text().contains("proceeding with TLS");
        assert_eq!(starttls, tls == Tls::Starttls);
        alice.quit();
    }
}

/// RFC 6121 §3.1 and §4
#[test]
fn two_people_become_contacts_and_see_each_other_come_and_go() {
    let anser = server();
    let mut bob = bob(&anser);
    let mut alice = Profanity::log_in(&anser, ALICE, Tls::Direct);

    alice.type_line("/sub request bob@localhost");
    let request = bob.wait_for("presence", |presence| presence["type"] == "subscribe");
    assert_eq!(request["sender"], ALICE);
    bob.tell("presence", json!({ "to": ALICE, "type": "subscribed" }));
    bob.tell("presence", json!({ "to": ALICE, "type": "subscribe" }));
    alice.wait_for(&["<presence", "from=\"bob@localhost\"", "type=\"subscribed\""]);
    alice.wait_for(&[
        "<presence",
        "from=\"bob@localhost/",
        "<status>here</status>",
    ]);
    alice.wait_for(&["<presence", "from=\"bob@localhost\"", "type=\"subscribe\""]);
    alice.type_line("/sub allow bob@localhost");
    bob.wait_for("presence", |presence| presence["type"] == "subscribed");
    bob.wait_for("presence", |presence| {
        is_from(presence, ALICE) && presence["type"] == "available"
    });

    alice.type_line("/status set away \"gone fishing\"");
    bob.wait_for("presence", |presence| presence["status"] == "gone fishing");
    alice.quit();
    bob.wait_for("presence", |presence| {
        is_from(presence, ALICE) && presence["type"] == "unavailable"
    });

    // What was agreed on lasts: the next time, nobody has to ask.
    let alice = Profanity::log_in(&anser, ALICE, Tls::Starttls);
    alice.wait_for(&["<item", "jid=\"bob@localhost\"", "subscription=\"both\""]);
    alice.wait_for(&[
        "<presence",
        "from=\"bob@localhost/",
        "<status>here</status>",
    ]);
    bob.wait_for("presence", |presence| {
        is_from(presence, ALICE) && presence["type"] == "available"
    });
    bob.quit();
    alice.wait_for(&["<presence", "from=\"bob@localhost/", "type=\"unavailable\""]);
    alice.quit();
}

/// RFC 6121 §5
#[test]
fn messages_go_both_ways_between_clients_of_different_makers() {
    let anser = server();
    let mut bob = bob(&anser);
    let mut alice = Profanity::log_in(&anser, ALICE, Tls::Direct);
    alice.type_line("/msg bob@localhost Grüße, 鸿雁 & <friends>");
    let message = bob.wait_for("message", |message| is_from(message, ALICE));
    assert!(says(&message, "Grüße, 鸿雁 & <friends>"), "{message}");
    assert_eq!(message["type"], "chat");
    assert_eq!(message["delay"], Value::Null);
    bob.message(ALICE, "the same to you");
    alice.wait_for(&["<message", "from=\"bob@localhost/", "the same to you"]);
    alice.quit();
    bob.quit();
}

/// RFC 6121 §8.5.2.2.1, XEP-0160, XEP-0203
#[test]
fn messages_to_somebody_away_come_once_in_order_and_say_when_they_were_sent() {
    let anser = server();
    let mut alice = Profanity::log_in(&anser, ALICE, Tls::Starttls);
    for text in ["one", "two", "three"] {
        alice.type_line(&format!("/msg bob@localhost {text}"));
    }
    alice.quit();

    let mut first = bob(&anser);
    first.wait_for("message", |message| says(message, "three"));
    let messages = first.messages();
    let texts: Vec<_> = messages.iter().map(|message| &message["text"]).collect();
    assert_eq!(texts, ["one", "two", "three"]);
    for message in &messages {
        assert!(is_from(message, ALICE));
        assert!(
            message["delay"].as_str().unwrap().ends_with("+00:00"),
            "{message}"
        );
        assert_ne!(message["stanza_id"], "");
    }
    first.quit();

    // They are not given out a second time: a later one comes alone.
    let mut second = bob(&anser);
    second.message(BOB, "to myself");
    second.wait_for("message", |message| says(message, "to myself"));
    assert_eq!(second.messages().len(), 1);
    second.quit();
}

/// RFC 6121 §2.1.6, §2.3, §2.5
#[test]
fn a_change_of_the_roster_is_pushed_to_every_client_of_the_account() {
    let anser = server();
    let (mut phone, _) = Slixmpp::log_in(&anser, ALICE, Tls::Direct, &[]);
    let laptop = Profanity::log_in(&anser, ALICE, Tls::Starttls);
    laptop.wait_for(&["<iq", "jabber:iq:roster", "type=\"result\""]);
    phone.tell("roster", json!({}));
    let roster = phone.wait_for("roster", |roster| roster["pushed"] == false);
    assert_eq!(roster["items"], json!({}));

    let contact = json!({ "address": BOB, "name": "Bobby", "groups": ["Friends"] });
    phone.tell("contact", contact);
    let push = phone.wait_for("roster", |roster| roster["pushed"] == true);
    let bobby = json!({
        "name": "Bobby", "subscription": "none", "ask": "", "groups": ["Friends"],
    });
    assert_eq!(push["items"], json!({ BOB: bobby }));
    laptop.wait_for(&[
        "<iq",
        "type=\"set\"",
        "name=\"Bobby\"",
        "<group>Friends</group>",
    ]);

    phone.tell("remove", json!({ "address": BOB }));
    let push = phone.wait_for("roster", |roster| roster["pushed"] == true);
    assert_eq!(push["items"][BOB]["subscription"], "remove");
    laptop.wait_for(&[
        "<iq",
        "type=\"set\"",
        "jid=\"bob@localhost\"",
        "subscription=\"remove\"",
    ]);
    laptop.quit();
    phone.quit();
}

/// XEP-0198 §5
#[test]
fn a_stream_whose_connection_is_cut_goes_on_and_nothing_is_lost_or_doubled() {
    let anser = server();
    let mut bob = bob(&anser);
    let (mut alice, session) = Slixmpp::log_in(&anser, ALICE, Tls::Starttls, &["--management"]);
    appear(&mut alice, "here");
    let mut number = 0;
    for _ in 0..5 {
        // What goes to a client whose connection has just broken, and what
        // such a client has just written, is what can be lost.
        for _ in 0..20 {
            number += 1;
            bob.message(ALICE, &number.to_string());
            alice.message(BOB, &number.to_string());
        }
        alice.tell("cut", json!({}));
        for _ in 0..20 {
            number += 1;
            bob.message(ALICE, &number.to_string());
        }
        let resumed = alice.wait_for("session_resumed", |_| true);
        assert_eq!(resumed["address"], session["address"]);
    }
    alice.message(BOB, "the end");
    bob.wait_for("message", |message| says(message, "the end"));
    alice.wait_for("message", |message| says(message, &number.to_string()));

    let texts = |client: &Slixmpp| -> Vec<String> {
        let messages = client.messages();
        let texts = messages.iter().map(|message| message["text"].as_str());
        texts.map(|text| text.unwrap().to_owned()).collect()
    };
    let all = (1..=number).map(|number| number.to_string());
    assert_eq!(texts(&alice), all.collect::<Vec<_>>());
    let halves = (0..5).flat_map(|part| part * 40 + 1..=part * 40 + 20);
    let mut halves: Vec<_> = halves.map(|number| number.to_string()).collect();
    halves.push("the end".to_owned());
    assert_eq!(texts(&bob), halves);
    alice.quit();
    bob.quit();
}

/// XEP-0030, XEP-0092, XEP-0199, XEP-0202
#[test]
fn the_server_says_what_it_is_and_can_do_and_what_time_it_is() {
    let anser = server();
    let (mut alice, _) = Slixmpp::log_in(&anser, ALICE, Tls::Direct, &[]);
    let info = alice.ask("info", "localhost");
    assert_eq!(info["identities"], json!([["server", "im", null, "Anser"]]));
    let features = info["features"].as_array().unwrap();
    for feature in [
        "http://jabber.org/protocol/disco#info",
        "http://jabber.org/protocol/disco#items",
        "jabber:iq:version",
        "urn:xmpp:ping",
        "urn:xmpp:time",
        "msgoffline",
    ] {
        assert!(features.contains(&feature.into()), "{feature} {info}");
    }
    let own = alice.ask("info", ALICE);
    assert_eq!(own["identities"][0][0], "account");
    assert_eq!(own["identities"][0][1], "registered");
    let rooms = json!([["rooms.localhost", null, "Rooms"]]);
    assert_eq!(alice.ask("items", "localhost")["items"], rooms);
    assert_eq!(alice.ask("ping", "localhost")["error"], Value::Null);
    let version = alice.ask("version", "localhost");
    assert_eq!(version["name"], "Anser");
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    let time = alice.ask("time", "localhost");
    assert!(time["utc"].as_str().unwrap().ends_with('Z'), "{time}");
    // Whether somebody exists is none of a stranger's business.
    for stranger in [BOB, "nobody@localhost"] {
        let answer = alice.ask("info", stranger);
        assert_eq!(answer["error"], "service-unavailable");
    }
    alice.quit();
}

/// XEP-0199 §4.1
#[test]
fn clients_of_contacts_answer_each_other_through_the_server() {
    let anser = server();
    let (mut alice, _) = Slixmpp::log_in(&anser, ALICE, Tls::Direct, &[]);
    let bob = Profanity::log_in(&anser, BOB, Tls::Direct);
    let answer = alice.ask("version", "bob@localhost/profanity");
    assert_eq!(answer["name"], "Profanity", "{answer}");
    bob.quit();
    let answer = alice.ask("version", "bob@localhost/profanity");
    assert_eq!(answer["error"], "service-unavailable");
    alice.quit();
}

/// RFC 6120 §13.7.1.2
#[test]
fn go_sendxmpp_does_not_believe_a_server_of_another_authority() {
    let (anser, other) = (server(), Anser::start());
    for tls in Tls::ALL {
        let text = "never said\n";
        let sent = GoSendxmpp::send_trusting(&other.authority(), &anser, ALICE, tls, BOB, text);
        assert!(!sent.status.success());
        assert!(sent.errors.contains("unknown authority"), "{sent:?}");
    }
}

/// RFC 6120 §5, RFC 6121 §5, XEP-0368: it knows no SCRAM and logs in with PLAIN.
#[test]
fn go_sendxmpp_sends_to_somebody_who_is_there_and_to_somebody_who_is_not() {
    let anser = server();
    for tls in Tls::ALL {
        let sent = GoSendxmpp::send(&anser, ALICE, tls, BOB, "while you were out\n");
        assert!(sent.status.success(), "{sent:?}");
        let mut bob = bob(&anser);
        let late = bob.wait_for("message", |message| is_from(message, ALICE));
        assert!(says(&late, "while you were out"), "{late}");
        assert_ne!(late["delay"], Value::Null);
        let sent = GoSendxmpp::send(&anser, ALICE, tls, BOB, "now that you are here\n");
        assert!(sent.status.success(), "{sent:?}");
        let prompt = bob.wait_for("message", |message| says(message, "now that you are here"));
        assert!(is_from(&prompt, ALICE));
        assert_eq!(prompt["delay"], Value::Null);
        bob.quit();
    }
}

/// RFC 6121 §5: the other way.
#[test]
fn go_sendxmpp_hears_what_is_said_to_it() {
    let anser = server();
    for tls in Tls::ALL {
        let (mut alice, _) = Slixmpp::log_in(&anser, ALICE, Tls::Direct, &[]);
        let bob = GoSendxmpp::listen(&anser, BOB, tls);
        alice.message(BOB, "hello, whoever listens");
        bob.output().wait_for("hello, whoever listens");
        alice.quit();
    }
}
