//! What was said in a room, read again and counted.

use super::{
    COVEN, HEATH, JOIN, admin, bodies, configure, coven, expect_info, field, owner, read, refused,
    say, three_in_a_room,
};
use anser_tests::script::Script;
use anser_xml::Element;
use std::time::Duration;

const MAM: &str = "urn:xmpp:mam:2";

/// The form of a question.
fn form(fields: &[(&str, &str)]) -> String {
    let fields = fields.iter().map(|(var, value)| field(var, value));
    let (about, fields) = (field("FORM_TYPE", MAM), fields.collect::<String>());
    format!("<x xmlns='jabber:x:data' type='submit'>{about}{fields}</x>")
}

/// Which page is asked for.
fn page(content: &str) -> String {
    format!("<set xmlns='http://jabber.org/protocol/rsm'>{content}</set>")
}

/// XEP-0313 §6.1.2: "the forwarded stanza MUST NOT have a 'to' attribute, and the
/// 'from' MUST be the occupant JID of the sender", XEP-0421 §4.
#[test]
fn what_was_said_is_read_again_page_by_page() {
    let mut script = three_in_a_room();
    let others = ["alice", "carol"];
    let ids: Vec<_> = ["one", "two", "three", "four", "five"]
        .map(|body| say(&mut script, "bob", body, &others))
        .into();
    let all = read(&mut script, "carol", "").unwrap();
    assert_eq!(bodies(&all), ["one", "two", "three", "four", "five"]);
    for message in &all {
        assert_eq!(
            message.attribute("from").as_deref(),
            Some("coven@rooms.example.org/bob")
        );
        assert!(message.attribute("to").is_none());
        assert!(
            message
                .child("urn:xmpp:occupant-id:0", "occupant-id")
                .is_some()
        );
        assert!(!format!("{message:?}").contains("bob@example.org"));
    }
    for (set, expected) in [
        ("<max>2</max>".to_owned(), vec!["one", "two"]),
        (
            format!("<max>2</max><after>{}</after>", ids[1]),
            vec!["three", "four"],
        ),
        ("<max>2</max><before/>".to_owned(), vec!["four", "five"]),
        (
            format!("<max>9</max><before>{}</before>", ids[2]),
            vec!["one", "two"],
        ),
        (format!("<max>9</max><after>{}</after>", ids[4]), vec![]),
    ] {
        let messages = read(&mut script, "carol", &page(&set)).unwrap();
        assert_eq!(bodies(&messages), expected, "{set}");
    }
}

/// XEP-0313 §4.1.1 to §4.1.3, §4.3.4
#[test]
fn an_archive_of_a_room_is_filtered_by_nickname_time_and_id_and_read_backwards() {
    let mut script = three_in_a_room();
    let mut ids = Vec::new();
    for (actor, body) in [("bob", "1"), ("carol", "2"), ("bob", "3"), ("bob", "4")] {
        script.world.pass(Duration::from_secs(1));
        let others = ["alice", "bob", "carol"].into_iter();
        let others: Vec<_> = others.filter(|other| *other != actor).collect();
        ids.push(say(&mut script, actor, body, &others));
    }
    let bob = format!("{COVEN}/bob");
    let (second, third) = ("2026-11-20T00:00:02Z", "2026-11-20T00:00:03Z");
    for (content, expected) in [
        (form(&[("start", third)]), vec!["3", "4"]),
        (form(&[("end", second)]), vec!["1", "2"]),
        (form(&[("start", second), ("end", third)]), vec!["2", "3"]),
        (form(&[("start", second), ("with", &bob)]), vec!["3", "4"]),
        (form(&[("after-id", &ids[0])]), vec!["2", "3", "4"]),
        (form(&[("before-id", &ids[2])]), vec!["1", "2"]),
        (
            form(&[("after-id", &ids[0]), ("before-id", &ids[3])]),
            vec!["2", "3"],
        ),
        (form(&[("ids", &ids[2])]), vec!["3"]),
        ("<flip-page/>".to_owned(), vec!["4", "3", "2", "1"]),
        (page("<max>2</max>") + "<flip-page/>", vec!["2", "1"]),
        (
            page("<max>2</max><before/>") + "<flip-page/>",
            vec!["4", "3"],
        ),
    ] {
        let messages = read(&mut script, "carol", &content).unwrap();
        assert_eq!(bodies(&messages), expected, "{content}");
    }
}

