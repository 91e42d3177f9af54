//! Roles and affiliations.

use super::{COVEN, JOIN, admin, configure, coven, field, join, refused, three_in_a_room};
use anser_tests::script::Script;

fn done(script: &mut Script, actor: &str) {
    script.expect(
        actor,
        &format!("<iq type='result' id='admin' from='{COVEN}'/>"),
    );
}

/// Somebody asks for a list; gives what is in it.
fn list(script: &mut Script, actor: &str, item: &str) -> Result<Vec<String>, String> {
    script.send(
        actor,
        &format!(
            "<iq type='get' id='list' to='{COVEN}'>\
             <query xmlns='http://jabber.org/protocol/muc#admin'>{item}</query></iq>"
        ),
    );
    let answer = script.receive(actor);
    if answer.attribute("type").as_deref() == Some("error") {
        let error = answer.child("jabber:client", "error").unwrap().open();
        return Err(error.children().next().unwrap().name().to_owned());
    }
    let query = answer.children().next().unwrap().open();
    let items = query.children();
    Ok(items
        .map(|item| {
            let attributes = ["jid", "nick", "affiliation", "role"];
            let values = attributes.map(|name| item.attribute(name).unwrap_or_default());
            values.join(" ")
        })
        .collect())
}

/// XEP-0045 §8.2
#[test]
fn whoever_is_kicked_is_told_why_and_by_whom_and_so_is_everybody() {
    let mut script = three_in_a_room();
    script.send(
        "alice",
        &admin("<item nick='bob' role='none'><reason>Avaunt</reason></item>"),
    );
    let gone = "<presence from='coven@rooms.example.org/bob' type='unavailable'>\
         <x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='none'>\
         <actor nick='alice'/><reason>Avaunt</reason></item><status code='307'/></x></presence>";
    for actor in ["alice", "bob", "carol"] {
        if actor == "alice" {
            // What she has done, she is told first.
            done(&mut script, "alice");
        }
        script.expect(actor, gone);
    }
    script.play(
        "
        bob   C: <message to='coven@rooms.example.org' type='groupchat' id='1'><body>x</body></message>
        bob   S: <message type='error' id='1'/>
        carol S: nothing
        ",
    );
    join(&mut script, "bob", "bob", &["alice", "carol"]);
    script.send("carol", &admin("<item nick='bob' role='none'/>"));
    script.expect("carol", &refused("auth", "forbidden"));
    script.expect_nothing("bob");
}

/// XEP-0045 §8.2: "if a moderator who is a member attempts to kick an admin, or a
/// moderator who is a member or admin attempts to kick an owner, the service
/// MUST deny the request and return a <not-allowed/> error".
#[test]
fn nobody_kicks_or_bans_those_who_stand_higher() {
    let mut script = three_in_a_room();
    script.send(
        "alice",
        &admin("<item affiliation='admin' jid='bob@example.org'/>"),
    );
    for actor in ["alice", "bob", "carol"] {
        script.forget(actor);
    }
    for (item, kind, condition) in [
        ("<item nick='alice' role='none'/>", "cancel", "not-allowed"),
        (
            "<item affiliation='outcast' jid='alice@example.org'/>",
            "cancel",
            "not-allowed",
        ),
        (
            "<item affiliation='none' jid='alice@example.org'/>",
            "auth",
            "forbidden",
        ),
        (
            "<item nick='alice' role='visitor'/>",
            "cancel",
            "not-allowed",
        ),
        (
            "<item nick='alice' role='participant'/>",
            "cancel",
            "not-allowed",
        ),
        (
            "<item affiliation='admin' jid='carol@example.org'/>",
            "auth",
            "forbidden",
        ),
        (
            "<item affiliation='outcast' jid='bob@example.org'/>",
            "cancel",
            "not-allowed",
        ),
    ] {
        script.send("bob", &admin(item));
        script.expect("bob", &refused(kind, condition));
    }
    script.expect_nothing("alice");
}

/// XEP-0045 §9.1
#[test]
fn whoever_is_banned_leaves_and_does_not_come_back() {
    let mut script = three_in_a_room();
    script.send(
        "alice",
        &admin("<item affiliation='outcast' jid='bob@example.org'><reason>Treason</reason></item>"),
    );
    done(&mut script, "alice");
    let gone = "<presence from='coven@rooms.example.org/bob' type='unavailable'>\
         <x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='outcast' role='none'>\
         <actor nick='alice'/><reason>Treason</reason></item><status code='301'/></x></presence>";
    for actor in ["alice", "bob", "carol"] {
        script.expect(actor, gone);
    }
    script.play(
        "
        bob C: <presence to='coven@rooms.example.org/bob'><x xmlns='http://jabber.org/protocol/muc'/></presence>
        bob S: <presence type='error'><error type='auth'>
            <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
        ",
    );
    let outcasts = list(&mut script, "alice", "<item affiliation='outcast'/>");
    assert_eq!(outcasts.unwrap(), ["bob@example.org  outcast "]);
    let refused = list(&mut script, "carol", "<item affiliation='outcast'/>");
    assert_eq!(refused.unwrap_err(), "forbidden");
}

