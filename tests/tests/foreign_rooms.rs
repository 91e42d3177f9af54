//! People meet in rooms with clients nobody here wrote: slixmpp from PyPI,
//! profanity, mcabber and poezio from Debian. What counts is what these show.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_tests::foreign::{Mcabber, Poezio, Profanity, Slixmpp, Tls};
use anser_tests::program::Anser;
use serde_json::{Value, json};

const DEN: &str = "den@rooms.localhost";

/// What each of the three calls herself in the room, and in the accounts.
const ALICE: &str = "alice@localhost";
const BOB: &str = "bob@localhost";
const CAROL: &str = "carol@localhost";

/// Alice with slixmpp, who owns the room, Bob with profanity and Carol with
/// mcabber.
struct Den {
    alice: Slixmpp,
    bob: Profanity,
    carol: Mcabber,
    _anser: Anser,
}

impl Den {
    /// Alice makes the room, sets these fields of its configuration, and says
    /// something; then Bob and Carol enter.
    fn open(fields: Value) -> Self {
        let anser = Anser::start();
        for account in [ALICE, BOB, CAROL] {
            anser.add_user(account, "secret");
        }
        let (mut alice, _) = Slixmpp::log_in(&anser, ALICE, Tls::Direct, &[]);
        let joined = join(&mut alice, "alice");
        // XEP-0045 §10.1.1: it is new, and locked until it is configured.
        assert_eq!(joined["status"], json!([110, 201]), "{joined}");
        assert_eq!(joined["subject"], "");
        let mut configuration = fields;
        configuration["room"] = DEN.into();
        govern(&mut alice, "configure", configuration);
        alice.tell("subject", json!({ "room": DEN, "text": "On badgers" }));
        say(&mut alice, "first of all");
        heard(&mut alice, "alice", "first of all");

        let bob = Profanity::log_in(&anser, BOB, Tls::Starttls);
        let carol = Mcabber::log_in(&anser, CAROL, Tls::Starttls);
        let mut den = Self {
            alice,
            bob,
            carol,
            _anser: anser,
        };
        // It keeps comings and goings to itself otherwise.
        den.bob.type_line("/presence room all");
        den.bob.type_line(&format!("/join {DEN} nick bob"));
        den.bob.shows(&["You have joined the room as bob"]);
        den.carol_enters();
        den.sees("carol", |occupant| occupant["is_there"] == true);
        den
    }

    fn carol_enters(&mut self) {
        self.carol.type_line(&format!("/room join {DEN} carol"));
        self.carol.shows(&["You have joined", DEN, "carol"]);
        // Her next commands are about the room.
        self.carol.type_line("/roster search den");
        self.carol.shows(&["Room: den@"]);
        // What is in the room is shown to whoever is about to say something.
        self.carol.type_line("");
    }

    /// Waits until Alice is told something of an occupant.
    fn sees(&mut self, nick: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let address = format!("{DEN}/{nick}");
        self.alice.wait_for("occupant", |occupant| {
            occupant["occupant"] == address && is_wanted(occupant)
        })
    }

    /// Waits until all three show that somebody has said something.
    fn all_hear(&mut self, nick: &str, text: &str) {
        heard(&mut self.alice, nick, text);
        self.bob.shows(&[&format!("{nick}: {text}")]);
        self.carol.shows(&[&format!("<{nick}> {text}")]);
    }

    fn close(self) {
        self.alice.quit();
        self.bob.quit();
        self.carol.quit();
    }
}

/// Has slixmpp enter, and gives what it was told.
fn join(client: &mut Slixmpp, nick: &str) -> Value {
    client.tell("join", json!({ "room": DEN, "nick": nick }));
    client.wait_for("joined", |_| true)
}

fn say(client: &mut Slixmpp, text: &str) {
    let message = json!({ "to": DEN, "text": text, "type": "groupchat" });
    client.tell("message", message);
}

fn heard(client: &mut Slixmpp, nick: &str, text: &str) {
    let sender = format!("{DEN}/{nick}");
    client.wait_for("message", |message| {
        message["sender"] == sender && message["text"] == text && message["type"] == "groupchat"
    });
}

/// Has slixmpp change something of the room.
fn govern(client: &mut Slixmpp, what: &str, mut details: Value) {
    details["room"] = DEN.into();
    client.tell(what, details);
    let answer = client.wait_for("governed", |_| true);
    assert_eq!(answer["error"], Value::Null);
}

