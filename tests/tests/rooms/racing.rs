//! Several things at once: what is on its way while somebody leaves, is hidden,
//! or ends the room.

use super::{
    COVEN, JOIN, admin, configure, coven, field, listed, refused, register, registration,
    three_in_a_room,
};
use anser_hub::{AccountsConfig, RoomConfig, RoomError};
use anser_store::JournalLimits;
use anser_tests::script::Script;
use anser_tests::world::World;
use anser_xmpp::XmppConfig;

const DESTROY: &str = "<iq type='set' id='end' to='coven@rooms.example.org'>\
     <query xmlns='http://jabber.org/protocol/muc#owner'><destroy/></query></iq>";

fn say(script: &mut Script, actor: &str, text: &str) {
    let to = format!("to='{COVEN}' type='groupchat' id='{text}'");
    script.send(
        actor,
        &format!("<message {to}><body>{text}</body></message>"),
    );
}

/// XEP-0045 §10.9: what is in the log before the room ends was said before.
#[test]
fn what_was_said_before_the_end_of_a_room_is_heard_before_it() {
    let mut script = three_in_a_room();
    script.hold_commits(true);
    say(&mut script, "bob", "last");
    script.send("alice", DESTROY);
    say(&mut script, "bob", "late");
    script.hold_commits(false);
    script.world.settle();
    script.expect("bob", "<message type='error' id='late'/>");
    for actor in ["bob", "carol"] {
        script.expect(
            actor,
            "<message from='coven@rooms.example.org/bob'><body>last</body></message>",
        );
        script.expect(
            actor,
            "<presence type='unavailable'><x xmlns='http://jabber.org/protocol/muc#user'>\
             <destroy/></x></presence>",
        );
        script.expect_nothing(actor);
    }
}

/// A room that could not be ended is as if nobody had tried.
#[test]
fn what_was_said_while_a_room_did_not_end_after_all_is_heard_and_kept() {
    let one_by_one = JournalLimits {
        commit_batches: 1,
        ..JournalLimits::default()
    };
    let (accounts, xmpp) = (AccountsConfig::default(), XmppConfig::default());
    let world = World::with_limits(0, &["alice", "bob"], accounts, xmpp, one_by_one);
    let mut script = Script::in_world(world);
    for actor in ["alice", "bob"] {
        script.appear(actor, &format!("{actor}@example.org/phone"));
    }
    let enter = |actor: &str| format!("<presence to='{COVEN}/{actor}'>{JOIN}</presence>");
    script.send("alice", &enter("alice"));
    configure(&mut script, "alice", "");
    script.hold_commits(true);
    say(&mut script, "alice", "kept");
    script.send("alice", DESTROY);
    assert_eq!(script.world.commit(), 1);
    script.world.space().grant(Some(0));
    script.hold_commits(false);
    script.world.settle();
    script.expect("alice", "<iq type='error' id='end'/>");
    script.expect(
        "alice",
        "<message from='coven@rooms.example.org/alice'><body>kept</body></message>",
    );
    script.send("bob", &enter("bob"));
    script.expect("bob", "<presence from='coven@rooms.example.org/alice'/>");
    script.expect("bob", "<presence from='coven@rooms.example.org/bob'/>");
    script.expect(
        "bob",
        "<message from='coven@rooms.example.org/alice'><body>kept</body></message>",
    );
}

/// `muc#roomconfig_presencebroadcast`: whoever has no voice is not seen.
const SPEAKERS_ONLY: &str = "<field var='muc#roomconfig_presencebroadcast'>\
     <value>moderator</value><value>participant</value></field>";

