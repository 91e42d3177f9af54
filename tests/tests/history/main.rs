//! Message archives (XEP-0313), what goes into them (XEP-0441), and messages
//! that are taken back (XEP-0424).
//!
//! | file | about |
//! |---|---|
//! | `contents.rs` | what is in an archive, and as what |
//! | `asking.rs` | what an archive says of itself, filters, questions that are refused |
//! | `paging.rs` | an archive read a page at a time |
//! | `large_answers.rs` | answers that wait for whoever reads them |
//! | `preferences.rs` | whom an account archives |
//! | `offline.rs` | what waits for a device, and what was read in the archive |
//! | `retraction.rs` | what is taken back |
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

mod asking;
mod contents;
mod large_answers;
mod offline;
mod paging;
mod preferences;
mod retraction;

use anser_tests::script::Script;
use anser_xml::Element;
use std::time::Duration;

const MAM: &str = "urn:xmpp:mam:2";

const RSM: &str = "http://jabber.org/protocol/rsm";

/// Alice and Bob with a device each.
fn two() -> Script {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.appear("bob", "bob@example.org/phone");
    script
}

/// Alice, Bob and Carol with a device each.
fn three() -> Script {
    let users = ["alice", "bob", "carol"];
    let mut script = Script::new(&users);
    for user in users {
        script.appear(user, &format!("{user}@example.org/phone"));
    }
    script
}

/// Alice has written to Bob so many times, once a second: `0`, `1` and so on.
fn told(count: usize) -> Script {
    let mut script = two();
    tell(&mut script, 0..count);
    script
}

fn tell(script: &mut Script, numbers: std::ops::Range<usize>) {
    for number in numbers {
        script.world.pass(Duration::from_secs(1));
        let message = format!(
            "<message to='bob@example.org' type='chat' id='m{number}'><body>{number}</body></message>"
        );
        script.send("alice", &message);
    }
    for actor in ["alice", "bob"] {
        script.forget(actor);
    }
}

/// An answer out of an archive.
struct Answer {
    /// Ids and texts, in the order in which they came.
    messages: Vec<(String, String)>,
    end: Element,
}

impl Answer {
    fn texts(&self) -> Vec<&str> {
        self.messages
            .iter()
            .map(|(_, text)| text.as_str())
            .collect()
    }

    fn id(&self, number: usize) -> &str {
        &self.messages[number].0
    }

    fn fin(&self) -> Element {
        self.end.child(MAM, "fin").expect("it went well").open()
    }

    fn is_complete(&self) -> bool {
        self.fin().attribute("complete").as_deref() == Some("true")
    }

    /// The ends of the page, as the answer says.
    fn ends(&self) -> Option<(String, String)> {
        let set = self.fin().child(RSM, "set").unwrap().open();
        let text = |name| Some(set.child(RSM, name)?.text().into_owned());
        Some((text("first")?, text("last")?))
    }

    fn count(&self) -> Option<String> {
        let set = self.fin().child(RSM, "set").unwrap().open();
        Some(set.child(RSM, "count")?.text().into_owned())
    }
}

/// What an archived message says, and its id.
fn archived(message: &Element) -> (String, String) {
    let result = message.child(MAM, "result");
    let result = result
        .unwrap_or_else(|| panic!("{:?}", message.raw()))
        .open();
    let forwarded = result.child("urn:xmpp:forward:0", "forwarded").unwrap();
    let inner = forwarded.child("jabber:client", "message").unwrap();
    let body = inner.child("jabber:client", "body");
    let text = body.map_or(String::new(), |body| body.text().into_owned());
    (result.attribute("id").unwrap().into_owned(), text)
}

fn ask(script: &mut Script, actor: &str, content: &str) -> Answer {
    let question = format!("<iq type='set' id='q'><query xmlns='{MAM}'>{content}</query></iq>");
    script.send(actor, &question);
    let mut messages = Vec::new();
    loop {
        let element = script.receive(actor);
        if element.name() == "iq" {
            let end = element;
            return Answer { messages, end };
        }
        messages.push(archived(&element));
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    let fields: String = fields
        .iter()
        .map(|(name, value)| format!("<field var='{name}'><value>{value}</value></field>"))
        .collect();
    format!(
        "<x xmlns='jabber:x:data' type='submit'>\
         <field var='FORM_TYPE' type='hidden'><value>{MAM}</value></field>{fields}</x>"
    )
}

fn set(content: &str) -> String {
    format!("<set xmlns='{RSM}'>{content}</set>")
}

/// The condition of an error.
fn condition(answer: &Answer) -> String {
    assert_eq!(answer.end.attribute("type").unwrap(), "error");
    assert!(answer.messages.is_empty());
    let error = answer.end.child("jabber:client", "error").unwrap().open();
    let condition = error.children().next().unwrap();
    condition.name().to_owned()
}
