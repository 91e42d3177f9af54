//! A store without room (RFC 6120 §8.3.3.18): what cannot be
//! kept is refused, nothing acknowledged is lost, and service resumes when there
//! is room.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_tests::client::{Client, error_of};
use anser_tests::program::Anser;
use anser_xml::Element;
use std::collections::BTreeSet;
use std::fs;
use tempfile::TempDir;

const ALICE: &str = "alice@localhost";
const BOB: &str = "bob@localhost";

/// More than a database needs to be one, and soon full.
const SMALL_MEGABYTES: u32 = 2;
/// Enough for whatever happens here.
const LARGE_MEGABYTES: u32 = 50;

/// A server with a limit, and the folder with its configuration.
fn server(limit_megabytes: u32) -> (Anser, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    set_limit(&folder, limit_megabytes);
    let file = folder.path().join("anser.toml");
    let arguments = [
        "--config",
        file.to_str().unwrap(),
        "--allow-plaintext-login",
    ];
    let anser = Anser::start_with(&arguments);
    anser.add_user(ALICE, "secret");
    anser.add_user(BOB, "secret");
    (anser, folder)
}

fn set_limit(folder: &TempDir, megabytes: u32) {
    let text = format!("[store]\nlimit_megabytes = {megabytes}\n");
    fs::write(folder.path().join("anser.toml"), text).unwrap();
}

fn reload(anser: &Anser) {
    let log = &anser.process().log;
    let before = log.count();
    anser.process().signal("HUP");
    log.find("the reload", before, |line| {
        line.contains("the configuration was read again")
            .then_some(())
    });
}

fn log_in(anser: &Anser, account: &str) -> Client {
    Client::log_in(&anser.plain(), account, "secret").unwrap()
}

/// Somebody who writes to Bob, with stream management.
struct Sender {
    client: Client,
    /// Stanzas so far.
    stanzas: u32,
    /// How many stanzas there were after each message.
    messages: Vec<u32>,
    acknowledged: u32,
    refused: BTreeSet<usize>,
    /// Refused after they had been acknowledged.
    refused_late: u32,
}

impl Sender {
    fn log_in(anser: &Anser) -> Self {
        let mut client = log_in(anser, ALICE);
        client.enable_management(false).unwrap();
        Self {
            client,
            stanzas: 0,
            messages: Vec::new(),
            acknowledged: 0,
            refused: BTreeSet::new(),
            refused_late: 0,
        }
    }

    /// Sends messages of this size until some dozens were refused.
    fn fill(&mut self, bytes: usize) {
        let before = self.refused.len();
        while self.refused.len() < before + 30 {
            assert!(self.messages.len() < 10_000, "the limit is none");
            self.send(10, bytes);
        }
    }

    /// Sends messages, and waits until the server has said what has become of
    /// them.
    fn send(&mut self, count: usize, bytes: usize) {
        let text = "x".repeat(bytes);
        for _ in 0..count {
            let number = self.messages.len();
            self.say(&format!(
                "<message to='{BOB}' type='chat' id='{number}'><body>{text}</body></message>"
            ));
            self.messages.push(self.stanzas);
        }
        self.client.ask().unwrap();
        while self.acknowledged < self.stanzas {
            self.hear();
        }
        self.say("<iq type='get' id='ping'><ping xmlns='urn:xmpp:ping'/></iq>");
        while self.hear() != "iq" {}
    }

    fn say(&mut self, stanza: &str) {
        self.stanzas += 1;
        self.client.send(stanza).unwrap();
    }

    fn hear(&mut self) -> String {
        let heard = self.client.next().unwrap();
        match heard.name() {
            "a" => self.acknowledged = heard.attribute("h").unwrap().parse().unwrap(),
            "r" => self.client.acknowledge().unwrap(),
            "message" => self.note_refusal(&heard),
            _ => {}
        }
        heard.name().to_owned()
    }

    fn note_refusal(&mut self, refusal: &Element) {
        assert_refused_for_now(refusal);
        let number = refusal.attribute("id").unwrap().parse().unwrap();
        assert!(self.refused.insert(number), "{number} was refused twice");
        self.refused_late += u32::from(self.messages[number] <= self.acknowledged);
    }

    /// What has to be there, in order: all that was acknowledged and not refused.
    fn kept(&self) -> Vec<usize> {
        let all = 0..self.messages.len();
        all.filter(|number| !self.refused.contains(number))
            .collect()
    }
}

fn assert_refused_for_now(stanza: &Element) {
    assert_eq!(error_of(stanza).as_deref(), Some("resource-constraint"));
    let error = stanza.child("jabber:client", "error").unwrap();
    assert_eq!(error.attribute("type").as_deref(), Some("wait"));
}

