//! Message archives (XEP-0313), what goes into them (XEP-0441), and messages
//! that are taken back (XEP-0424).
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_hub::AccountsConfig;
use anser_jid::BareJid;
use anser_store::{MessageId, Page, View};
use anser_tests::script::Script;
use anser_tests::world::World;
use anser_xml::Element;
use anser_xmpp::XmppConfig;
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

/// XEP-0313 §4, §4.3, XEP-0059 §2.2 and §2.3
#[test]
fn an_archive_is_paged_through_in_both_directions_to_the_end_and_beyond() {
    let mut script = told(7);
    let all = ask(&mut script, "bob", "");
    assert_eq!(all.texts(), ["0", "1", "2", "3", "4", "5", "6"]);
    assert!(all.is_complete());
    let mut page = ask(&mut script, "bob", &set("<max>3</max>"));
    for (texts, is_complete) in [
        (["0", "1", "2"].as_slice(), false),
        (&["3", "4", "5"], false),
        (&["6"], true),
    ] {
        assert_eq!(page.texts(), texts);
        assert_eq!(page.is_complete(), is_complete);
        let (first, last) = page.ends().unwrap();
        assert_eq!(
            (first.as_str(), last.as_str()),
            (page.id(0), page.id(texts.len() - 1))
        );
        page = ask(
            &mut script,
            "bob",
            &set(&format!("<max>3</max><after>{last}</after>")),
        );
    }
    assert!(page.texts().is_empty() && page.is_complete() && page.ends().is_none());
    let mut page = ask(&mut script, "bob", &set("<max>3</max><before/>"));
    for (texts, is_complete) in [
        (["4", "5", "6"].as_slice(), false),
        (&["1", "2", "3"], false),
        (&["0"], true),
    ] {
        assert_eq!(page.texts(), texts);
        assert_eq!(page.is_complete(), is_complete);
        let (first, _) = page.ends().unwrap();
        page = ask(
            &mut script,
            "bob",
            &set(&format!("<max>3</max><before>{first}</before>")),
        );
    }
    assert!(page.texts().is_empty() && page.is_complete() && page.ends().is_none());
    let whole = ask(&mut script, "bob", &set("<max>7</max><before/>"));
    assert_eq!(whole.count().as_deref(), Some("7"));
    // XEP-0059 §2.6
    let counted = ask(&mut script, "bob", &set("<max>0</max>"));
    assert_eq!(counted.count().as_deref(), Some("7"));
    assert!(counted.texts().is_empty() && !counted.is_complete());
    // XEP-0059 §2.2: "the number of items in the full result set", from
    // wherever in it the question comes.
    let (_, last) = whole.ends().unwrap();
    for (neighbour, is_complete) in [("after", true), ("before", false)] {
        let neighbour = format!("<max>0</max><{neighbour}>{last}</{neighbour}>");
        let counted = ask(&mut script, "bob", &set(&neighbour));
        assert_eq!(counted.count().as_deref(), Some("7"));
        assert_eq!(counted.is_complete(), is_complete);
    }
}

/// XEP-0313 §4.5: only the order changes in which they are sent.
#[test]
fn a_flipped_page_is_the_same_page_with_the_last_message_first() {
    let mut script = told(5);
    let content = set("<max>3</max><before/>");
    let page = ask(&mut script, "bob", &content);
    let flipped = ask(&mut script, "bob", &format!("{content}<flip-page/>"));
    assert_eq!(flipped.texts(), ["4", "3", "2"]);
    assert_eq!(flipped.ends(), page.ends());
}