/// XEP-0045 §7.2, §7.4, §8.1
#[test]
fn whoever_enters_is_told_who_is_there_what_was_said_and_the_topic() {
    let mut den = Den::open(json!({}));
    den.bob.shows(&["alice: first of all"]);
    den.bob.shows(&["set the room subject: On badgers"]);
    den.carol.shows(&["bob has joined"]);
    den.carol.shows(&["<alice> first of all"]);
    den.carol.shows(&["Room: den@", "On badgers"]);
    den.sees("bob", |bob| {
        bob["affiliation"] == "none" && bob["role"] == "participant"
    });

    say(&mut den.alice, "I say, Grüße, 鸿雁 & <friends>");
    den.all_hear("alice", "I say, Grüße, 鸿雁 & <friends>");
    den.bob.type_line("profanity says");
    den.all_hear("bob", "profanity says");
    den.carol.type_line("mcabber says");
    den.all_hear("carol", "mcabber says");

    // The topic is the owner's to set until she shares it.
    govern(
        &mut den.alice,
        "configure",
        json!({ "changesubject": true }),
    );
    den.bob.type_line("/subject set On moles");
    den.bob.shows(&["bob has set the room subject: On moles"]);
    den.carol.shows(&["bob has set the topic to: On moles"]);
    den.alice
        .wait_for("subject", |subject| subject["subject"] == "On moles");

    // Leaving and coming back shows all of it, to slixmpp now.
    den.alice
        .tell("leave", json!({ "room": DEN, "nick": "alice" }));
    den.bob.shows(&["alice has left the room"]);
    den.carol.shows(&["alice has left"]);
    let joined = join(&mut den.alice, "alice");
    assert_eq!(joined["subject"], "On moles");
    assert_eq!(joined["others"], json!(["bob", "carol"]));
    let history = joined["history"].as_array().unwrap();
    let past: Vec<_> = history.iter().map(|message| &message["text"]).collect();
    let said = [
        "first of all",
        "I say, Grüße, 鸿雁 & <friends>",
        "profanity says",
        "mcabber says",
    ];
    assert_eq!(past, said);
    den.carol.type_line("/room leave");
    den.carol.shows(&["You have left", DEN]);
    den.bob.shows(&["carol has left the room"]);
    den.sees("carol", |carol| carol["is_there"] == false);
    den.bob.type_line("/close");
    den.sees("bob", |bob| bob["is_there"] == false);
    den.close();
}

/// XEP-0045 §7.6, §7.5
#[test]
fn names_change_before_everybody_and_a_whisper_reaches_one() {
    let mut den = Den::open(json!({}));
    den.alice
        .tell("nick", json!({ "room": DEN, "nick": "alicia" }));
    den.bob.shows(&["alice is now known as alicia"]);
    den.carol.shows(&["alice is now known as alicia"]);
    den.bob.type_line("/nick robert");
    den.carol.shows(&["bob is now known as robert"]);
    let bob = den.sees("bob", |bob| bob["is_there"] == false);
    assert_eq!(bob["status"], json!([303]));
    assert_eq!(bob["new_nick"], "robert");
    den.carol.type_line("/room nick caroline");
    den.bob.shows(&["carol is now known as caroline"]);
    den.sees("caroline", |carol| carol["is_there"] == true);

    den.alice
        .message(&format!("{DEN}/robert"), "from alice to bob");
    den.bob.wait_for(&["<message", "from alice to bob"]);
    den.bob.type_line(&format!("/win {DEN}/alicia"));
    den.bob.shows(&["alicia: from alice to bob"]);
    den.bob.type_line(&format!("/win {DEN}"));
    den.bob.type_line("/msg caroline from bob to carol");
    den.carol.shows(&["PRIV#<robert> from bob to carol"]);
    den.carol
        .type_line("/room privmsg alicia from carol to alice");
    let whisper = den
        .alice
        .wait_for("message", |message| message["type"] == "chat");
    assert_eq!(whisper["sender"], format!("{DEN}/caroline"));
    assert_eq!(whisper["text"], "from carol to alice");
    den.close();
}

