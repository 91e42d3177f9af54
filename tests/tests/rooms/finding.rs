//! What service discovery tells of rooms.

use super::{COVEN, JOIN, configure, coven, expect_info, field};
use anser_tests::script::Script;
use std::time::Duration;

fn ask(script: &mut Script, to: &str, about: &str, content: &str) -> anser_xml::Element {
    script.send(
        "bob",
        &format!(
            "<iq type='get' id='d' to='{to}'>\
             <query xmlns='http://jabber.org/protocol/disco#{about}'>{content}</query></iq>"
        ),
    );
    let answer = script.receive("bob");
    assert_eq!(answer.attribute("id").as_deref(), Some("d"), "{answer:?}");
    answer
}

fn features(answer: &anser_xml::Element) -> Vec<String> {
    let query = answer.children().next().unwrap().open();
    let features = query.children().filter(|child| child.name() == "feature");
    features
        .map(|feature| feature.attribute("var").unwrap().into_owned())
        .collect()
}

/// XEP-0045 §6.1, §6.2
#[test]
fn the_server_names_the_service_and_the_service_what_it_can_do() {
    let mut script = coven();
    let items = ask(&mut script, "example.org", "items", "");
    assert!(format!("{items:?}").contains("jid='rooms.example.org'"));
    let info = ask(&mut script, "rooms.example.org", "info", "");
    let features = features(&info);
    for feature in [
        "http://jabber.org/protocol/muc",
        "http://jabber.org/protocol/muc#stable_id",
        "http://jabber.org/protocol/disco#items",
        "urn:xmpp:occupant-id:0",
    ] {
        assert!(features.iter().any(|found| found == feature), "{feature}");
    }
    assert!(format!("{info:?}").contains("category='conference' type='text'"));
}

/// XEP-0045 §6.4, §16.3
#[test]
fn a_room_says_what_it_is_like() {
    let mut script = coven();
    let before = features(&ask(&mut script, COVEN, "info", ""));
    let opposites = [
        ("muc_public", "muc_hidden", "publicroom", "0"),
        ("muc_open", "muc_membersonly", "membersonly", "1"),
        ("muc_unmoderated", "muc_moderated", "moderatedroom", "1"),
        ("muc_semianonymous", "muc_nonanonymous", "whois", "anyone"),
        (
            "muc_unsecured",
            "muc_passwordprotected",
            "passwordprotectedroom",
            "1",
        ),
        ("muc_persistent", "muc_temporary", "persistentroom", "0"),
    ];
    let secret = field("muc#roomconfig_roomsecret", "cauldronburn");
    for (one, other, var, value) in opposites {
        assert!(before.iter().any(|found| found == one), "{one}");
        let opposite = field(&format!("muc#roomconfig_{var}"), value);
        configure(&mut script, "alice", &(opposite + &secret));
        let after = features(&ask(&mut script, COVEN, "info", ""));
        assert!(after.iter().any(|found| found == other), "{other}");
        assert!(!after.iter().any(|found| found == one), "{one}");
    }
    for feature in [
        "http://jabber.org/protocol/muc#self-ping-optimization",
        "jabber:iq:register",
        "urn:xmpp:occupant-id:0",
    ] {
        assert!(before.iter().any(|found| found == feature), "{feature}");
    }
    let ghost = ask(&mut script, "heath@rooms.example.org", "info", "");
    assert_eq!(ghost.attribute("type").as_deref(), Some("error"));
}

/// XEP-0045 §6.4, §14.4
#[test]
fn a_room_tells_its_subject_to_those_who_may_come_in() {
    let mut script = coven();
    script.send(
        "alice",
        &format!(
            "<message to='{COVEN}' type='groupchat'><subject>Spells &amp; more</subject></message>"
        ),
    );
    script.forget("alice");
    let info = format!("{:?}", ask(&mut script, COVEN, "info", ""));
    assert!(info.contains("Spells &amp; more") && info.contains("muc#roominfo_occupants"));
    configure(
        &mut script,
        "alice",
        &field("muc#roomconfig_publicroom", "0"),
    );
    let info = format!("{:?}", ask(&mut script, COVEN, "info", ""));
    assert!(!info.contains("Spells"));
}

/// XEP-0045 §6.4: "muc#roominfo_lang", of a room that has one.
#[test]
fn a_room_tells_its_language() {
    let mut script = coven();
    for (lang, told) in [("", false), ("en", true)] {
        let wanted = field("muc#roomconfig_lang", lang);
        configure(&mut script, "alice", &wanted);
        let info = format!("{:?}", ask(&mut script, COVEN, "info", ""));
        let is_told = info.contains("muc#roominfo_lang");
        assert_eq!(is_told, told, "{info}");
    }
    expect_info(
        &mut script,
        "bob",
        "<x xmlns='jabber:x:data' type='result'>\
         <field var='muc#roominfo_lang'><value>en</value></field></x>",
    );
}

