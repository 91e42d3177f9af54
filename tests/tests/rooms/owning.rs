//! Making and configuring rooms.

use super::{
    COVEN, JOIN, admin, configure, coven, field, join, listed, owner, refused, register,
    registration, say, three_in_a_room,
};
use anser_tests::script::Script;

/// XEP-0045 §10.1.3, §10.2
#[test]
fn an_owner_gets_the_form_with_what_the_room_is_like_and_nobody_else_does() {
    let mut script = coven();
    configure(
        &mut script,
        "alice",
        &field("muc#roomconfig_roomname", "A Dark Cave"),
    );
    script.forget("alice");
    script.send("alice", &owner("get", ""));
    script.play(
        "
        alice S: <iq type='result' id='owner'><query xmlns='http://jabber.org/protocol/muc#owner'>
            <x xmlns='jabber:x:data' type='form'>
            <field var='FORM_TYPE' type='hidden'>
            <value>http://jabber.org/protocol/muc#roomconfig</value></field>
            <field var='muc#roomconfig_roomname' type='text-single'><value>A Dark Cave</value></field>
            <field var='muc#roomconfig_whois' type='list-single'><value>moderators</value></field>
            <field var='muc#roomconfig_persistentroom' type='boolean'><value>1</value></field>
            </x></query></iq>
        ",
    );
    // XEP-0500 §4.1
    script.send("alice", &owner("get", ""));
    script.play(
        "
        alice S: <iq type='result' id='owner'><query xmlns='http://jabber.org/protocol/muc#owner'>
            <x xmlns='jabber:x:data' type='form'>
            <field var='muc#roomconfig_slow_mode_duration' type='text-single'>
            <validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='xs:integer'>
            <range min='0' max='86400'/></validate><value>0</value></field>
            </x></query></iq>
        ",
    );
    for content in ["", "<x xmlns='jabber:x:data' type='submit'/>", "<destroy/>"] {
        let kind = if content.is_empty() { "get" } else { "set" };
        script.send("bob", &owner(kind, content));
        script.expect("bob", &refused("auth", "forbidden"));
    }
}

/// A field with a list of addresses.
fn list(var: &str, users: &[&str]) -> String {
    let values = users
        .iter()
        .map(|user| format!("<value>{user}@example.org</value>"));
    let values: String = values.collect();
    format!("<field var='{var}'>{values}</field>")
}

const OWNERS: &str = "muc#roomconfig_roomowners";

const ADMINS: &str = "muc#roomconfig_roomadmins";

/// XEP-0045 §10.5: "the "muc#roomconfig_roomowners" field specifies the full
/// list of room owners, not the delta", and the same of admins (§10.8).
#[test]
fn the_form_has_the_whole_lists_of_owners_and_admins() {
    let mut script = three_in_a_room();
    let fields = list(OWNERS, &["alice", "bob"]) + &list(ADMINS, &["carol", "dave"]);
    configure(&mut script, "alice", &fields);
    for (nick, affiliation) in [("bob", "owner"), ("carol", "admin")] {
        script.expect(
            "carol",
            &format!(
                "<presence from='{COVEN}/{nick}'><x xmlns='http://jabber.org/protocol/muc#user'>\
                 <item affiliation='{affiliation}' role='moderator'/></x></presence>"
            ),
        );
    }
    // Who those are, she is told as a moderator.
    for nick in ["alice", "bob"] {
        script.expect(
            "carol",
            &format!(
                "<presence from='{COVEN}/{nick}'><x xmlns='http://jabber.org/protocol/muc#user'>\
                 <item affiliation='owner' jid='{nick}@example.org/phone'/></x></presence>"
            ),
        );
    }
    script.expect_nothing("carol");
    script.forget("alice");
    script.send("alice", &owner("get", ""));
    script.expect(
        "alice",
        &format!(
            "<iq type='result' id='owner'><query xmlns='http://jabber.org/protocol/muc#owner'>\
             <x xmlns='jabber:x:data' type='form'><field var='{OWNERS}' type='jid-multi'>\
             <value>alice@example.org</value><value>bob@example.org</value></field>\
             <field var='{ADMINS}' type='jid-multi'><value>carol@example.org</value>\
             <value>dave@example.org</value></field></x></query></iq>"
        ),
    );
    // Whoever is left out is nothing any more; a list that is not there stays.
    configure(&mut script, "alice", &list(ADMINS, &["dave"]));
    script.forget("alice");
    assert_eq!(listed(&mut script, "admin"), ["dave@example.org"]);
    assert_eq!(
        listed(&mut script, "owner"),
        ["alice@example.org", "bob@example.org"]
    );
    script.expect(
        "carol",
        &format!(
            "<presence from='{COVEN}/carol'><x xmlns='http://jabber.org/protocol/muc#user'>\
             <item affiliation='none' role='participant'/></x></presence>"
        ),
    );
}

