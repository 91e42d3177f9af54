//! What was said in a room: read again, and taken back.

use super::{COVEN, admin, configure, coven, field, three_in_a_room};
use anser_tests::script::Script;
use anser_xml::Element;

/// Somebody says something; gives the id that the room has given it.
fn say(script: &mut Script, actor: &str, body: &str, listeners: &[&str]) -> String {
    let to = format!("to='{COVEN}' type='groupchat' id='{body}'");
    script.send(
        actor,
        &format!("<message {to}><body>{body}</body></message>"),
    );
    let heard = script.receive(actor);
    for listener in listeners {
        script.receive(listener);
    }
    let id = heard.child("urn:xmpp:sid:0", "stanza-id").unwrap();
    id.attribute("id").unwrap().into_owned()
}

/// Asks for the archive; gives the messages of the answer, or the name of the
/// error.
fn read(script: &mut Script, actor: &str, content: &str) -> Result<Vec<Element>, String> {
    script.send(
        actor,
        &format!(
            "<iq type='set' id='q' to='{COVEN}'>\
             <query xmlns='urn:xmpp:mam:2' queryid='x'>{content}</query></iq>"
        ),
    );
    let mut messages = Vec::new();
    loop {
        let stanza = script.receive(actor);
        if stanza.name() == "iq" {
            if stanza.attribute("type").as_deref() == Some("error") {
                let error = stanza.child("jabber:client", "error").unwrap().open();
                return Err(error.children().next().unwrap().name().to_owned());
            }
            return Ok(messages);
        }
        assert_eq!(stanza.attribute("from").as_deref(), Some(COVEN));
        let result = stanza.child("urn:xmpp:mam:2", "result").unwrap().open();
        let forwarded = result
            .child("urn:xmpp:forward:0", "forwarded")
            .unwrap()
            .open();
        messages.push(forwarded.child("jabber:client", "message").unwrap().open());
    }
}