/// XEP-0313 §4.1.1, §4.1.2, §4.1.3
#[test]
fn an_archive_is_filtered_by_address_time_and_id() {
    let mut script = told(4);
    script.appear("carol", "bob@example.org/laptop");
    script.send(
        "carol",
        "<message to='alice@example.org' type='chat'><body>laptop</body></message>\
         <message to='bob@example.org' type='chat'><body>note</body></message>",
    );
    for actor in ["alice", "bob", "carol"] {
        script.forget(actor);
    }
    let all = ask(&mut script, "bob", "");
    let (second, fourth) = (all.id(1), all.id(3));
    for (fields, texts) in [
        (
            [("with", "alice@example.org")].as_slice(),
            ["0", "1", "2", "3", "laptop"].as_slice(),
        ),
        (
            &[("with", "alice@example.org/phone")],
            &["0", "1", "2", "3"],
        ),
        (&[("with", "alice@example.org/laptop")], &[]),
        (&[("with", "bob@example.org")], &["note"]),
        (&[("with", "bob@example.org/laptop")], &["laptop", "note"]),
        (&[("with", "carol@example.org")], &[]),
        (
            &[("start", "2026-11-20T00:00:03Z")],
            &["2", "3", "laptop", "note"],
        ),
        (&[("end", "2026-11-20T01:00:02+01:00")], &["0", "1"]),
        (
            &[
                ("start", "2026-11-20T00:00:02Z"),
                ("end", "2026-11-20T00:00:03.000Z"),
            ],
            &["1", "2"],
        ),
        (&[("after-id", second), ("before-id", fourth)], &["2"]),
        (
            &[("after-id", second), ("with", "bob@example.org")],
            &["note"],
        ),
        (&[("ids", second)], &["1"]),
        (
            &[("include-groupchat", "true"), ("before-id", second)],
            &["0"],
        ),
    ] {
        let answer = ask(&mut script, "bob", &form(fields));
        assert_eq!(answer.texts(), texts, "{fields:?}");
        assert!(answer.is_complete());
    }
    let many = format!(
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>{MAM}</value></field>\
         <field var='ids'><value>{fourth}</value><value>{second}</value></field></x>"
    );
    assert_eq!(ask(&mut script, "bob", &many).texts(), ["1", "3"]);
}

/// XEP-0313 §4.1.3, §4.3: also an id that somebody else's archive has.
#[test]
fn an_id_that_is_not_in_the_archive_is_not_found() {
    let mut script = Script::new(&["alice", "bob", "carol"]);
    for user in ["alice", "bob", "carol"] {
        script.appear(user, &format!("{user}@example.org/phone"));
    }
    tell(&mut script, 0..2);
    let id = ask(&mut script, "bob", "").id(0).to_owned();
    let never = "06f5a1b2c3d4e5f6";
    for (actor, id) in [("bob", never), ("bob", "09af3-cc343-b409f"), ("carol", &id)] {
        for content in [
            form(&[("after-id", id)]),
            form(&[("before-id", id)]),
            form(&[("ids", id)]),
            set(&format!("<after>{id}</after>")),
            set(&format!("<before>{id}</before>")),
        ] {
            let answer = ask(&mut script, actor, &content);
            assert_eq!(condition(&answer), "item-not-found", "{content}");
        }
    }
}

/// XEP-0313 §4.1.5
#[test]
fn a_question_that_is_not_understood_is_not_guessed() {
    let mut script = told(1);
    for (content, expected) in [
        (form(&[("{urn:x}text", "x")]), "feature-not-implemented"),
        (form(&[("with", "@")]), "bad-request"),
        (form(&[("start", "yesterday")]), "bad-request"),
        (form(&[("end", "")]), "bad-request"),
        (set("<max>many</max>"), "bad-request"),
        (set("<before/><after>x</after>"), "bad-request"),
        (set("<index>3</index>"), "feature-not-implemented"),
    ] {
        let answer = ask(&mut script, "bob", &content);
        assert_eq!(condition(&answer), expected, "{content}");
    }
    let too_many: String = (0..251)
        .map(|number| format!("<value>{number:016x}</value>"))
        .collect();
    let answer = ask(
        &mut script,
        "bob",
        &form(&[]).replace("</x>", &format!("<field var='ids'>{too_many}</field></x>")),
    );
    assert_eq!(condition(&answer), "policy-violation");
}