/// XEP-0045 §8.3, §8.4, §8.5
#[test]
fn voice_is_given_and_taken() {
    let mut script = three_in_a_room();
    script.send("alice", &admin("<item nick='bob' role='visitor'/>"));
    done(&mut script, "alice");
    let seen = |role: &str| {
        format!(
            "<presence from='{COVEN}/bob'><x xmlns='http://jabber.org/protocol/muc#user'>\
             <item affiliation='none' role='{role}'/></x></presence>"
        )
    };
    for actor in ["alice", "bob", "carol"] {
        script.expect(actor, &seen("visitor"));
    }
    script.play(
        "
        bob C: <message to='coven@rooms.example.org' type='groupchat' id='1'><body>x</body></message>
        bob S: <message type='error' id='1'/>
        ",
    );
    let voices = list(&mut script, "alice", "<item role='participant'/>");
    assert_eq!(
        voices.unwrap(),
        ["carol@example.org/phone carol none participant"]
    );
    script.send("alice", &admin("<item nick='bob' role='participant'/>"));
    script.expect("carol", &seen("participant"));
    let refused = list(&mut script, "carol", "<item role='participant'/>");
    assert_eq!(refused.unwrap_err(), "forbidden");
}

/// XEP-0045 §8.3
#[test]
fn a_role_that_somebody_has_already_is_no_news() {
    let mut script = three_in_a_room();
    script.send("alice", &admin("<item nick='bob' role='participant'/>"));
    done(&mut script, "alice");
    for actor in ["alice", "bob", "carol"] {
        script.expect_nothing(actor);
    }
}

/// XEP-0045 §9.6, §9.7
#[test]
fn a_moderator_is_made_and_acts_as_one() {
    let mut script = three_in_a_room();
    script.send("alice", &admin("<item nick='bob' role='moderator'/>"));
    script.expect(
        "bob",
        "<presence from='coven@rooms.example.org/bob'>\
         <x xmlns='http://jabber.org/protocol/muc#user'><item role='moderator'/></x></presence>",
    );
    script.forget("carol");
    script.send("bob", &admin("<item nick='carol' role='none'/>"));
    script.expect("carol", "<presence type='unavailable'/>");
}

/// XEP-0045 §8: a moderator may "discover an occupant's full JID in a
/// semi-anonymous room (occurs automatically through presence)".
#[test]
fn whoever_becomes_a_moderator_is_told_who_those_are_who_are_there() {
    for item in [
        "<item nick='bob' role='moderator'/>",
        "<item affiliation='admin' jid='bob@example.org'/>",
    ] {
        let mut script = three_in_a_room();
        script.send("alice", &admin(item));
        script.play(
            "
            bob   S: <presence from='coven@rooms.example.org/bob'>
                <x xmlns='http://jabber.org/protocol/muc#user'><item role='moderator'/>
                <status code='110'/></x></presence>
            bob   S: <presence from='coven@rooms.example.org/alice'>
                <x xmlns='http://jabber.org/protocol/muc#user'>
                <item role='moderator' jid='alice@example.org/phone'/></x></presence>
            bob   S: <presence from='coven@rooms.example.org/carol'>
                <x xmlns='http://jabber.org/protocol/muc#user'>
                <item role='participant' jid='carol@example.org/phone'/></x></presence>
            bob   S: nothing
            carol S: <presence from='coven@rooms.example.org/bob'/>
            carol S: nothing
            ",
        );
    }
}

/// XEP-0045 §4.2, §8
#[test]
fn whoever_knows_already_who_everybody_is_is_not_told_again() {
    let mut script = three_in_a_room();
    configure(
        &mut script,
        "alice",
        &field("muc#roomconfig_whois", "anyone"),
    );
    script.forget("bob");
    script.send("alice", &admin("<item nick='bob' role='moderator'/>"));
    script.expect("bob", "<presence from='coven@rooms.example.org/bob'/>");
    script.expect_nothing("bob");
}