/// XEP-0045 §5.1.3: others are told of a change if presence of the new role is
/// broadcast; if it is not, nobody is seen as what they were.
#[test]
fn whoever_loses_a_role_that_is_shown_has_gone_for_the_others() {
    let mut script = three_in_a_room();
    configure(&mut script, "alice", SPEAKERS_ONLY);
    for actor in ["bob", "carol"] {
        script.expect(actor, "<message from='coven@rooms.example.org'/>");
    }
    script.forget("alice");
    script.send("alice", &admin("<item nick='bob' role='visitor'/>"));
    script.expect("alice", "<iq type='result' id='admin'/>");
    for actor in ["alice", "carol"] {
        script.expect(
            actor,
            "<presence from='coven@rooms.example.org/bob' type='unavailable'>\
             <x xmlns='http://jabber.org/protocol/muc#user'>\
             <item affiliation='none' role='none'/></x></presence>",
        );
        script.expect_nothing(actor);
    }
    script.expect(
        "bob",
        "<presence from='coven@rooms.example.org/bob'>\
         <x xmlns='http://jabber.org/protocol/muc#user'>\
         <item affiliation='none' role='visitor'/><status code='110'/></x></presence>",
    );
    script.send("alice", &admin("<item nick='bob' role='participant'/>"));
    script.expect(
        "carol",
        "<presence from='coven@rooms.example.org/bob'>\
         <x xmlns='http://jabber.org/protocol/muc#user'>\
         <item affiliation='none' role='participant'/></x></presence>",
    );
}

/// XEP-0045 §10.2.1: nobody sees a real address before they know that theirs is
/// seen too.
#[test]
fn who_is_shown_changes_with_the_configuration_and_that_is_said_first() {
    let mut script = three_in_a_room();
    script.send("alice", &admin("<item nick='bob' role='visitor'/>"));
    for actor in ["alice", "bob", "carol"] {
        script.forget(actor);
    }
    let news = |statuses: &str| {
        format!(
            "<message from='{COVEN}'><x xmlns='http://jabber.org/protocol/muc#user'>\
             {statuses}</x></message>"
        )
    };
    configure(&mut script, "alice", SPEAKERS_ONLY);
    script.expect("carol", &news("<status code='104'/>"));
    script.expect(
        "carol",
        "<presence from='coven@rooms.example.org/bob' type='unavailable'/>",
    );
    script.expect("bob", &news("<status code='104'/>"));
    let all = SPEAKERS_ONLY.replace("</field>", "<value>visitor</value></field>");
    configure(
        &mut script,
        "alice",
        &(all + &field("muc#roomconfig_whois", "anyone")),
    );
    script.expect("carol", &news("<status code='172'/><status code='104'/>"));
    script.expect(
        "carol",
        "<presence from='coven@rooms.example.org/alice'>\
         <x xmlns='http://jabber.org/protocol/muc#user'>\
         <item jid='alice@example.org/phone'/></x></presence>",
    );
    script.expect(
        "carol",
        "<presence from='coven@rooms.example.org/bob'>\
         <x xmlns='http://jabber.org/protocol/muc#user'>\
         <item affiliation='none' role='visitor' jid='bob@example.org/phone'/></x></presence>",
    );
}

/// XEP-0045 §10.5: a room keeps an owner, also against a request that names one
/// and takes them back.
#[test]
fn a_change_that_names_somebody_twice_is_refused() {
    let mut script = three_in_a_room();
    let bob =
        |affiliation: &str| format!("<item affiliation='{affiliation}' jid='bob@example.org'/>");
    let none = "<item affiliation='none' jid='alice@example.org'/>";
    script.send("alice", &admin(&(bob("owner") + &bob("none") + none)));
    script.expect("alice", &refused("modify", "bad-request"));
    let nick =
        |who: &str| format!("<item affiliation='member' jid='{who}@example.org' nick='Hag'/>");
    script.send("alice", &admin(&(nick("bob") + &nick("carol"))));
    script.expect("alice", &refused("cancel", "conflict"));
    script.expect_nothing("bob");
}

/// XEP-0045 §10.2: nobody is there whose leaving would end it.
#[test]
fn an_empty_room_that_its_owner_does_not_keep_any_more_ends() {
    let mut script = coven();
    script.send(
        "alice",
        &format!("<presence to='{COVEN}/alice' type='unavailable'/>"),
    );
    script.forget("alice");
    configure(
        &mut script,
        "alice",
        &field("muc#roomconfig_persistentroom", "0"),
    );
    script.send(
        "bob",
        &format!("<presence to='{COVEN}/bob'>{JOIN}</presence>"),
    );
    script.expect(
        "bob",
        "<presence from='coven@rooms.example.org/bob'>\
         <x xmlns='http://jabber.org/protocol/muc#user'>\
         <item affiliation='owner' role='moderator'/>\
         <status code='110'/><status code='201'/></x></presence>",
    );
}