/// XEP-0313 §4.1.5, §5, §7
#[test]
fn an_archive_says_what_it_can_do_and_where_it_begins_and_ends() {
    let mut script = two();
    script.play(&format!(
        "
        bob C: <iq type='get' id='d' to='bob@example.org'>
            <query xmlns='http://jabber.org/protocol/disco#info'/></iq>
        bob S: <iq type='result' id='d'><query xmlns='http://jabber.org/protocol/disco#info'>
            <feature var='urn:xmpp:mam:2'/><feature var='urn:xmpp:mam:2#extended'/>
            <feature var='urn:xmpp:mam:2#groupchat-field'/>
            <feature var='http://jabber.org/protocol/rsm'/>
            <feature var='urn:xmpp:message-retract:1'/>
            <feature var='urn:xmpp:message-retract:1#tombstone'/></query></iq>
        bob C: <iq type='get' id='f'><query xmlns='{MAM}'/></iq>
        bob S: <iq type='result' id='f'><query xmlns='{MAM}'><x xmlns='jabber:x:data' type='form'>
            <field var='FORM_TYPE' type='hidden'><value>{MAM}</value></field>
            <field var='with' type='jid-single'/><field var='ids' type='list-multi'>
            <validate xmlns='http://jabber.org/protocol/xdata-validate'><open/></validate>
            </field></x></query></iq>
        bob C: <iq type='get' id='m'><metadata xmlns='{MAM}'/></iq>
        "
    ));
    let empty = script.receive("bob");
    let metadata = empty.child(MAM, "metadata").unwrap();
    assert_eq!(metadata.children().count(), 0);
    tell(&mut script, 0..3);
    let all = ask(&mut script, "bob", "");
    script.play(&format!(
        "
        bob C: <iq type='get' id='m' to='bob@example.org'><metadata xmlns='{MAM}'/></iq>
        bob S: <iq type='result' id='m'><metadata xmlns='{MAM}'>
            <start id='{}' timestamp='2026-11-20T00:00:01.000Z'/>
            <end id='{}' timestamp='2026-11-20T00:00:03.000Z'/></metadata></iq>
        ",
        all.id(0),
        all.id(2)
    ));
}