/// XEP-0045 §6.4, §16.5.4
#[test]
fn a_room_tells_whether_participants_may_change_its_subject() {
    let mut script = coven();
    for may in ["0", "1"] {
        configure(
            &mut script,
            "alice",
            &field("muc#roomconfig_changesubject", may),
        );
        let answer = ask(&mut script, COVEN, "info", "");
        let query = answer.children().next().unwrap().open();
        let form = query.child("jabber:x:data", "x").unwrap().open();
        for name in ["muc#roominfo_subjectmod", "muc#roomconfig_changesubject"] {
            let mut fields = form.children();
            let field = fields.find(|field| field.attribute("var").as_deref() == Some(name));
            let field = field.unwrap().open();
            assert_eq!(field.children().next().unwrap().text(), may, "{name}");
        }
    }
}

/// What a room's form says of how much is said in it.
fn activity(script: &mut Script) -> Option<String> {
    let answer = ask(script, COVEN, "info", "");
    let query = answer.children().next().unwrap().open();
    let form = query.child("jabber:x:data", "x").unwrap().open();
    let mut fields = form.children();
    let name = "{urn:xmpp:muc-activity}message-activity";
    let field = fields.find(|field| field.attribute("var").as_deref() == Some(name))?;
    let value = field.child("jabber:x:data", "value").unwrap();
    Some(value.text().into_owned())
}

const AN_HOUR: Duration = Duration::from_secs(3600);

/// XEP-0502 §4.1, §5
#[test]
fn a_room_says_how_much_is_said_in_it_in_an_hour() {
    let mut script = coven();
    assert_eq!(activity(&mut script), None);
    for content in [
        "<body>one</body>",
        "<body>two</body>",
        "<body>three</body>",
        "<body>Two</body><replace id='2' xmlns='urn:xmpp:message-correct:0'/>",
        "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
        "<subject>Brew</subject>",
    ] {
        script.send(
            "alice",
            &format!("<message to='{COVEN}' type='groupchat'>{content}</message>"),
        );
    }
    // The hour is not over.
    assert_eq!(activity(&mut script), None);
    script.world.pass(AN_HOUR);
    assert_eq!(activity(&mut script).as_deref(), Some("3.00"));
    script.world.pass(2 * AN_HOUR);
    assert_eq!(activity(&mut script).as_deref(), Some("1.00"));
    script.world.pass(22 * AN_HOUR);
    assert_eq!(activity(&mut script).as_deref(), Some("0.00"));
}

/// XEP-0502 §4.1: "services MUST omit the field entirely if the above
/// preconditions are not met", and §10.
#[test]
fn how_much_is_said_behind_closed_doors_is_told_to_nobody() {
    let mut script = coven();
    let say = format!("<message to='{COVEN}' type='groupchat'><body>x</body></message>");
    script.send("alice", &say);
    script.world.pass(AN_HOUR);
    assert_eq!(activity(&mut script).as_deref(), Some("1.00"));
    let secret = field("muc#roomconfig_passwordprotectedroom", "1")
        + &field("muc#roomconfig_roomsecret", "x");
    for (closed, open) in [
        (
            field("muc#roomconfig_publicroom", "0"),
            field("muc#roomconfig_publicroom", "1"),
        ),
        (
            field("muc#roomconfig_persistentroom", "0"),
            field("muc#roomconfig_persistentroom", "1"),
        ),
        (
            field("muc#roomconfig_membersonly", "1"),
            field("muc#roomconfig_membersonly", "0"),
        ),
        (secret, field("muc#roomconfig_passwordprotectedroom", "0")),
    ] {
        configure(&mut script, "alice", &closed);
        assert_eq!(activity(&mut script), None, "{closed}");
        configure(&mut script, "alice", &open);
        assert_eq!(activity(&mut script).as_deref(), Some("1.00"));
    }
}

/// What was counted outlasts that nobody is in the room.
#[test]
fn a_room_that_sleeps_remembers_how_much_was_said_in_it() {
    let mut script = coven();
    for _ in 0..4 {
        script.send(
            "alice",
            &format!("<message to='{COVEN}' type='groupchat'><body>x</body></message>"),
        );
    }
    script.send(
        "alice",
        &format!("<presence to='{COVEN}/alice' type='unavailable'/>"),
    );
    script.world.pass(Duration::from_secs(61));
    script.world.settle();
    assert_eq!(script.world.hub().room_count(), 0);
    script.world.pass(AN_HOUR);
    assert_eq!(activity(&mut script).as_deref(), Some("4.00"));
}

/// XEP-0045 §6.5, §6.6
#[test]
fn who_is_in_a_room_is_not_told_to_those_outside() {
    let mut script = coven();
    let items = ask(&mut script, COVEN, "items", "");
    assert_eq!(items.attribute("type").as_deref(), Some("result"));
    assert!(!format!("{items:?}").contains("alice"));
    for about in ["info", "items"] {
        let refused = ask(&mut script, &format!("{COVEN}/alice"), about, "");
        assert!(format!("{refused:?}").contains("bad-request"));
    }
}