/// XEP-0045 §7.2.18, RFC 6120 §10.1: what comes from one address comes in order.
#[test]
fn whoever_is_told_that_they_are_not_there_has_been_told_why_before() {
    let mut script = three_in_a_room();
    script.send(
        "bob",
        &format!(
            "<presence to='{COVEN}/bob' type='unavailable'/>\
             <presence to='{COVEN}/bob'><show>away</show></presence>"
        ),
    );
    for statuses in [
        "<status code='110'/>",
        "<status code='110'/><status code='307'/><status code='333'/>",
    ] {
        script.expect(
            "bob",
            &format!(
                "<presence from='{COVEN}/bob' type='unavailable'>\
                 <x xmlns='http://jabber.org/protocol/muc#user'>{statuses}</x></presence>"
            ),
        );
    }
}

/// XEP-0045 §9.1, §7.10: what somebody may become is decided on what the change
/// before it leaves.
#[test]
fn a_ban_on_its_way_is_not_undone_by_whoever_it_is_for() {
    for content in [registration("bob"), "<remove/>".to_owned()] {
        let mut script = three_in_a_room();
        let bob = |affiliation| {
            let item = format!("<item affiliation='{affiliation}' jid='bob@example.org'/>");
            admin(&item)
        };
        script.send("alice", &bob("member"));
        for actor in ["alice", "bob", "carol"] {
            script.forget(actor);
        }
        script.hold_commits(true);
        script.send("alice", &bob("outcast"));
        script.send("bob", &register(&content));
        script.hold_commits(false);
        script.world.settle();
        script.expect("bob", &refused("cancel", "not-allowed"));
        script.expect(
            "bob",
            "<presence type='unavailable'><x xmlns='http://jabber.org/protocol/muc#user'>\
             <status code='301'/></x></presence>",
        );
        script.forget("alice");
        assert_eq!(listed(&mut script, "outcast"), ["bob@example.org"]);
        assert_eq!(listed(&mut script, "member").len(), 0);
    }
}

/// XEP-0045 §9.1, §9.5
#[test]
fn a_ban_on_its_way_is_not_undone_by_an_invitation() {
    let mut script = three_in_a_room();
    script.send(
        "alice",
        &admin("<item affiliation='member' jid='carol@example.org'/>"),
    );
    let members_only = field("muc#roomconfig_membersonly", "1");
    configure(&mut script, "alice", &members_only);
    for actor in ["alice", "carol"] {
        script.forget(actor);
    }
    script.hold_commits(true);
    script.send(
        "alice",
        &admin("<item affiliation='outcast' jid='dave@example.org'/>"),
    );
    script.send(
        "carol",
        &format!(
            "<message to='{COVEN}' id='i'><x xmlns='http://jabber.org/protocol/muc#user'>\
             <invite to='dave@example.org'/></x></message>"
        ),
    );
    script.hold_commits(false);
    script.world.settle();
    script.expect(
        "carol",
        "<message type='error' id='i'><error type='cancel'>\
         <not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
    );
    script.forget("alice");
    assert_eq!(listed(&mut script, "outcast"), ["dave@example.org"]);
}

/// XEP-0045 §10.9: only an owner ends a room, and only as one.
#[test]
fn whoever_is_about_to_own_the_room_no_longer_does_not_end_it() {
    let mut script = three_in_a_room();
    let bob = |affiliation| {
        let item = format!("<item affiliation='{affiliation}' jid='bob@example.org'/>");
        admin(&item)
    };
    script.send("alice", &bob("owner"));
    for actor in ["alice", "bob", "carol"] {
        script.forget(actor);
    }
    script.hold_commits(true);
    script.send("alice", &bob("none"));
    script.send("bob", DESTROY);
    script.hold_commits(false);
    script.world.settle();
    script.expect("bob", &refused("auth", "forbidden"));
    script.expect("bob", "<presence from='coven@rooms.example.org/bob'/>");
    script.expect("carol", "<presence from='coven@rooms.example.org/bob'/>");
    script.expect_nothing("carol");
}