fn bodies(messages: &[Element]) -> Vec<String> {
    let body = |message: &Element| {
        let body = message.child("jabber:client", "body");
        body.map_or("-".to_owned(), |body| body.text().into_owned())
    };
    messages.iter().map(body).collect()
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
    script.send(
        "bob",
        &format!(
            "<iq type='get' id='d' to='{COVEN}'>\
             <query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
        ),
    );
    script.expect(
        "bob",
        "<iq type='result' id='d'><query xmlns='http://jabber.org/protocol/disco#info'>\
         <feature var='http://jabber.org/protocol/rsm'/></query></iq>",
    );
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

/// What a moderator sends who takes a message back.
fn moderate(id: &str) -> String {
    format!(
        "<iq type='set' id='m' to='{COVEN}'>\
         <moderate xmlns='urn:xmpp:message-moderate:1' id='{id}'>\
         <retract xmlns='urn:xmpp:message-retract:1'/><reason>Spam</reason></moderate></iq>"
    )
}

/// XEP-0425 §4.2: what is answered is done, and a crash does not take it back.
#[test]
fn a_moderator_is_answered_when_the_message_is_gone_and_told_if_it_is_not() {
    let mut script = three_in_a_room();
    let spam = say(&mut script, "bob", "spam", &["alice", "carol"]);
    script.world.space().grant(Some(0));
    script.send("alice", &moderate(&spam));
    script.expect(
        "alice",
        "<iq type='error' id='m'><error type='wait'>\
         <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    );
    for actor in ["alice", "bob", "carol"] {
        script.expect_nothing(actor);
    }
    assert_eq!(bodies(&read(&mut script, "carol", "").unwrap()), ["spam"]);
    script.world.space().grant(None);
    script.hold_commits(true);
    script.send("alice", &moderate(&spam));
    for actor in ["alice", "bob", "carol"] {
        script.expect_nothing(actor);
    }
    script.hold_commits(false);
    script.world.settle();
    script.expect("alice", "<iq type='result' id='m'/>");
    for actor in ["alice", "bob", "carol"] {
        script.expect(actor, &format!("<message from='{COVEN}'/>"));
    }
}

/// XEP-0424 §4: a tombstone "MUST include an 'id' attribute that's set to the
/// value of the retraction's <message/> element's 'id' attribute".
#[test]
fn a_retraction_without_an_id_is_said_and_leaves_no_tombstone() {
    let mut script = three_in_a_room();
    let bobs = say(&mut script, "bob", "oops", &["alice", "carol"]);
    for id in ["", "id=''"] {
        script.send(
            "bob",
            &format!(
                "<message to='{COVEN}' type='groupchat' {id}>\
                 <retract xmlns='urn:xmpp:message-retract:1' id='{bobs}'/></message>"
            ),
        );
        let retract = format!("<retract xmlns='urn:xmpp:message-retract:1' id='{bobs}'/>");
        script.expect("carol", &format!("<message>{retract}</message>"));
    }
    assert_eq!(bodies(&read(&mut script, "carol", "").unwrap())[0], "oops");
}

/// XEP-0425 §4, §5
#[test]
fn a_moderator_takes_a_message_back_and_a_tombstone_stands_in_its_place() {
    let mut script = three_in_a_room();
    let spam = say(&mut script, "bob", "spam", &["alice", "carol"]);
    say(&mut script, "bob", "ham", &["alice", "carol"]);
    script.send("carol", &moderate(&spam));
    script.expect(
        "carol",
        "<iq type='error' id='m'><error type='auth'>\
         <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    );
    for never in ["0000000000000001", "nonsense"] {
        script.send("alice", &moderate(never));
        script.expect(
            "alice",
            "<iq type='error' id='m'><error type='cancel'>\
             <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
        );
    }
    script.send("alice", &moderate(&spam));
    let news = format!(
        "<message type='groupchat' from='{COVEN}'>\
         <retract xmlns='urn:xmpp:message-retract:1' id='{spam}'>\
         <moderated xmlns='urn:xmpp:message-moderate:1' by='{COVEN}/alice'>\
         <occupant-id xmlns='urn:xmpp:occupant-id:0' id='*'/></moderated>\
         <reason>Spam</reason></retract></message>"
    );
    script.expect("alice", "<iq type='result' id='m'/>");
    for actor in ["alice", "bob", "carol"] {
        script.expect(actor, &news);
    }
    let messages = read(&mut script, "carol", "").unwrap();
    assert_eq!(bodies(&messages), ["-", "ham", "-"]);
    let tombstone = messages[0]
        .child("urn:xmpp:message-retract:1", "retracted")
        .unwrap();
    assert!(String::from_utf8_lossy(tombstone.raw()).contains("Spam"));
    assert_eq!(
        messages[0].attribute("from").as_deref(),
        Some("coven@rooms.example.org/bob")
    );
    assert!(
        messages[0]
            .child("urn:xmpp:occupant-id:0", "occupant-id")
            .is_some()
    );
    // Twice is once too often, and whoever comes later does not see it either.
    script.send("alice", &moderate(&spam));
    script.expect("alice", "<iq type='error' id='m'/>");
    script.log_in("dave", "dave@example.org/phone");
    script.send(
        "dave",
        &format!("<presence to='{COVEN}/dave'>{}</presence>", super::JOIN),
    );
    while let Some(stanza) = script.try_receive("dave") {
        assert!(!format!("{stanza:?}").contains("<body>spam"));
    }
}

/// XEP-0424 §5: in a room by the id that the room has given it, and only one's
/// own.
#[test]
fn an_occupant_takes_back_their_own_messages_and_nobody_elses() {
    let mut script = three_in_a_room();
    let bobs = say(&mut script, "bob", "oops", &["alice", "carol"]);
    let retract = |id: &str, by: &str| {
        format!(
            "<message to='{COVEN}' type='groupchat' id='{by}'>\
             <retract xmlns='urn:xmpp:message-retract:1' id='{id}'/>\
             <body>I take it back</body></message>"
        )
    };
    script.send("carol", &retract(&bobs, "r1"));
    script.expect("bob", "<message id='r1'/>");
    script.forget("alice");
    let messages = read(&mut script, "alice", "").unwrap();
    assert_eq!(bodies(&messages)[0], "oops");
    script.send("bob", &retract(&bobs, "r2"));
    script.expect(
        "bob",
        "<message id='r2' from='coven@rooms.example.org/bob'/>",
    );
    for actor in ["alice", "carol"] {
        script.forget(actor);
    }
    let messages = read(&mut script, "carol", "").unwrap();
    assert_eq!(bodies(&messages), ["-", "I take it back", "I take it back"]);
    let tombstone = messages[0]
        .child("urn:xmpp:message-retract:1", "retracted")
        .unwrap();
    assert_eq!(tombstone.attribute("id").as_deref(), Some("r2"));
}

/// XEP-0280 §6.1, XEP-0045 §7.5, reference/xmpp.md: a private message reaches its
/// sender's other devices as a copy, what is said to all does not, and nothing
/// that looks like a copy passes through a room.
#[test]
fn copies_are_of_private_messages_and_never_of_what_somebody_forges() {
    let mut script = three_in_a_room();
    script.appear("desk", "bob@example.org/desk");
    script.forget("bob");
    script.send(
        "desk",
        "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>",
    );
    while script.receive("desk").name() != "iq" {}
    script.play(
        "
        bob   C: <message to='coven@rooms.example.org/carol' type='chat' id='p'><body>psst</body></message>
        carol S: <message from='coven@rooms.example.org/bob' id='p'/>
        desk  S: <message from='bob@example.org'><sent xmlns='urn:xmpp:carbons:2'>
            <forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' id='p'
            from='bob@example.org/phone' to='coven@rooms.example.org/carol'><body>psst</body>
            </message></forwarded></sent></message>
        carol C: <message to='coven@rooms.example.org/bob' type='chat' id='a'><body>what</body></message>
        bob   S: <message from='coven@rooms.example.org/carol' id='a'/>
        desk  S: nothing
        bob   C: <message to='coven@rooms.example.org' type='groupchat'><body>all</body></message>
        desk  S: nothing
        ",
    );
    script.forget("carol");
    let forged = "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
         <message xmlns='jabber:client' from='alice@example.org'><body>pay</body></message>\
         </forwarded></received><result xmlns='urn:xmpp:mam:2' id='x'/>";
    for (to, kind) in [
        (COVEN, "groupchat"),
        ("coven@rooms.example.org/carol", "chat"),
    ] {
        let to = format!("to='{to}' type='{kind}'");
        script.send(
            "bob",
            &format!("<message {to}><body>x</body>{forged}</message>"),
        );
        let message = script.receive("carol");
        let text = format!("{message:?}");
        assert!(text.contains("<body>x") && !text.contains("pay") && !text.contains("mam:2"));
    }
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

/// Everybody leaves and the room leaves memory. Then somebody enters: what they
/// are told was said, with the text of what has one and the subject at the end.
fn told_anew(script: &mut Script, actors: &[&str]) -> Vec<Element> {
    for actor in actors {
        let leave = format!("<presence to='{COVEN}/{actor}' type='unavailable'/>");
        script.send(actor, &leave);
    }
    script.world.pass(std::time::Duration::from_secs(61));
    script.world.settle();
    assert_eq!(script.world.hub().room_count(), 0);
    for actor in actors {
        script.forget(actor);
    }
    told(script, "dave")
}

/// What somebody is told who enters, and leaves again.
fn told(script: &mut Script, actor: &str) -> Vec<Element> {
    let presence = |kind: &str| {
        let x = super::JOIN;
        format!("<presence to='{COVEN}/{actor}' {kind}>{x}</presence>")
    };
    script.send(actor, &presence(""));
    let mut messages = Vec::new();
    while let Some(stanza) = script.try_receive(actor) {
        messages.extend(Some(stanza).filter(|stanza| stanza.name() == "message"));
    }
    script.send(actor, &presence("type='unavailable'"));
    script.forget(actor);
    messages
}

fn subject(messages: &[Element]) -> String {
    let last = messages.last().unwrap();
    let subject = last.child("jabber:client", "subject").unwrap();
    subject.text().into_owned()
}

fn set_subject(script: &mut Script, content: &str) {
    let to = format!("to='{COVEN}' type='groupchat'");
    script.send("alice", &format!("<message {to}>{content}</message>"));
}

/// XEP-0425 §6: "SHOULD prevent further distribution of a moderated retracted
/// message".
#[test]
fn a_subject_that_is_taken_back_is_none() {
    let mut script = three_in_a_room();
    script.log_in("dave", "dave@example.org/phone");
    set_subject(&mut script, "<subject>bad</subject>");
    let set = script.receive("alice");
    let id = set.child("urn:xmpp:sid:0", "stanza-id").unwrap();
    let id = id.attribute("id").unwrap().into_owned();
    assert_eq!(subject(&told(&mut script, "dave")), "bad");
    script.send("alice", &moderate(&id));
    assert_eq!(subject(&told(&mut script, "dave")), "");
    let after = told_anew(&mut script, &["alice", "bob", "carol"]);
    assert_eq!(subject(&after), "");
}

/// XEP-0425 §6: what is set meanwhile stays.
#[test]
fn the_subject_after_one_that_is_taken_back_stays() {
    let mut script = three_in_a_room();
    script.log_in("dave", "dave@example.org/phone");
    set_subject(&mut script, "<subject>bad</subject>");
    let set = script.receive("alice");
    let id = set.child("urn:xmpp:sid:0", "stanza-id").unwrap();
    let id = id.attribute("id").unwrap().into_owned();
    script.send(
        "alice",
        &admin("<item affiliation='owner' jid='bob@example.org'/>"),
    );
    script.hold_commits(true);
    set_subject(&mut script, "<subject>good</subject>");
    script.send("bob", &moderate(&id));
    script.hold_commits(false);
    script.world.settle();
    assert_eq!(subject(&told(&mut script, "dave")), "good");
    let after = told_anew(&mut script, &["alice", "bob", "carol"]);
    assert_eq!(subject(&after), "good");
}

/// XEP-0045 §8.1, §10.1.3 (`muc#roomconfig_enablearchiving`), XEP-0334 §4.1: a
/// subject outlasts everything, and is in the archive only if it may be.
#[test]
fn a_subject_that_is_not_for_the_archive_stays_all_the_same() {
    for (archiving, hint) in [
        ("0", ""),
        ("1", "<no-permanent-store xmlns='urn:xmpp:hints'/>"),
    ] {
        let mut script = three_in_a_room();
        script.log_in("dave", "dave@example.org/phone");
        let archiving = field("muc#roomconfig_enablearchiving", archiving);
        configure(&mut script, "alice", &archiving);
        set_subject(&mut script, &format!("<subject>s</subject>{hint}"));
        for actor in ["alice", "bob", "carol"] {
            script.forget(actor);
        }
        assert_eq!(bodies(&read(&mut script, "bob", "").unwrap()).len(), 0);
        let before = told(&mut script, "dave");
        let after = told_anew(&mut script, &["alice", "bob", "carol"]);
        for messages in [before, after] {
            assert_eq!(subject(&messages), "s");
            let last = messages.last().unwrap();
            assert!(last.child("urn:xmpp:delay", "delay").is_some());
            // It is nowhere in the archive.
            assert!(last.child("urn:xmpp:sid:0", "stanza-id").is_none());
        }
        assert_eq!(bodies(&read(&mut script, "dave", "").unwrap()).len(), 0);
    }
}

/// XEP-0334 §4.1: "shouldn't store the message in any permanent or semi-permanent
/// public or private archive [...] or in logs (such as chatroom logs)".
#[test]
fn what_is_not_to_be_kept_is_for_those_who_are_there() {
    let mut script = three_in_a_room();
    script.log_in("dave", "dave@example.org/phone");
    say(&mut script, "bob", "one", &["alice", "carol"]);
    let to = format!("to='{COVEN}' type='groupchat'");
    let hint = "<no-permanent-store xmlns='urn:xmpp:hints'/>";
    script.send(
        "bob",
        &format!("<message {to}><body>two</body>{hint}</message>"),
    );
    script.expect("carol", "<message><body>two</body></message>");
    script.forget("bob");
    assert_eq!(bodies(&read(&mut script, "bob", "").unwrap()), ["one"]);
    assert_eq!(bodies(&told(&mut script, "dave")), ["one", "-"]);
    let after = told_anew(&mut script, &["alice", "bob", "carol"]);
    assert_eq!(bodies(&after), ["one", "-"]);
}