/// XEP-0313 §8.1: and nobody learns whether there is such an account.
#[test]
fn an_archive_is_its_owners_alone() {
    let mut script = told(1);
    for (to, expected) in [
        ("alice@example.org", "forbidden"),
        ("nobody@example.org", "forbidden"),
        ("example.org", "service-unavailable"),
    ] {
        for (kind, question) in [
            ("set", "query"),
            ("get", "query"),
            ("get", "metadata"),
            ("get", "prefs"),
            ("set", "prefs"),
        ] {
            script.play(&format!(
                "
                bob C: <iq type='{kind}' id='q' to='{to}'><{question} xmlns='{MAM}' default='always'/></iq>
                bob S: <iq type='error' id='q' from='{to}'><error>
                    <{expected} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
                bob S: nothing
                "
            ));
        }
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

/// The id that any message came with is a place to read on from.
#[test]
fn a_message_that_is_not_in_the_archive_is_a_place_to_read_on_from() {
    let mut script = told(1);
    script.send(
        "alice",
        "<message to='bob@example.org' type='chat'><body>gone</body>\
         <no-permanent-store xmlns='urn:xmpp:hints'/></message>",
    );
    let message = script.receive("bob");
    let id = message.child("urn:xmpp:sid:0", "stanza-id").unwrap();
    let id = id.attribute("id").unwrap().into_owned();
    tell(&mut script, 1..2);
    let after = ask(&mut script, "bob", &set(&format!("<after>{id}</after>")));
    assert_eq!(after.texts(), ["1"]);
    let before = ask(&mut script, "bob", &form(&[("before-id", &id)]));
    assert_eq!(before.texts(), ["0"]);
    let itself = ask(&mut script, "bob", &form(&[("ids", &id)]));
    assert_eq!(condition(&itself), "item-not-found");
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

/// XEP-0441 §2
#[test]
fn an_account_says_whom_it_archives() {
    let mut script = Script::new(&["alice", "bob", "carol"]);
    for user in ["alice", "bob", "carol"] {
        script.appear(user, &format!("{user}@example.org/phone"));
    }
    script.play(&format!(
        "
        bob C: <iq type='get' id='p'><prefs xmlns='{MAM}'/></iq>
        bob S: <iq type='result' id='p'><prefs xmlns='{MAM}' default='always'><always/><never/>
            </prefs></iq>
        bob C: <iq type='set' id='p'><prefs xmlns='{MAM}' default='never'>
            <always><jid>alice@example.org</jid></always>
            <never><jid>Carol@example.org</jid></never></prefs></iq>
        bob S: <iq type='result' id='p'><prefs xmlns='{MAM}' default='never'>
            <always><jid>alice@example.org</jid></always>
            <never><jid>carol@example.org</jid></never></prefs></iq>
        bob C: <iq type='set' id='p'><prefs xmlns='{MAM}' default='perhaps'/></iq>
        bob S: <iq type='error' id='p'><error type='modify'>
            <bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        "
    ));
    for (from, to) in [
        ("alice", "bob"),
        ("carol", "bob"),
        ("bob", "carol"),
        ("bob", "alice"),
    ] {
        let message = format!(
            "<message to='{to}@example.org' type='chat'><body>{from} to {to}</body></message>"
        );
        script.send(from, &message);
        script.expect(
            to,
            &format!("<message><body>{from} to {to}</body></message>"),
        );
    }
    let bobs = ["alice to bob", "bob to alice"];
    assert_eq!(ask(&mut script, "bob", "").texts(), bobs);
    assert_eq!(ask(&mut script, "alice", "").texts(), bobs);
    let carols = ["carol to bob", "bob to carol"];
    assert_eq!(ask(&mut script, "carol", "").texts(), carols);
    // They are there when everybody has been gone for long.
    script.send("bob", "</stream:stream>");
    script.world.pass(Duration::from_secs(3600));
    script.world.settle();
    script.appear("again", "bob@example.org/phone");
    script.play(&format!(
        "
        again C: <iq type='get' id='p'><prefs xmlns='{MAM}'/></iq>
        again S: <iq type='result' id='p'><prefs xmlns='{MAM}' default='never'>
            <always><jid>alice@example.org</jid></always></prefs></iq>
        "
    ));
}

/// XEP-0441 §2.1.1
#[test]
fn an_account_may_archive_its_contacts_only() {
    let mut script = two();
    script.play(&format!(
        "
        bob C: <iq type='set' id='p'><prefs xmlns='{MAM}' default='roster'/></iq>
        bob S: <iq type='result' id='p'/>
        "
    ));
    tell(&mut script, 0..1);
    script.play(
        "
        bob C: <iq type='set' id='r'><query xmlns='jabber:iq:roster'>
            <item jid='alice@example.org'/></query></iq>
        ",
    );
    tell(&mut script, 1..2);
    assert_eq!(ask(&mut script, "bob", "").texts(), ["1"]);
    assert_eq!(ask(&mut script, "alice", "").texts(), ["0", "1"]);
}

#[test]
fn preferences_have_a_limit() {
    let mut script = two();
    let names: String = (0..1001)
        .map(|number| format!("<jid>user{number}@example.org</jid>"))
        .collect();
    script.play(&format!(
        "
        bob C: <iq type='set' id='p'><prefs xmlns='{MAM}' default='never'><always>{names}</always>
            </prefs></iq>
        bob S: <iq type='error' id='p'><error type='wait'>
            <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        bob C: <iq type='get' id='p'><prefs xmlns='{MAM}'/></iq>
        bob S: <iq type='result' id='p'><prefs xmlns='{MAM}' default='always'/></iq>
        "
    ));
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

fn careful(unacknowledged_stanzas: usize) -> Script {
    let config = XmppConfig {
        unacknowledged_stanzas,
        ..XmppConfig::default()
    };
    let users = ["alice", "bob"];
    let mut script = Script::in_world(World::with_config(
        1,
        &users,
        AccountsConfig::default(),
        config,
    ));
    script.appear("alice", "alice@example.org/phone");
    script.appear("bob", "bob@example.org/phone");
    tell(&mut script, 0..300);
    script.send("bob", "<enable xmlns='urn:xmpp:sm:3'/>");
    script.expect("bob", "<enabled xmlns='urn:xmpp:sm:3'/>");
    script
}

/// XEP-0198 §4: a large page waits for a client that does not acknowledge, and
/// costs nobody their stream.
#[test]
fn a_large_page_comes_as_fast_as_it_is_acknowledged() {
    let mut script = careful(30);
    let question = set("<max>250</max>");
    script.send(
        "bob",
        &format!("<iq type='set' id='q'><query xmlns='{MAM}'>{question}</query></iq>"),
    );
    let (mut received, mut texts, mut unacknowledged) = (0, Vec::new(), 0);
    loop {
        let Some(element) = script.try_receive("bob") else {
            // It waits for exactly that.
            assert!(unacknowledged > 0, "stuck after {received}");
            unacknowledged = 0;
            script.send("bob", &format!("<a xmlns='urn:xmpp:sm:3' h='{received}'/>"));
            continue;
        };
        if element.name() == "r" {
            continue;
        }
        received += 1;
        unacknowledged += 1;
        assert!(unacknowledged <= 30);
        if element.name() == "iq" {
            assert_eq!(element.attribute("type").unwrap(), "result");
            break;
        }
        texts.push(archived(&element).1);
    }
    let expected: Vec<_> = (0..250).map(|number| number.to_string()).collect();
    assert_eq!(texts, expected);
    // What is live comes too, and the stream goes on.
    script.send("bob", &format!("<a xmlns='urn:xmpp:sm:3' h='{received}'/>"));
    script.send(
        "alice",
        "<message to='bob@example.org' type='chat'><body>new</body></message>",
    );
    let message = script.receive("bob");
    let body = message.child("jabber:client", "body").unwrap();
    assert_eq!(body.text(), "new");
}

/// XEP-0198 §4: the limit is one of bytes too, and a page of large messages is
/// no exception.
#[test]
fn a_page_of_large_messages_is_under_way_a_piece_at_a_time() {
    const MOST_BYTES: usize = 300_000;
    let config = XmppConfig {
        unacknowledged_bytes: MOST_BYTES as u32,
        ..XmppConfig::default()
    };
    let users = ["alice", "bob"];
    let world = World::with_config(1, &users, AccountsConfig::default(), config);
    let mut script = Script::in_world(world);
    script.appear("alice", "alice@example.org/phone");
    script.appear("bob", "bob@example.org/phone");
    let large = "x".repeat(100_000);
    for _ in 0..30 {
        let message =
            format!("<message to='bob@example.org' type='chat'><body>{large}</body></message>");
        script.send("alice", &message);
        script.forget("bob");
    }
    script.send("bob", "<enable xmlns='urn:xmpp:sm:3'/>");
    script.expect("bob", "<enabled xmlns='urn:xmpp:sm:3'/>");
    let question = format!("<iq type='set' id='q'><query xmlns='{MAM}'/></iq>");
    script.send("bob", &question);
    let (mut received, mut bytes) = (0, 0);
    loop {
        let Some(element) = script.try_receive("bob") else {
            bytes = 0;
            script.send("bob", &format!("<a xmlns='urn:xmpp:sm:3' h='{received}'/>"));
            continue;
        };
        if element.name() == "r" {
            continue;
        }
        received += 1;
        bytes += element.raw().len();
        // The last may go beyond it.
        assert!(bytes < MOST_BYTES + large.len() + 1000, "{bytes}");
        if element.name() == "iq" {
            break;
        }
    }
    assert_eq!(received, 31);
    script.expect_open("bob");
}

/// XEP-0198 §5: the rest of an answer comes in the next connection.
#[test]
fn an_answer_goes_on_where_the_stream_does() {
    let config = XmppConfig {
        unacknowledged_stanzas: 10,
        ..XmppConfig::default()
    };
    let users = ["alice", "bob"];
    let world = World::with_config(1, &users, AccountsConfig::default(), config);
    let mut script = Script::in_world(world);
    script.appear("alice", "alice@example.org/phone");
    script.appear("bob", "bob@example.org/phone");
    tell(&mut script, 0..25);
    script.send("bob", "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    let enabled = script.receive("bob");
    let id = enabled.attribute("id").unwrap().into_owned();
    script.send(
        "bob",
        &format!("<iq type='set' id='q'><query xmlns='{MAM}'/></iq>"),
    );
    let mut texts = Vec::new();
    for _ in 0..7 {
        texts.push(archived(&script.receive("bob")).1);
    }
    script.cut("bob");
    script.authenticate("bob", "bob");
    script.send(
        "bob",
        &format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='7'/>"),
    );
    script.expect("bob", "<resumed xmlns='urn:xmpp:sm:3'/>");
    let mut received = 7;
    loop {
        let Some(element) = script.try_receive("bob") else {
            script.send("bob", &format!("<a xmlns='urn:xmpp:sm:3' h='{received}'/>"));
            continue;
        };
        match element.name() {
            "r" => continue,
            "iq" => break,
            _ => texts.push(archived(&element).1),
        }
        received += 1;
    }
    let expected: Vec<_> = (0..25).map(|number| number.to_string()).collect();
    assert_eq!(texts, expected);
}

/// Whoever logs in waits for what is not done, not for what they have written in
/// their life.
#[test]
fn what_an_account_has_written_is_not_read_when_it_logs_in() {
    let mut script = two();
    let burst = "<message to='bob@example.org' type='chat'><body>x</body></message>".repeat(100);
    for _ in 0..11 {
        script.send("alice", &burst);
    }
    script.world.pass(Duration::from_secs(1));
    script.world.settle();
    let store = script.world.store().clone();
    let (is_written, newer) = script.world.complete(async move {
        let alice = BareJid::parse("alice@example.org").unwrap();
        let read = move |view: &View<'_>| {
            let record = view.record(&alice, "inbox", "")?;
            let record = record.map(|record| String::from_utf8(record.value.to_vec()).unwrap());
            let from = record
                .as_deref()
                .and_then(|record| record.split('"').nth(3));
            let from: MessageId = from.map_or(MessageId::FIRST, |from| from.parse().unwrap());
            let page = Page {
                after: from,
                ..Page::oldest(2000)
            };
            Ok((from != MessageId::FIRST, view.places(&alice, &page)?.len()))
        };
        store.read(read).await.unwrap()
    });
    assert!(is_written);
    assert!(newer < 500, "{newer} of 1100 are read");
}

/// Questions whose answers nobody takes are bounded.
#[test]
fn whoever_asks_and_does_not_read_is_refused_further_answers() {
    let mut script = careful(30);
    for number in 0..34 {
        script.send(
            "bob",
            &format!("<iq type='set' id='q{number}'><query xmlns='{MAM}'/></iq>"),
        );
    }
    let mut refused = Vec::new();
    while let Some(element) = script.try_receive("bob") {
        if element.name() == "iq" {
            let error = element.child("jabber:client", "error").unwrap();
            let condition = "urn:ietf:params:xml:ns:xmpp-stanzas";
            assert!(error.child(condition, "resource-constraint").is_some());
            refused.push(element.attribute("id").unwrap().into_owned());
        }
    }
    assert_eq!(refused, ["q32", "q33"]);
    script.expect_open("bob");
}

fn retract(id: &str, with: &str) -> String {
    format!(
        "<message to='{with}@example.org' type='chat' id='r1'>\
         <retract xmlns='urn:xmpp:message-retract:1' id='{id}'/>\
         <fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:message-retract:1'/>\
         <body>I take it back</body></message>"
    )
}

/// XEP-0424 §4, §5
#[test]
fn a_message_that_is_taken_back_is_a_tombstone_in_both_archives() {
    let mut script = told(3);
    script.world.pass(Duration::from_secs(60));
    script.send("alice", &retract("m1", "bob"));
    script.expect(
        "bob",
        "<message id='r1'><retract xmlns='urn:xmpp:message-retract:1' id='m1'/></message>",
    );
    for actor in ["alice", "bob"] {
        let answer = ask(&mut script, actor, "");
        assert_eq!(answer.texts(), ["0", "", "2", "I take it back"]);
        let id = answer.id(1);
        let one = form(&[("ids", id)]);
        script.play(&format!(
            "
            {actor} C: <iq type='set' id='q'><query xmlns='{MAM}'>{one}</query></iq>
            {actor} S: <message><result xmlns='{MAM}' id='{id}'>
                <forwarded xmlns='urn:xmpp:forward:0'>
                <delay xmlns='urn:xmpp:delay' stamp='2026-11-20T00:00:02.000Z'/>
                <message xmlns='jabber:client' from='alice@example.org/phone' to='bob@example.org'
                    type='chat' id='m1'><retracted xmlns='urn:xmpp:message-retract:1'
                    id='r1' stamp='2026-11-20T00:01:03.000Z'/></message></forwarded></result>
                </message>
            {actor} S: <iq type='result' id='q'/>
            "
        ));
    }
}

/// XEP-0424 §5
#[test]
fn nobody_takes_back_what_another_has_said() {
    let mut script = Script::new(&["alice", "bob", "carol"]);
    for user in ["alice", "bob", "carol"] {
        script.appear(user, &format!("{user}@example.org/phone"));
    }
    tell(&mut script, 0..1);
    // The recipient, and somebody else.
    script.send("bob", &retract("m0", "alice"));
    script.send("carol", &retract("m0", "bob"));
    // The sender, but in another conversation, and not to be kept.
    script.send("alice", &retract("m0", "carol"));
    script.send(
        "alice",
        "<message to='bob@example.org' type='chat' id='r2'><body/>\
         <retract xmlns='urn:xmpp:message-retract:1' id='m0'/>\
         <no-store xmlns='urn:xmpp:hints'/></message>",
    );
    for actor in ["alice", "bob"] {
        script.forget(actor);
        assert_eq!(ask(&mut script, actor, "").texts()[0], "0");
    }
}

/// Also by another device, before the message is on the disk, and whoever was
/// away never sees it.
#[test]
fn a_message_is_taken_back_before_its_recipient_comes() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.appear("laptop", "alice@example.org/laptop");
    script.send(
        "laptop",
        "<message to='bob@example.org' type='chat' id='other'><body>other</body></message>",
    );
    script.hold_commits(true);
    script.send(
        "alice",
        &format!(
            "<message to='bob@example.org' type='chat' id='m'><body>secret</body></message>{}{}",
            retract("m", "bob"),
            retract("other", "bob").replace("r1", "r2"),
        ),
    );
    script.hold_commits(false);
    script.world.settle();
    script.log_in("bob", "bob@example.org/phone");
    script.send("bob", "<presence/>");
    script.play(
        "
        bob S: <presence/>
        bob S: <message id='other'><retracted xmlns='urn:xmpp:message-retract:1' id='r2'/></message>
        bob S: <message id='m'><retracted xmlns='urn:xmpp:message-retract:1' id='r1'/></message>
        bob S: <message id='r1'/>
        bob S: <message id='r2'/>
        bob S: nothing
        ",
    );
}

/// Looking for it ends after two thousand messages.
#[test]
fn what_was_said_long_ago_is_not_taken_back() {
    let mut script = two();
    script.send(
        "alice",
        "<message to='bob@example.org' id='old'><body>old</body></message>",
    );
    let burst = "<message to='bob@example.org' id='x'><body>x</body></message>".repeat(100);
    for _ in 0..19 {
        script.send("alice", &burst);
    }
    script.send("alice", &retract("old", "bob"));
    script.forget("bob");
    let first = set("<max>1</max>");
    assert_eq!(ask(&mut script, "bob", &first).texts(), [""]);
    script.send(
        "alice",
        "<message to='bob@example.org' id='old2'><body>old</body></message>",
    );
    for _ in 0..20 {
        script.send("alice", &burst);
    }
    script.send("alice", &retract("old2", "bob"));
    script.forget("bob");
    let after = ask(
        &mut script,
        "bob",
        &format!("{}{}", form(&[]), set("<max>1</max><before/>")),
    );
    assert_eq!(after.texts(), ["I take it back"]);
    let mut page = ask(&mut script, "bob", &set("<max>250</max>"));
    let mut texts = Vec::new();
    loop {
        texts.extend(page.texts().iter().map(|text| (*text).to_owned()));
        if page.is_complete() {
            break;
        }
        let last = page.ends().unwrap().1;
        page = ask(
            &mut script,
            "bob",
            &set(&format!("<max>250</max><after>{last}</after>")),
        );
    }
    assert_eq!(texts.len(), 1 + 1900 + 1 + 1 + 2000 + 1);
    assert_eq!(texts.iter().filter(|text| *text == "old").count(), 1);
}

/// XEP-0313 §6.1.1: what a client has read in the archive it is not given again,
/// and nothing else counts as read: not what is on other pages, and not what is
/// in no archive.
#[test]
fn a_device_is_given_what_it_has_not_read_in_the_archive() {
    let with_carol = form(&[("with", "carol@example.org")]);
    let questions = [
        (String::new(), &["unarchived"][..]),
        (set("<before/>"), &["unarchived"]),
        (set("<before/><max>1</max>"), &["first", "unarchived"]),
        (set("<max>1</max>"), &["unarchived", "second"]),
        (set("<max>0</max>"), &["first", "unarchived", "second"]),
        (with_carol, &["first", "unarchived", "second"]),
        (
            set("<after>0000000000000001</after>"),
            &["first", "unarchived", "second"],
        ),
    ];
    for (question, given) in questions {
        let mut script = Script::new(&["alice", "bob"]);
        script.appear("alice", "alice@example.org/phone");
        let passing = "<no-permanent-store xmlns='urn:xmpp:hints'/>";
        for (id, hint) in [("first", ""), ("unarchived", passing), ("second", "")] {
            let message = format!(
                "<message to='bob@example.org' type='chat' id='{id}'><body>x</body>{hint}</message>"
            );
            script.send("alice", &message);
        }
        script.log_in("bob", "bob@example.org/phone");
        let ask = format!("<iq type='set' id='q'><query xmlns='{MAM}'>{question}</query></iq>");
        script.send("bob", &ask);
        script.forget("bob");
        script.send("bob", "<presence/>");
        script.expect("bob", "<presence from='bob@example.org/phone'/>");
        for id in given {
            script.expect("bob", &format!("<message id='{id}'/>"));
        }
        script.expect_nothing("bob");
        // One device has everything now.
        script.appear("desk", "bob@example.org/desk");
        script.expect("desk", "<presence from='bob@example.org/phone'/>");
        script.expect_nothing("desk");
    }
}

/// XEP-0198 §4, XEP-0313 §6.1.1: what was sent out of the archive is read when it
/// is acknowledged.
#[test]
fn what_was_read_in_an_archive_and_not_acknowledged_waits_for_the_next_device() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    for id in ["m1", "m2"] {
        let message =
            format!("<message to='bob@example.org' type='chat' id='{id}'><body>x</body></message>");
        script.send("alice", &message);
    }
    script.log_in("bob", "bob@example.org/phone");
    script.play(
        "
        bob C: <enable xmlns='urn:xmpp:sm:3'/>
        bob S: <enabled xmlns='urn:xmpp:sm:3'/>
        bob C: <iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>
        bob S: <message><result xmlns='urn:xmpp:mam:2'/></message>
        bob S: <message><result xmlns='urn:xmpp:mam:2'/></message>
        bob S: <iq type='result' id='q'/>
        bob C: <a xmlns='urn:xmpp:sm:3' h='1'/>
        bob C: <presence/>
        bob S: <presence from='bob@example.org/phone'/>
        bob S: nothing
        ",
    );
    script.cut("bob");
    script.log_in("desk", "bob@example.org/desk");
    script.play(
        "
        desk C: <presence/>
        desk S: <presence from='bob@example.org/desk'/>
        desk S: <message id='m2'/>
        desk S: nothing
        ",
    );
}