/// XEP-0045 §7.13, §8.3, §8.4
#[test]
fn voice_is_given_and_taken_in_a_moderated_room() {
    let mut den = Den::open(json!({ "moderatedroom": true }));
    den.bob
        .shows(&["You have joined the room as bob", "role: visitor"]);
    den.bob.type_line("may I speak");
    den.bob.shows(&["Error"]);
    den.carol.type_line("may I");
    den.carol.shows(&["Error message from server"]);

    for nick in ["bob", "carol"] {
        let role = json!({ "nick": nick, "role": "participant", "reason": "speak" });
        govern(&mut den.alice, "role", role);
    }
    den.bob.shows(&[
        "Your role has been changed to: participant",
        "by: alice",
        "speak",
    ]);
    den.bob
        .shows(&["carol's role has been changed to: participant"]);
    den.bob.type_line("now I can");
    den.all_hear("bob", "now I can");
    den.carol.type_line("and so can I");
    den.all_hear("carol", "and so can I");

    let role = json!({ "nick": "bob", "role": "visitor", "reason": "enough" });
    govern(&mut den.alice, "role", role);
    den.bob
        .shows(&["Your role has been changed to: visitor", "enough"]);

    // A moderator with another client does the same.
    let admin = json!({ "address": BOB, "affiliation": "admin" });
    govern(&mut den.alice, "affiliation", admin);
    den.bob.shows(&[
        "Your role and affiliation have been changed",
        "role: moderator",
        "affiliation: admin",
    ]);
    den.bob.type_line("/role set visitor carol for now");
    den.sees("carol", |carol| carol["role"] == "visitor");
    den.close();
}

/// XEP-0045 §8.2, §9.1
#[test]
fn whoever_is_kicked_may_come_back_and_whoever_is_banned_may_not() {
    let mut den = Den::open(json!({}));
    let admin = json!({ "address": BOB, "affiliation": "admin" });
    govern(&mut den.alice, "affiliation", admin);
    den.bob.shows(&["affiliation: admin"]);

    den.bob.type_line("/kick carol no digging");
    den.carol
        .shows(&["You have been kicked from", DEN, "by bob"]);
    den.carol.shows(&["Reason: no digging"]);
    let carol = den.sees("carol", |carol| carol["is_there"] == false);
    assert_eq!(carol["status"], json!([307]));
    den.carol_enters();
    den.sees("carol", |carol| carol["is_there"] == true);

    den.bob.type_line("/ban carol@localhost no burrowing");
    den.carol
        .shows(&["You have been banned from", DEN, "by bob"]);
    den.carol.shows(&["Reason: no burrowing"]);
    let carol = den.sees("carol", |carol| carol["is_there"] == false);
    assert_eq!(carol["status"], json!([301]));
    assert_eq!(carol["reason"], "no burrowing");
    den.carol.type_line(&format!("/room join {DEN} carol"));
    den.carol
        .shows(&["Received error packet [forbidden] from", DEN]);

    // And profanity, by the owner with slixmpp.
    let ban = json!({ "address": BOB, "affiliation": "outcast", "reason": "both" });
    govern(&mut den.alice, "affiliation", ban);
    den.bob.shows(&["Banned from", DEN, "by alice", "both"]);
    den.bob.type_line(&format!("/join {DEN} nick bob"));
    den.bob.shows(&["Error joining room", DEN, "forbidden"]);
    // Nobody is there but her.
    den.alice
        .tell("leave", json!({ "room": DEN, "nick": "alice" }));
    den.sees("alice", |alice| alice["is_there"] == false);
    let joined = join(&mut den.alice, "alice");
    assert_eq!(joined["others"], json!([]));

    // It has understood what was refused, and so can ask again.
    let pardon = json!({ "address": BOB, "affiliation": "none" });
    govern(&mut den.alice, "affiliation", pardon);
    den.bob.type_line(&format!("/join {DEN} nick mole"));
    den.sees("mole", |mole| mole["is_there"] == true);
    den.close();
}

/// RFC 6120 §6.4.5: Debian's poezio binds to what TLS 1.3 does not have, with
/// one mechanism after the other, before it takes one that goes.
#[test]
fn poezio_logs_in_after_what_does_not_go_and_talks_in_a_room() {
    let anser = Anser::start();
    for account in [ALICE, BOB] {
        anser.add_user(account, "secret");
    }
    let (mut alice, _) = Slixmpp::log_in(&anser, ALICE, Tls::Direct, &[]);
    join(&mut alice, "alice");
    govern(&mut alice, "configure", json!({ "room": DEN }));
    let mut bob = Poezio::log_in(&anser, BOB, &format!("{DEN}/bob"));
    bob.next_tab(&[&format!("[{DEN}]"), "bob (participant)"]);
    bob.type_line("Grüße an alle");
    heard(&mut alice, "bob", "Grüße an alle");
    say(&mut alice, "the same to you");
    bob.shows(&["alice> the same to you"]);
    bob.quit();
    alice.quit();
}
