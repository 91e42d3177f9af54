//! Two devices of one account read one conversation, with slixmpp.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_tests::foreign::{Slixmpp, Tls};
use anser_tests::link::Link;
use anser_tests::program::Anser;
use serde_json::{Value, json};
use std::ops::Range;

const ALICE: &str = "alice@localhost";
const BOB: &str = "bob@localhost";

/// How often the laptop's link is cut; in as many rounds people talk.
const ROUNDS: u32 = 10;
/// When the phone is switched off.
const OFF: Range<u32> = 3..7;
/// What Bob writes in a round; each device of Alice writes two messages.
const BOBS: u32 = 20;

/// A message as a device shows it: its place in the archive, and its text.
type Shown = (String, String);

/// Has a device take messages, and copies of what the others of its account
/// send and get.
fn appear(client: &mut Slixmpp) {
    client.tell("carbons", json!({}));
    client.wait_for("carbons", |_| true);
    client.tell("presence", json!({ "status": "here" }));
    client.wait_for("presence", |presence| presence["status"] == "here");
}

fn heard(client: &mut Slixmpp, text: &str) {
    client.wait_for("message", |message| message["text"] == text);
}

fn shown(messages: &[Value]) -> Vec<Shown> {
    let part = |message: &Value, name: &str| message[name].as_str().unwrap().to_owned();
    let messages = messages.iter();
    let shown = messages.map(|message| (part(message, "stanza_id"), part(message, "text")));
    shown.collect()
}

/// What was written by one of those who write.
fn by<'a>(writer: &'a str, conversation: &'a [Shown]) -> impl Iterator<Item = &'a str> {
    let texts = conversation.iter().map(|(_, text)| text.as_str());
    texts.filter(move |text| text.starts_with(writer))
}

/// Alice, and whom she talks to.
struct Talk {
    bob: Slixmpp,
    /// Hers, over the link.
    laptop: Slixmpp,
    /// Hers, if it is on.
    phone: Option<Slixmpp>,
    link: Link,
}

impl Talk {
    /// All talk while the laptop's link is cut; everybody who is there hears
    /// all of it.
    fn round(&mut self, round: u32) {
        let bobs =
            |part: Range<u32>| part.map(move |number| format!("bob {}", round * BOBS + number));
        self.alice_writes(round * 2);
        for text in bobs(0..BOBS / 2) {
            self.bob.message(ALICE, &text);
        }
        assert_eq!(self.link.cut(), 1);
        for text in bobs(BOBS / 2..BOBS) {
            self.bob.message(ALICE, &text);
        }
        // What slixmpp is told to send before it notices, it loses itself.
        self.laptop.wait_for("session_resumed", |_| true);
        self.alice_writes(round * 2 + 1);
        let last = format!("bob {}", round * BOBS + BOBS - 1);
        heard(&mut self.laptop, &last);
        if let Some(phone) = &mut self.phone {
            heard(phone, &last);
        }
    }

    fn alice_writes(&mut self, number: u32) {
        let (laptops, phones) = (format!("laptop {number}"), format!("phone {number}"));
        self.laptop.message(BOB, &laptops);
        if let Some(phone) = &mut self.phone {
            phone.message(BOB, &phones);
            heard(phone, &laptops);
            heard(&mut self.laptop, &phones);
            heard(&mut self.bob, &phones);
        }
        heard(&mut self.bob, &laptops);
    }
}

/// XEP-0198 §5, XEP-0280, XEP-0313
#[test]
fn a_device_with_a_bad_link_and_one_that_was_away_show_the_same_conversation() {
    let anser = Anser::start();
    anser.add_user(ALICE, "secret");
    anser.add_user(BOB, "secret");
    let (mut bob, _) = Slixmpp::log_in(&anser, BOB, Tls::Direct, &[]);
    appear(&mut bob);
    let link = Link::to(anser.door("xmpp"));
    let (mut laptop, _) = Slixmpp::log_in_over(&link, &anser, ALICE, Tls::Starttls);
    appear(&mut laptop);
    let switch_on = || Slixmpp::log_in(&anser, ALICE, Tls::Direct, &["--management"]).0;
    let mut phone = switch_on();
    appear(&mut phone);

    let mut talk = Talk {
        bob,
        laptop,
        phone: Some(phone),
        link,
    };
    for round in 0..OFF.start {
        talk.round(round);
    }
    let phone = talk.phone.take().unwrap();
    let mut on_phone = shown(&phone.messages());
    phone.quit();
    for round in OFF {
        talk.round(round);
    }
    let mut phone = switch_on();
    let (last, _) = on_phone.last().unwrap();
    let missed = shown(&phone.history(Some(last)));
    appear(&mut phone);
    talk.phone = Some(phone);
    for round in OFF.end..ROUNDS {
        talk.round(round);
    }
    let Talk {
        bob,
        mut laptop,
        phone,
        link: _link,
    } = talk;
    let mut phone = phone.unwrap();
    let on_laptop = shown(&laptop.messages());
    on_phone.extend(missed.iter().cloned());
    on_phone.extend(shown(&phone.messages()));

    // What is in the archive is all that was written, once, and in the order
    // in which each has written it.
    let all = shown(&laptop.history(None));
    assert_eq!(shown(&phone.history(None)), all);
    let count = |writer, numbers: Vec<u32>| {
        let wanted: Vec<_> = numbers
            .iter()
            .map(|number| format!("{writer} {number}"))
            .collect();
        assert_eq!(by(writer, &all).collect::<Vec<_>>(), wanted);
        wanted.len()
    };
    let bobs = count("bob", (0..ROUNDS * BOBS).collect());
    assert_eq!(bobs, 200);
    let laptops = count("laptop", (0..ROUNDS * 2).collect());
    let while_on = |number: &u32| !OFF.contains(&(number / 2));
    let phones = count("phone", (0..ROUNDS * 2).filter(while_on).collect());
    assert_eq!(all.len(), bobs + laptops + phones);

    // Both have shown the same, but that nobody tells a device what it has
    // just written itself.
    let wanted = |own: &'static str| {
        let is_wanted = move |message: &&Shown| !message.1.starts_with(own);
        all.iter().filter(is_wanted).cloned().collect::<Vec<_>>()
    };
    assert_eq!(on_laptop, wanted("laptop"));
    on_phone.retain(|message| !message.1.starts_with("phone"));
    assert_eq!(on_phone, wanted("phone"));
    let rounds_off = usize::try_from(OFF.end - OFF.start).unwrap();
    let bobs_missed = by("bob", &missed).count();
    assert_eq!(bobs_missed, rounds_off * usize::try_from(BOBS).unwrap());
    assert_eq!(by("laptop", &missed).count(), rounds_off * 2);
    laptop.quit();
    phone.quit();
    bob.quit();
}