/// Whoever runs the server makes rooms at these addresses, all of them or none.
fn create(script: &mut Script, addresses: &[&str]) -> Result<(), RoomError> {
    let rooms: Vec<_> = addresses
        .iter()
        .map(|address| (address.parse().unwrap(), RoomConfig::default(), Vec::new()))
        .collect();
    let (hub, now) = (script.world.hub().clone(), script.world.now());
    let created = async move { hub.create_rooms(&rooms, now).await };
    let created = script.world.complete(created);
    created.map_err(|(_, error)| error)
}

/// A room that whoever runs the server has made is nobody's who comes meanwhile,
/// and does not end with their visit.
#[test]
fn whoever_enters_a_room_that_is_just_being_made_enters_that() {
    let mut script = Script::new(&["bob"]);
    script.appear("bob", "bob@example.org/phone");
    script.hold_commits(true);
    let rooms = [(COVEN.parse().unwrap(), RoomConfig::default(), Vec::new())];
    let (hub, now) = (script.world.hub().clone(), script.world.now());
    script.world.spawn(async move {
        hub.create_rooms(&rooms, now).await.unwrap();
    });
    script.world.settle();
    let enter = format!("<presence to='{COVEN}/bob'>{JOIN}</presence>");
    let leave = format!("<presence to='{COVEN}/bob' type='unavailable'/>");
    script.send("bob", &enter);
    script.expect_nothing("bob");
    script.hold_commits(false);
    for _ in 0..2 {
        script.world.settle();
        script.expect(
            "bob",
            "<presence><x xmlns='http://jabber.org/protocol/muc#user'>\
             <item affiliation='none' role='participant'/></x></presence>",
        );
        script.send("bob", &leave);
        script.world.pass(std::time::Duration::from_secs(61));
        script.world.settle();
        script.forget("bob");
        assert_eq!(script.world.hub().room_count(), 0);
        script.send("bob", &enter);
    }
}

/// A room that was never open was never written down, and ends without a
/// trace; meanwhile there is none of its name.
#[test]
fn a_room_that_somebody_has_yet_to_open_is_in_the_way_of_another() {
    let mut script = Script::new(&["bob"]);
    script.appear("bob", "bob@example.org/phone");
    script.send(
        "bob",
        &format!("<presence to='{COVEN}/bob'>{JOIN}</presence>"),
    );
    let member = admin("<item affiliation='member' jid='carol@example.org'/>");
    script.send("bob", &member);
    let exists = create(&mut script, &[COVEN]);
    assert!(matches!(exists, Err(RoomError::Exists)));
    script.hold_commits(true);
    let leave = format!("<presence to='{COVEN}/bob' type='unavailable'/>");
    script.send("bob", &leave);
    assert_eq!(script.world.hub().room_count(), 0);
    script.hold_commits(false);
    create(&mut script, &[COVEN]).unwrap();
}

/// The second of two rooms of one name would replace the first.
#[test]
fn of_two_new_rooms_with_one_name_there_is_none() {
    let mut script = Script::new(&["bob"]);
    let refused = create(&mut script, &[COVEN, "heath@rooms.example.org", COVEN]);
    assert!(matches!(refused, Err(RoomError::Repeated)));
    create(&mut script, &["heath@rooms.example.org"]).unwrap();
}

/// XEP-0045 §7.14: however many rooms somebody was alone in, they end at once.
#[test]
fn rooms_that_nobody_keeps_end_with_one_commit() {
    let mut script = Script::new(&["alice"]);
    script.appear("alice", "alice@example.org/phone");
    let rooms: Vec<_> = (0..20)
        .map(|number| format!("r{number}@rooms.example.org"))
        .collect();
    let temporary = field("muc#roomconfig_persistentroom", "0");
    for room in &rooms {
        script.send(
            "alice",
            &format!("<presence to='{room}/x'>{JOIN}</presence>"),
        );
        script.send(
            "alice",
            &format!(
                "<iq type='set' id='c' to='{room}'><query xmlns='http://jabber.org/protocol/muc#owner'>\
                 <x xmlns='jabber:x:data' type='submit'>{temporary}</x></query></iq>"
            ),
        );
    }
    script.cut("alice");
    script.hold_commits(true);
    script.world.pass(std::time::Duration::from_secs(1));
    script.world.settle();
    let mut commits = 0;
    while script.world.commit() > 0 {
        commits += 1;
        script.world.settle();
    }
    assert_eq!((script.world.hub().room_count(), commits), (0, 1));
}
