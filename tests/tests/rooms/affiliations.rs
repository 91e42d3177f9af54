//! Affiliations, which stay: bans, members, admins and owners, and the lists of
//! them.

use super::{
    COVEN, JOIN, admin, configure, coven, done, field, list, owner, refused, three_in_a_room,
};
use anser_hub::{Domains, HubConfig};
use anser_tests::world::credentials;
use std::sync::Arc;

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

/// XEP-0045 §5.2, CVE-2020-8086: of two domains of a server, each has an Alice,
/// and each has a room of the same name.
#[test]
fn whoever_is_called_the_same_at_another_domain_is_somebody_else() {
    let mut script = coven();
    let domains = ["example.org", "example.net"].map(str::to_owned);
    let hub = Arc::clone(script.world.hub());
    hub.configure(HubConfig {
        domains: Domains::Only(domains.into()),
        ..(*hub.config()).clone()
    });
    let (other, now) = ("alice@example.net".parse().unwrap(), script.world.now());
    let add = async move { hub.create_accounts(&[(other, credentials())], now).await };
    script.world.complete(add).unwrap();
    script.appear("other", "alice@example.net/phone");
    script.play(
        "
        other C: <presence to='coven@rooms.example.org/other'>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        other S: <presence from='coven@rooms.example.org/alice'/>
        other S: <presence from='coven@rooms.example.org/other'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <item affiliation='none' role='participant'/></x></presence>
        other S: <message><subject/></message>
        alice S: <presence from='coven@rooms.example.org/other'/>
        ",
    );
    for item in [
        "<item affiliation='outcast' jid='alice@example.org'/>",
        "<item affiliation='owner' jid='alice@example.net'/>",
        "<item nick='alice' role='none'/>",
    ] {
        script.send("other", &admin(item));
        script.expect("other", &refused("auth", "forbidden"));
    }
    let destroy = owner("set", "<destroy/>");
    script.send("other", &destroy);
    script.expect("other", &refused("auth", "forbidden"));
    // Nor is Alice an owner where she is not.
    let net = |text: &str| text.replace(COVEN, "coven@rooms.example.net");
    script.send(
        "other",
        &net(&format!("<presence to='{COVEN}/alice'>{JOIN}</presence>")),
    );
    script.send(
        "other",
        &net(&owner("set", "<x xmlns='jabber:x:data' type='submit'/>")),
    );
    script.forget("other");
    script.send("alice", &net(&destroy));
    script.expect("alice", &net(&refused("auth", "forbidden")));
    // Who bans one of them does not ban the other.
    script.send(
        "alice",
        &admin("<item affiliation='outcast' jid='alice@example.net'/>"),
    );
    script.expect("other", "<presence type='unavailable'/>");
    script.forget("alice");
    let owners = list(&mut script, "alice", "<item affiliation='owner'/>");
    assert_eq!(owners.unwrap(), ["alice@example.org  owner "]);
}
