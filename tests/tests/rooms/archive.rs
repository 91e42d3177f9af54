//! What was said in a room, read again and counted.

use super::{
    COVEN, admin, bodies, configure, coven, expect_info, field, read, say, three_in_a_room,
};
use anser_tests::script::Script;
use anser_xml::Element;

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
    let page = |set: &str| format!("<set xmlns='http://jabber.org/protocol/rsm'>{set}</set>");
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
    let never = page("<after>0000000000000001</after>");
    assert_eq!(
        read(&mut script, "carol", &never).unwrap_err(),
        "item-not-found"
    );
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
    let form = String::from_utf8(script.receive("bob").raw().to_vec()).unwrap();
    assert!(
        form.contains("'after-id'") && form.contains("'ids'"),
        "{form}"
    );
    assert!(!form.contains("include-groupchat"), "{form}");
    let everything = "<x xmlns='jabber:x:data' type='submit'>\
        <field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>\
        <field var='include-groupchat'><value>1</value></field></x>";
    assert_eq!(
        read(&mut script, "bob", everything).unwrap_err(),
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
    let with = |jid: &str| {
        format!(
            "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>\
             <value>urn:xmpp:mam:2</value></field>\
             <field var='with'><value>{jid}</value></field></x>"
        )
    };
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