/// XEP-0045 §9.3, §9.4
#[test]
fn members_are_made_and_unmade_and_in_a_room_for_members_only_that_ends_their_visit() {
    let mut script = three_in_a_room();
    for member in ["bob", "carol"] {
        let item =
            format!("<item affiliation='member' jid='{member}@example.org' nick='{member}'/>");
        script.send("alice", &admin(&item));
    }
    script.expect(
        "bob",
        "<presence from='coven@rooms.example.org/bob'>\
         <x xmlns='http://jabber.org/protocol/muc#user'>\
         <item affiliation='member' role='participant'/></x></presence>",
    );
    script.forget("alice");
    let members = list(&mut script, "alice", "<item affiliation='member'/>");
    let all = [
        "bob@example.org bob member ",
        "carol@example.org carol member ",
    ];
    assert_eq!(members.unwrap(), all);
    configure(
        &mut script,
        "alice",
        &field("muc#roomconfig_membersonly", "1"),
    );
    for actor in ["alice", "bob", "carol"] {
        script.forget(actor);
    }
    script.send(
        "alice",
        &admin("<item affiliation='none' jid='bob@example.org'/>"),
    );
    script.play(
        "
        bob   S: <presence from='coven@rooms.example.org/bob' type='unavailable'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <item affiliation='none' role='none'/><status code='321'/></x></presence>
        carol S: <presence from='coven@rooms.example.org/bob' type='unavailable'>
            <x xmlns='http://jabber.org/protocol/muc#user'><status code='321'/></x></presence>
        carol S: nothing
        ",
    );
    // Who becomes a member of such a room is asked in (§9.5).
    script.send(
        "alice",
        &admin("<item affiliation='member' jid='bob@example.org'/>"),
    );
    script.expect(
        "bob",
        "<message from='coven@rooms.example.org'><x xmlns='http://jabber.org/protocol/muc#user'>\
         <invite from='alice@example.org'/></x></message>",
    );
}

/// XEP-0045 §9.5: "If the room is non-anonymous, a service SHOULD also return the
/// member list to any occupant in a members-only room".
#[test]
fn members_see_each_other_where_everybody_sees_everybody() {
    let mut script = three_in_a_room();
    script.send(
        "alice",
        &admin("<item affiliation='member' jid='bob@example.org'/>"),
    );
    configure(
        &mut script,
        "alice",
        &field("muc#roomconfig_whois", "anyone"),
    );
    for actor in ["alice", "bob", "carol"] {
        script.forget(actor);
    }
    assert!(list(&mut script, "bob", "<item affiliation='member'/>").is_ok());
    let refused = list(&mut script, "carol", "<item affiliation='member'/>");
    assert_eq!(refused.unwrap_err(), "forbidden");
}

/// XEP-0045 §10.5, §10.8: "If the <user@host> of the 'from' address does not match
/// the bare JID of a room owner, the service MUST return a <forbidden/> error to
/// the sender in semi-anonymous rooms."
#[test]
fn who_decides_in_a_room_is_for_its_owners_where_not_everybody_sees_everybody() {
    let mut script = three_in_a_room();
    script.send(
        "alice",
        &admin("<item affiliation='admin' jid='bob@example.org'/>"),
    );
    let everybody = field("muc#roomconfig_getmemberlist", "visitor");
    configure(&mut script, "alice", &everybody);
    for (affiliation, of_owner, of_admin, of_nobody) in [
        ("owner", true, false, false),
        ("admin", true, false, false),
        ("member", true, true, true),
        ("outcast", true, true, false),
    ] {
        let item = format!("<item affiliation='{affiliation}'/>");
        for (actor, may_see) in [("alice", of_owner), ("bob", of_admin), ("carol", of_nobody)] {
            script.forget(actor);
            let list = list(&mut script, actor, &item);
            assert_eq!(list.is_ok(), may_see, "{actor}, {affiliation}: {list:?}");
        }
    }
    let open = field("muc#roomconfig_whois", "anyone");
    configure(&mut script, "alice", &open);
    for actor in ["bob", "carol"] {
        script.forget(actor);
        assert!(list(&mut script, actor, "<item affiliation='owner'/>").is_ok());
    }
}

/// XEP-0045 §10.4, §9.1
#[test]
fn the_last_owner_stays_one_and_nobody_bans_themselves() {
    let mut script = coven();
    for item in [
        "<item affiliation='admin' jid='alice@example.org'/>",
        "<item affiliation='outcast' jid='alice@example.org'/>",
    ] {
        script.send("alice", &admin(item));
        script.expect("alice", &refused("cancel", "conflict"));
    }
    script.send(
        "alice",
        &admin("<item affiliation='owner' jid='bob@example.org/phone'/>"),
    );
    done(&mut script, "alice");
    script.send(
        "alice",
        &admin("<item affiliation='outcast' jid='alice@example.org'/>"),
    );
    script.expect("alice", &refused("cancel", "conflict"));
    script.send(
        "alice",
        &admin("<item affiliation='member' jid='alice@example.org'/>"),
    );
    done(&mut script, "alice");
    script.expect(
        "alice",
        "<presence from='coven@rooms.example.org/alice'>\
         <x xmlns='http://jabber.org/protocol/muc#user'>\
         <item affiliation='member' role='participant'/></x></presence>",
    );
}