/// XEP-0045 §10.4: a room keeps an owner; nothing of a form is done that
/// cannot be done whole.
#[test]
fn a_form_whose_lists_break_a_rule_changes_nothing_else_either() {
    let mut script = three_in_a_room();
    let name = field("muc#roomconfig_roomname", "x");
    for (fields, kind, condition) in [
        (list(OWNERS, &[]), "cancel", "conflict"),
        (
            list(OWNERS, &["alice"]) + &list(ADMINS, &["alice"]),
            "modify",
            "not-acceptable",
        ),
        (
            format!("<field var='{ADMINS}'><value>@</value></field>"),
            "modify",
            "not-acceptable",
        ),
    ] {
        let form = format!("<x xmlns='jabber:x:data' type='submit'>{name}{fields}</x>");
        script.send("alice", &owner("set", &form));
        script.expect("alice", &refused(kind, condition));
        script.expect_nothing("bob");
    }
    assert_eq!(listed(&mut script, "owner"), ["alice@example.org"]);
}

/// XEP-0045 §10.4
#[test]
fn a_room_can_be_handed_over_in_one_step() {
    let mut script = three_in_a_room();
    let fields = list(OWNERS, &["bob"]) + &list(ADMINS, &["alice"]);
    configure(&mut script, "alice", &fields);
    script.forget("alice");
    script.send("alice", &owner("get", ""));
    script.expect("alice", &refused("auth", "forbidden"));
    script.forget("bob");
    script.send("bob", &owner("get", ""));
    script.expect("bob", "<iq type='result' id='owner'/>");
}

/// XEP-0045 §10.1.3: with the first configuration come the first owners, and a
/// room for members only lets those in who have just become admins.
#[test]
fn a_new_room_has_the_owners_and_admins_of_its_first_form() {
    let mut script = coven();
    script.send(
        "alice",
        &format!("<presence to='heath@rooms.example.org/alice'>{JOIN}</presence>"),
    );
    script.forget("alice");
    let fields = list(OWNERS, &["alice", "bob"])
        + &list(ADMINS, &["carol"])
        + &field("muc#roomconfig_membersonly", "1");
    let form = format!("<x xmlns='jabber:x:data' type='submit'>{fields}</x>");
    let submit = owner("set", &form).replace(COVEN, "heath@rooms.example.org");
    script.send("alice", &submit);
    script.forget("alice");
    script.world.pass(std::time::Duration::from_secs(61));
    for (user, affiliation) in [("bob", "owner"), ("carol", "admin")] {
        script.send(
            user,
            &format!("<presence to='heath@rooms.example.org/{user}'>{JOIN}</presence>"),
        );
        loop {
            let presence = script.receive(user);
            if presence.attribute("from").unwrap().ends_with(user) {
                assert!(format!("{presence:?}").contains(&format!("affiliation='{affiliation}'")));
                break;
            }
        }
    }
}

/// XEP-0045 §10.1.3, XEP-0004 §4
#[test]
fn a_form_that_makes_no_sense_is_refused_and_changes_nothing() {
    let mut script = coven();
    let form =
        |kind: &str, fields: &str| format!("<x xmlns='jabber:x:data' type='{kind}'>{fields}</x>");
    let about_else = field("FORM_TYPE", "http://jabber.org/protocol/muc#register");
    let no_password = field("muc#roomconfig_passwordprotectedroom", "1");
    let twice = field("muc#roomconfig_lang", "en").repeat(2);
    for (content, kind, condition) in [
        (String::new(), "modify", "bad-request"),
        (form("result", ""), "modify", "bad-request"),
        (form("dance", ""), "modify", "bad-request"),
        (form("submit", &about_else), "modify", "bad-request"),
        (form("submit", &twice), "modify", "bad-request"),
        (form("submit", &no_password), "modify", "not-acceptable"),
        (
            form("submit", &field("muc#roomconfig_whois", "x")),
            "modify",
            "not-acceptable",
        ),
        ("<destroy jid='@'/>".to_owned(), "modify", "jid-malformed"),
    ] {
        script.send("alice", &owner("set", &content));
        script.expect("alice", &refused(kind, condition));
    }
    join(&mut script, "bob", "bob", &["alice"]);
}

/// XEP-0045 §10.2.1
#[test]
fn occupants_are_told_that_the_room_has_changed() {
    let mut script = three_in_a_room();
    let status = |code: u16| {
        format!(
            "<message from='{COVEN}' type='groupchat'>\
             <x xmlns='http://jabber.org/protocol/muc#user'><status code='{code}'/></x></message>"
        )
    };
    for (var, value, code) in [
        ("muc#roomconfig_roomname", "x", 104),
        ("muc#roomconfig_whois", "anyone", 172),
        ("muc#roomconfig_whois", "moderators", 173),
    ] {
        configure(&mut script, "alice", &field(var, value));
        script.expect("bob", &status(code));
        script.expect("carol", &status(code));
        for actor in ["bob", "carol"] {
            script.forget(actor);
        }
    }
    configure(&mut script, "alice", &field("muc#roomconfig_roomname", "x"));
    script.expect_nothing("bob");
}