/// XEP-0313 §4.1.3, §4.3: also an id that another archive has.
#[test]
fn an_id_that_is_not_in_the_archive_of_a_room_is_not_found() {
    let mut script = three_in_a_room();
    let here = say(&mut script, "carol", "here", &["alice", "bob"]);
    let enter = format!("<presence to='{HEATH}/carol'>{JOIN}</presence>");
    let open = owner("set", "<x xmlns='jabber:x:data' type='submit'/>").replace(COVEN, HEATH);
    for stanza in [&enter, &open] {
        script.send("carol", stanza);
        script.forget("carol");
    }
    let speak = format!("<message to='{HEATH}' type='groupchat'><body>there</body></message>");
    let whisper = "<message to='carol@example.org' type='chat'><body>to one</body></message>";
    let mut elsewhere = Vec::new();
    for (actor, stanza) in [("carol", speak.as_str()), ("bob", whisper)] {
        script.send(actor, stanza);
        let heard = script.receive("carol");
        let id = heard.child("urn:xmpp:sid:0", "stanza-id").unwrap();
        elsewhere.push(id.attribute("id").unwrap().into_owned());
    }
    let never = ["0000000000000001", "09af3-cc343-b409f"].map(str::to_owned);
    for id in elsewhere.iter().chain(&never) {
        for content in [
            form(&[("after-id", id)]),
            form(&[("before-id", id)]),
            form(&[("ids", id)]),
            page(&format!("<after>{id}</after>")),
            page(&format!("<before>{id}</before>")),
        ] {
            let error = read(&mut script, "carol", &content).unwrap_err();
            assert_eq!(error, "item-not-found", "{content}");
        }
    }
    let found = read(&mut script, "carol", &form(&[("ids", &here)])).unwrap();
    assert_eq!(bodies(&found), ["here"]);
}

/// XEP-0313 §5
#[test]
fn an_archive_of_a_room_says_where_it_begins_and_ends_to_those_who_may_read_it() {
    let mut script = three_in_a_room();
    let ask = format!("<iq type='get' id='m' to='{COVEN}'><metadata xmlns='{MAM}'/></iq>");
    script.send("bob", &ask);
    let empty = script.receive("bob");
    let metadata = empty.child(MAM, "metadata").unwrap();
    assert_eq!(metadata.children().count(), 0);
    let ids = ["1", "2", "3"].map(|body| {
        script.world.pass(Duration::from_secs(1));
        say(&mut script, "bob", body, &["alice", "carol"])
    });
    script.send("bob", &ask);
    script.expect(
        "bob",
        &format!(
            "<iq type='result' id='m' from='{COVEN}'><metadata xmlns='{MAM}'>\
             <start id='{}' timestamp='2026-11-20T00:00:01.000Z'/>\
             <end id='{}' timestamp='2026-11-20T00:00:03.000Z'/></metadata></iq>",
            ids[0], ids[2]
        ),
    );
    let members = field("muc#roomconfig_membersonly", "1");
    configure(&mut script, "alice", &members);
    script.forget("bob");
    script.send("bob", &ask);
    script.expect("bob", &refused("auth", "forbidden"));
}

/// XEP-0313 §7: whoever understands `include-groupchat` advertises that, and it
/// is for archives of accounts (§4.1.4). Those of rooms come in pages (§3).
#[test]
fn an_archive_of_a_room_says_what_it_can_be_asked_for_and_takes_nothing_else() {
    let mut script = three_in_a_room();
    script.send(
        "bob",
        &format!("<iq type='get' id='f' to='{COVEN}'><query xmlns='urn:xmpp:mam:2'/></iq>"),
    );
    let fields = String::from_utf8(script.receive("bob").raw().to_vec()).unwrap();
    assert!(
        fields.contains("'after-id'") && fields.contains("'ids'"),
        "{fields}"
    );
    assert!(!fields.contains("include-groupchat"), "{fields}");
    let everything = form(&[("include-groupchat", "1")]);
    assert_eq!(
        read(&mut script, "bob", &everything).unwrap_err(),
        "feature-not-implemented"
    );
    let pages = "<feature var='http://jabber.org/protocol/rsm'/>";
    expect_info(&mut script, "bob", pages);
}

/// XEP-0313 §6.1.2: "the archive message will use extended message information".
#[test]
fn those_who_may_know_learn_who_has_said_what() {
    let mut script = three_in_a_room();
    say(&mut script, "bob", "one", &["alice", "carol"]);
    let address = |messages: &[Element]| {
        let x = messages[0]
            .child("http://jabber.org/protocol/muc#user", "x")?
            .open();
        let item = x.children().next()?;
        item.attribute("jid").map(std::borrow::Cow::into_owned)
    };
    let messages = read(&mut script, "alice", "").unwrap();
    assert_eq!(address(&messages).as_deref(), Some("bob@example.org"));
    let messages = read(&mut script, "carol", "").unwrap();
    assert_eq!(address(&messages), None);
    let with = |jid: &str| form(&[("with", jid)]);
    let by_account = with("bob@example.org");
    assert_eq!(
        read(&mut script, "carol", &by_account).unwrap_err(),
        "forbidden"
    );
    assert_eq!(read(&mut script, "alice", &by_account).unwrap().len(), 1);
    let by_nick = |nick: &str| with(&format!("{COVEN}/{nick}"));
    assert_eq!(
        read(&mut script, "carol", &by_nick("bob")).unwrap().len(),
        1
    );
    assert_eq!(
        read(&mut script, "carol", &by_nick("alice")).unwrap().len(),
        0
    );
}