/// XEP-0045 §6.3, XEP-0059 §2.2
#[test]
fn the_service_lists_the_rooms_that_are_no_secret_a_page_at_a_time() {
    let mut script = coven();
    for name in ["amber", "beryl", "coral", "dusk", "ember"] {
        script.send(
            "carol",
            &format!("<presence to='{name}@rooms.example.org/carol'>{JOIN}</presence>"),
        );
        let public = field(
            "muc#roomconfig_publicroom",
            if name == "dusk" { "0" } else { "1" },
        );
        script.send(
            "carol",
            &format!(
                "<iq type='set' id='c' to='{name}@rooms.example.org'>\
                 <query xmlns='http://jabber.org/protocol/muc#owner'>\
                 <x xmlns='jabber:x:data' type='submit'>{public}</x></query></iq>"
            ),
        );
        script.forget("carol");
    }
    let all = |answer: &anser_xml::Element| -> Vec<String> {
        let query = answer.children().next().unwrap().open();
        let items = query.children().filter(|child| child.name() == "item");
        items
            .map(|item| item.attribute("name").unwrap().into_owned())
            .collect()
    };
    let service = "rooms.example.org";
    let everything = ask(&mut script, service, "items", "");
    assert_eq!(
        all(&everything),
        ["amber", "beryl", "coral", "coven", "ember"]
    );
    let page = |after: &str| {
        format!("<set xmlns='http://jabber.org/protocol/rsm'><max>2</max>{after}</set>")
    };
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let answer = ask(&mut script, service, "items", &page(&after));
        let names = all(&answer);
        if names.is_empty() {
            break;
        }
        seen.extend(names);
        let query = answer.children().next().unwrap().open();
        let set = query
            .child("http://jabber.org/protocol/rsm", "set")
            .unwrap()
            .open();
        let last = set.child("http://jabber.org/protocol/rsm", "last").unwrap();
        after = format!("<after>{}</after>", last.text());
    }
    assert_eq!(seen, ["amber", "beryl", "coral", "coven", "ember"]);
    // XEP-0059 §2.2: "If there are no items in the page, then the <first/> and
    // <last/> elements MUST NOT be included."
    for max in [
        "<max>0</max>",
        "<max>0</max><after>beryl@rooms.example.org</after>",
    ] {
        let set = format!("<set xmlns='http://jabber.org/protocol/rsm'>{max}</set>");
        let answer = ask(&mut script, service, "items", &set);
        let query = answer.children().next().unwrap().open();
        let set = query.child("http://jabber.org/protocol/rsm", "set");
        assert_eq!(set.unwrap().open().children().count(), 0);
        assert!(all(&answer).is_empty());
    }
    let wrong = ask(&mut script, service, "items", &page("<after>@</after>"));
    assert!(format!("{wrong:?}").contains("item-not-found"));
}

/// XEP-0030 §4, XEP-0045 §6.3, XEP-0433 §4.2: a server of two domains has rooms
/// at both.
#[test]
fn whoever_asks_a_service_is_told_of_its_rooms_wherever_they_are_from() {
    let mut script = coven();
    let domains = ["example.org", "example.net"].map(str::to_owned);
    let hub = script.world.hub();
    hub.configure(anser_hub::HubConfig {
        domains: anser_hub::Domains::Only(domains.into()),
        ..(*hub.config()).clone()
    });
    let amber = "amber@rooms.example.net";
    script.send(
        "carol",
        &format!("<presence to='{amber}/carol'>{JOIN}</presence>"),
    );
    let owner = "http://jabber.org/protocol/muc#owner";
    let form = "<x xmlns='jabber:x:data' type='submit'/>";
    script.send(
        "carol",
        &format!("<iq type='set' id='c' to='{amber}'><query xmlns='{owner}'>{form}</query></iq>"),
    );
    let service = "rooms.example.net";
    for (asked, told) in [("example.net", service), (service, amber)] {
        let answer = ask(&mut script, asked, "items", "");
        let query = answer.children().next().unwrap().open();
        let items = query.children().map(|item| item.attribute("jid").unwrap());
        assert_eq!(items.collect::<Vec<_>>(), [told]);
    }
    let about = field("FORM_TYPE", "urn:xmpp:channel-search:0:search-params");
    let all = field("all", "1");
    script.send(
        "bob",
        &format!(
            "<iq type='get' id='s' to='{service}'><search xmlns='urn:xmpp:channel-search:0:search'>\
             <x xmlns='jabber:x:data' type='submit'>{about}{all}</x></search></iq>"
        ),
    );
    script.expect(
        "bob",
        &format!(
            "<iq type='result' id='s'><result xmlns='urn:xmpp:channel-search:0:search'>\
             <item address='{amber}'/></result></iq>"
        ),
    );
}