/// XEP-0045 §4.2: in a non-anonymous room "an occupant's full JID is exposed to
/// all other occupants", those too who came before it was one; whoever becomes a
/// moderator later knows them already.
#[test]
fn in_a_room_that_becomes_non_anonymous_all_learn_who_the_others_are() {
    let mut script = three_in_a_room();
    configure(
        &mut script,
        "alice",
        &field("muc#roomconfig_whois", "anyone"),
    );
    script.expect("carol", &format!("<message from='{COVEN}'/>"));
    for name in ["alice", "bob"] {
        script.expect(
            "carol",
            &format!(
                "<presence from='{COVEN}/{name}'><x xmlns='http://jabber.org/protocol/muc#user'>\
                 <item jid='{name}@example.org/phone'/></x></presence>"
            ),
        );
    }
    script.expect_nothing("carol");
}

/// XEP-0045 §10.2: "the service MUST remove any non-members from the room and
/// include a status code of 322 in the presence unavailable stanzas sent to those
/// users as well as any remaining occupants".
#[test]
fn a_room_that_becomes_one_for_members_only_loses_those_who_are_none() {
    let mut script = three_in_a_room();
    script.send(
        "alice",
        &admin("<item affiliation='member' jid='carol@example.org'/>"),
    );
    for actor in ["alice", "bob", "carol"] {
        script.forget(actor);
    }
    let members_only = field("muc#roomconfig_membersonly", "1");
    let form = format!("<x xmlns='jabber:x:data' type='submit'>{members_only}</x>");
    script.send("alice", &owner("set", &form));
    script.expect("alice", "<iq type='result' id='owner'/>");
    for (actor, item, own) in [
        ("alice", " jid='bob@example.org/phone'", ""),
        ("bob", "", "<status code='110'/>"),
        ("carol", "", ""),
    ] {
        script.expect(
            actor,
            &format!(
                "<message from='{COVEN}' type='groupchat'>\
                 <x xmlns='http://jabber.org/protocol/muc#user'><status code='104'/></x></message>"
            ),
        );
        script.expect(
            actor,
            &format!(
                "<presence from='{COVEN}/bob' to='{actor}@example.org/phone' type='unavailable'>\
                 <x xmlns='http://jabber.org/protocol/muc#user'>\
                 <item affiliation='none' role='none'{item}/>{own}<status code='322'/></x></presence>"
            ),
        );
        script.expect_nothing(actor);
    }
    say(&mut script, "carol", "we", &["alice"]);
    script.expect_nothing("bob");
}

/// XEP-0045 §10.1.1: until its owner has opened a room, it is there for nobody
/// else.
#[test]
fn a_room_that_is_not_open_yet_answers_nobody_but_its_owner() {
    let mut script = Script::new(&["alice", "bob"]);
    for actor in ["alice", "bob"] {
        script.appear(actor, &format!("{actor}@example.org/phone"));
    }
    let enter = format!("<presence to='{COVEN}/alice'>{JOIN}</presence>");
    script.send("alice", &enter);
    script.forget("alice");
    let ask =
        |kind: &str, content: &str| format!("<iq type='{kind}' id='a' to='{COVEN}'>{content}</iq>");
    let info = ask(
        "get",
        "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    );
    let x = "http://jabber.org/protocol/muc#user";
    for stanza in [
        info.clone(),
        ask("get", "<vCard xmlns='vcard-temp'/>"),
        ask("set", "<query xmlns='urn:xmpp:mam:2'/>"),
        register(&registration("bob")),
        register("").replace("'set'", "'get'"),
        owner("get", ""),
        format!(
            "<message to='{COVEN}'><x xmlns='{x}'><decline to='alice@example.org'/></x></message>"
        ),
        format!("<message to='{COVEN}' type='groupchat'><body>x</body></message>"),
    ] {
        script.send("bob", &stanza);
        let answer = format!("{:?}", script.receive("bob"));
        assert!(answer.contains("<item-not-found"), "{stanza}: {answer}");
    }
    script.expect_nothing("alice");
    script.send("alice", &info);
    script.expect("alice", "<iq type='result' id='a'/>");
    configure(&mut script, "alice", "");
    assert_eq!(listed(&mut script, "member").len(), 0);
    script.send("bob", &info);
    script.expect("bob", "<iq type='result' id='a'/>");
}