/// What waits for Bob, by the ids that Alice gave it.
fn waiting(anser: &Anser) -> Vec<usize> {
    let mut bob = log_in(anser, BOB);
    bob.send("<presence/>").unwrap();
    let stanzas = bob.catch_up().unwrap();
    bob.close().unwrap();
    let messages = stanzas.iter().filter(|stanza| stanza.name() == "message");
    let id = |message: &Element| message.attribute("id").unwrap().parse().unwrap();
    messages.map(id).collect()
}

#[test]
fn a_full_store_refuses_messages_and_keeps_what_it_has_acknowledged() {
    let (mut anser, folder) = server(SMALL_MEGABYTES);
    let mut alice = Sender::log_in(&anser);
    alice.fill(8000);
    // What is small may still find a place, and is kept then.
    alice.fill(10);

    set_limit(&folder, LARGE_MEGABYTES);
    reload(&anser);
    let refused = alice.refused.len();
    alice.send(100, 8000);
    assert_eq!(alice.refused.len(), refused, "there is room");

    anser.restart();
    assert_eq!(waiting(&anser), alice.kept());
}

#[test]
fn what_needs_no_room_goes_on_while_the_store_is_full() {
    let (anser, _folder) = server(SMALL_MEGABYTES);
    let mut alice = Sender::log_in(&anser);
    alice.fill(8000);
    alice.fill(10);

    // People come, see each other, and read what waits for them.
    assert_eq!(waiting(&anser), alice.kept());
    let mut bob = log_in(&anser, BOB);
    bob.send("<presence/>").unwrap();
    let (from, to) = (alice.client.address().to_owned(), bob.address().to_owned());
    let presence = format!("<presence to='{to}'><status>hello</status></presence>");
    alice.client.send(&presence).unwrap();
    let is_hers = |stanza: &Element| stanza.attribute("from").as_deref() == Some(&from);
    let presence = bob.wait_for(is_hers).unwrap();
    assert_eq!(presence.name(), "presence");
    // What nobody keeps needs no room.
    let typing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
    let message = format!("<message to='{to}' type='chat'>{typing}</message>");
    alice.client.send(&message).unwrap();
    let message = bob.wait_for(is_hers).unwrap();
    assert_eq!(message.name(), "message");
}

#[test]
fn changes_that_need_room_are_refused_while_the_store_is_full() {
    let (anser, folder) = server(SMALL_MEGABYTES);
    let mut alice = Sender::log_in(&anser);
    alice.fill(8000);
    alice.fill(10);

    // A page may have a little room left for what is small.
    let name = "n".repeat(1000);
    let mut bob = log_in(&anser, BOB);
    let mut set_contact = |number: u32| {
        let query = format!(
            "<query xmlns='jabber:iq:roster'><item jid='c{number}@localhost' name='{name}'/></query>"
        );
        bob.send(&format!("<iq type='set' id='{number}'>{query}</iq>"))
            .unwrap();
        let id = number.to_string();
        let is_answer = |stanza: &Element| stanza.attribute("id").as_deref() == Some(&id);
        bob.wait_for(is_answer).unwrap()
    };
    let mut answers = (0..100).map(&mut set_contact);
    let refusal = answers.find(|answer| error_of(answer).is_some());
    assert_refused_for_now(&refusal.unwrap());
    let add = |number: u32| {
        let address = format!("user{number}@localhost");
        anser.command(&["user", "add", &address, "--password-stdin"], "secret")
    };
    let refusal = (0..20)
        .map(add)
        .find(|ended| !ended.status.success())
        .unwrap();
    assert_eq!(refusal.code(), 1);
    assert!(refusal.errors.contains("no room left"), "{refusal:?}");

    set_limit(&folder, LARGE_MEGABYTES);
    reload(&anser);
    assert_eq!(error_of(&set_contact(100)), None);
    anser.add_user("carol@localhost", "secret");
}

#[test]
fn a_store_that_is_larger_than_its_limit_is_full_and_can_be_read() {
    let (anser, folder) = server(LARGE_MEGABYTES);
    let mut alice = Sender::log_in(&anser);
    alice.send(400, 8000);
    assert!(alice.refused.is_empty());
    set_limit(&folder, SMALL_MEGABYTES);
    reload(&anser);
    alice.fill(8000);

    let file = folder.path().join("anser.toml");
    let arguments = [
        "--config",
        file.to_str().unwrap(),
        "--allow-plaintext-login",
    ];
    let anser = Anser::start_in(anser.stop(), &arguments);
    Sender::log_in(&anser).fill(8000);
    assert_eq!(waiting(&anser), alice.kept());
}
/// Acknowledged means durable: what is refused is said to be so
/// before it is counted as handled.
#[test]
fn a_refusal_comes_before_the_acknowledgement_that_counts_the_message() {
    let (anser, _folder) = server(SMALL_MEGABYTES);
    let mut alice = Sender::log_in(&anser);
    alice.fill(8000);
    assert_eq!(alice.refused_late, 0);
}