/// XEP-0045 §9.2: "the service SHOULD NOT apply any of the requested changes".
#[test]
fn of_several_changes_all_are_made_or_none() {
    let mut script = three_in_a_room();
    script.send(
        "alice",
        &admin(
            "<item affiliation='member' jid='bob@example.org'/>\
             <item affiliation='outcast' jid='alice@example.org'/>",
        ),
    );
    script.expect("alice", &refused("cancel", "conflict"));
    script.send(
        "alice",
        &admin("<item nick='bob' role='visitor'/><item nick='nobody' role='visitor'/>"),
    );
    script.expect("alice", &refused("cancel", "item-not-found"));
    script.expect_nothing("bob");
    let members = list(&mut script, "alice", "<item affiliation='member'/>");
    assert_eq!(members.unwrap(), Vec::<String>::new());
}

/// XEP-0045 §17.4
#[test]
fn a_change_that_makes_no_sense_is_a_bad_request() {
    let mut script = three_in_a_room();
    for (item, kind, condition) in [
        ("", "modify", "bad-request"),
        ("<item/>", "modify", "bad-request"),
        ("<item nick='bob' role='king'/>", "modify", "bad-request"),
        (
            "<item affiliation='king' jid='bob@example.org'/>",
            "modify",
            "bad-request",
        ),
        (
            "<item nick='bob' role='visitor' affiliation='member'/>",
            "modify",
            "bad-request",
        ),
        ("<item role='visitor'/>", "modify", "bad-request"),
        ("<item affiliation='member'/>", "modify", "bad-request"),
        (
            "<item affiliation='member' jid='@'/>",
            "modify",
            "jid-malformed",
        ),
    ] {
        script.send("alice", &admin(item));
        script.expect("alice", &refused(kind, condition));
    }
    for item in [
        "",
        "<item/>",
        "<item role='x'/>",
        "<item affiliation='none' role='none'/>",
    ] {
        assert_eq!(
            list(&mut script, "alice", item).unwrap_err(),
            "bad-request",
            "{item}"
        );
    }
}

/// XEP-0045 §9.1, CVE-2020-8086: a role on the server or in another room gives
/// none here, and neither does looking like somebody else.
#[test]
fn an_affiliation_is_of_a_whole_bare_address() {
    let mut script = coven();
    script.log_in("dave", "dave@example.org/alice@example.org");
    script.send(
        "dave",
        &format!("<presence to='{COVEN}/owner'>{JOIN}</presence>"),
    );
    script.forget("alice");
    script.forget("dave");
    script.send(
        "dave",
        &admin("<item affiliation='outcast' jid='alice@example.org'/>"),
    );
    script.expect("dave", &refused("auth", "forbidden"));
    // Who owns one room owns no other.
    script.send(
        "dave",
        &format!("<presence to='heath@rooms.example.org/dave'>{JOIN}</presence>"),
    );
    script.forget("dave");
    script.send("dave", &admin("<item nick='alice' role='none'/>"));
    script.expect("dave", &refused("auth", "forbidden"));
    script.expect_nothing("alice");
}

/// XEP-0045 §7.6, §7.10, §7.12
#[test]
fn a_nickname_that_is_kept_is_nobody_elses_also_when_its_holder_is_away() {
    let mut script = coven();
    script.send(
        "alice",
        &admin("<item affiliation='member' jid='bob@example.org' nick='Hecate'/>"),
    );
    script.forget("alice");
    script.play(
        "
        carol C: <presence to='coven@rooms.example.org/hecate'>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        carol S: <presence type='error'><error type='cancel'>
            <conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
        bob   C: <iq type='get' id='n' to='coven@rooms.example.org'>
            <query xmlns='http://jabber.org/protocol/disco#info' node='x-roomuser-item'/></iq>
        bob   S: <iq type='result' id='n'><query node='x-roomuser-item'
            xmlns='http://jabber.org/protocol/disco#info'>
            <identity category='conference' type='text' name='Hecate'/></query></iq>
        bob   C: <presence to='coven@rooms.example.org/Hecate'>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        bob   S: <presence from='coven@rooms.example.org/alice'/>
        bob   S: <presence from='coven@rooms.example.org/Hecate'/>
        ",
    );
    script.send(
        "alice",
        &admin("<item affiliation='member' jid='carol@example.org' nick='HECATE'/>"),
    );
    script.forget("bob");
    loop {
        let stanza = script.receive("alice");
        if stanza.name() == "iq" {
            assert_eq!(stanza.attribute("type").as_deref(), Some("error"));
            break;
        }
    }
}