/// XEP-0313 §6.1.2: "MUST check that the user requesting the archive has the
/// right to enter it at the time of the query".
#[test]
fn only_those_who_may_enter_read_what_was_said() {
    let mut script = coven();
    say(&mut script, "alice", "secret", &[]);
    assert_eq!(read(&mut script, "bob", "").unwrap().len(), 1);
    configure(
        &mut script,
        "alice",
        &field("muc#roomconfig_membersonly", "1"),
    );
    script.forget("alice");
    assert_eq!(read(&mut script, "bob", "").unwrap_err(), "forbidden");
    script.send(
        "alice",
        &admin("<item affiliation='member' jid='bob@example.org'/>"),
    );
    script.forget("bob");
    assert_eq!(read(&mut script, "bob", "").unwrap().len(), 1);
    script.send(
        "alice",
        &admin("<item affiliation='outcast' jid='bob@example.org'/>"),
    );
    script.forget("alice");
    assert_eq!(read(&mut script, "bob", "").unwrap_err(), "forbidden");
    let password = field("muc#roomconfig_membersonly", "0")
        + &field("muc#roomconfig_passwordprotectedroom", "1")
        + &field("muc#roomconfig_roomsecret", "pw");
    configure(&mut script, "alice", &password);
    assert_eq!(read(&mut script, "carol", "").unwrap_err(), "forbidden");
}

/// XEP-0313 §6.1.2: private messages are in no archive of a room, and neither is
/// what is not worth keeping; subjects are.
#[test]
fn an_archive_has_what_was_said_to_all() {
    let mut script = three_in_a_room();
    say(&mut script, "bob", "one", &["alice", "carol"]);
    let typing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
    for (to, kind, content) in [
        (COVEN, "groupchat", typing),
        ("coven@rooms.example.org/carol", "chat", "<body>psst</body>"),
    ] {
        script.send(
            "bob",
            &format!("<message to='{to}' type='{kind}'>{content}</message>"),
        );
    }
    script.send(
        "alice",
        &format!("<message to='{COVEN}' type='groupchat'><subject>s</subject></message>"),
    );
    for actor in ["alice", "bob", "carol"] {
        script.forget(actor);
    }
    assert_eq!(bodies(&read(&mut script, "bob", "").unwrap()), ["one", "-"]);
    configure(
        &mut script,
        "alice",
        &field("muc#roomconfig_enablearchiving", "0"),
    );
    for actor in ["alice", "bob", "carol"] {
        script.forget(actor);
    }
    script.send(
        "bob",
        &format!("<message to='{COVEN}' type='groupchat'><body>off</body></message>"),
    );
    script.expect("carol", "<message><body>off</body></message>");
    script.forget("bob");
    assert_eq!(bodies(&read(&mut script, "bob", "").unwrap()), ["one", "-"]);
}

/// XEP-0333 §4.2: what was seen of a room is known of the account, and so is what
/// was not, and what of that mentions it.
#[test]
fn unread_messages_of_a_room_are_counted_from_the_marker() {
    let mut script = three_in_a_room();
    let others = ["alice", "carol"];
    let first = say(&mut script, "bob", "one", &others);
    for body in ["two", "carol: three"] {
        let to = format!("to='{COVEN}' type='groupchat'");
        script.send(
            "bob",
            &format!("<message {to}><body>{body}</body></message>"),
        );
    }
    for actor in ["alice", "bob", "carol"] {
        script.forget(actor);
    }
    let unread = |script: &mut Script| {
        let hub = std::sync::Arc::clone(script.world.hub());
        let account = "carol@example.org".parse().unwrap();
        let occupant = format!("{COVEN}/carol").parse().unwrap();
        script
            .world
            .complete(async move { hub.unread_in_room(&account, &occupant).await })
            .unwrap()
    };
    let before = unread(&mut script);
    assert_eq!((before.messages, before.mentions), (3, 1));
    script.send(
        "carol",
        &format!(
            "<message to='{COVEN}' type='groupchat'>\
             <displayed xmlns='urn:xmpp:chat-markers:0' id='{first}'/></message>"
        ),
    );
    let after = unread(&mut script);
    assert_eq!((after.messages, after.mentions), (2, 1));
}
