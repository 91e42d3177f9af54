//! Several devices of one account: what waits for them, and what of it was seen.
//! Some of them speak no XMPP here, but use the exchange as another front end
//! would.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_hub::{
    Event, HistoryQuery, Marked, Presence, PresenceKind, SessionHandle, Taken, Unread,
};
use anser_jid::{BareJid, Jid};
use anser_store::MessageId;
use anser_tests::script::Script;
use std::rc::Rc;
use std::sync::Arc;

fn bare(user: &str) -> BareJid {
    BareJid::new(Some(user), "example.org").unwrap()
}

/// A session of Bob's.
fn open(script: &mut Script, resource: &'static str) -> SessionHandle {
    let (hub, now) = (Arc::clone(script.world.hub()), script.world.now());
    script.world.complete(async move {
        let known = hub.credentials(&bare("bob")).await.unwrap();
        let (_, login) = known.unwrap();
        hub.open_session(login, resource, now).await.unwrap()
    })
}

/// The session broadcasts that it is there.
fn appear(script: &mut Script, session: &SessionHandle, priority: i8) {
    let from = Jid::from(session.address().clone());
    let kind = PresenceKind::Available { priority };
    let presence = Presence {
        kind,
        ..Presence::unavailable(from, bare("bob").into())
    };
    script.world.hub().appear(session, presence);
    script.world.settle();
}

/// The places of messages that the session is told of.
fn waiting(session: &SessionHandle) -> Vec<MessageId> {
    let places = |event| match event {
        Event::Waiting(places) => places,
        Event::Message { place, .. } => place.into_iter().collect(),
        _ => Vec::new(),
    };
    session
        .mailbox()
        .take()
        .into_iter()
        .flat_map(places)
        .collect()
}

/// Alice, who has written so many messages to Bob, who is away.
fn away(messages: u32) -> Script {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    for number in 1..=messages {
        say(&mut script, &format!("<body>{number}</body>"));
    }
    script
}

/// The session reads its account's log and acknowledges that, as whoever answers
/// for an archive does for it.
fn read_log(script: &mut Script, session: &SessionHandle) {
    let hub = Arc::clone(script.world.hub());
    let read = async move { hub.history(&bare("bob"), HistoryQuery::default()).await };
    let page = script.world.complete(read).unwrap();
    let hub = script.world.hub();
    hub.give_history(session, page.places.iter().copied());
    hub.taken(session, page.places.into_iter().map(Taken::History));
}

fn say(script: &mut Script, payload: &str) {
    let message = format!("<message to='bob@example.org' type='chat' id='m'>{payload}</message>");
    script.send("alice", &message);
}

/// XEP-0313 §6.1.1, XEP-0160 §2
#[test]
fn whoever_has_read_the_log_is_told_only_what_came_since() {
    let mut script = away(2);
    let session = open(&mut script, "desk");
    read_log(&mut script, &session);
    say(&mut script, "<body>3</body>");
    appear(&mut script, &session, 0);
    assert_eq!(waiting(&session).len(), 1);
    // XEP-0386 §3.2: what it has read waits for nobody else.
    script.appear("bob", "bob@example.org/phone");
    script.play(
        "
        bob S: <presence from='bob@example.org/desk'/>
        bob S: <message><body>3</body></message>
        bob S: nothing
        ",
    );
}

/// XEP-0160 §2: it is for the next one who takes messages.
#[test]
fn what_was_read_in_the_log_by_a_session_that_takes_no_messages_waits() {
    for priority in [None, Some(-1)] {
        let mut script = away(2);
        let session = open(&mut script, "desk");
        read_log(&mut script, &session);
        if let Some(priority) = priority {
            appear(&mut script, &session, priority);
        }
        assert_eq!(waiting(&session), []);
        let other = open(&mut script, "phone");
        appear(&mut script, &other, 0);
        assert_eq!(waiting(&other).len(), 2);
    }
}

/// What is under way to one session is read by another for itself.
#[test]
fn what_is_sent_to_another_session_goes_on_waiting_for_that() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    let phone = open(&mut script, "phone");
    let message = "<message to='bob@example.org/phone' type='chat'><body>1</body></message>";
    script.send("alice", message);
    let desk = open(&mut script, "desk");
    read_log(&mut script, &desk);
    appear(&mut script, &desk, 0);
    assert_eq!(waiting(&desk), []);
    assert_eq!(waiting(&phone).len(), 1);
    drop(phone);
    // It was lost with that session. The desk has read it; so it is done.
    assert_eq!(waiting(&desk), []);
    let later = open(&mut script, "watch");
    appear(&mut script, &later, 0);
    assert_eq!(waiting(&later), []);
}

/// How much Bob has not read of what Alice writes.
fn unread(script: &mut Script) -> (u32, u32, bool) {
    let hub = Arc::clone(script.world.hub());
    let read = async move {
        hub.unread(&bare("bob"), &bare("alice").into())
            .await
            .unwrap()
    };
    let Unread {
        messages,
        mentions,
        has_more,
    } = script.world.complete(read);
    (messages, mentions, has_more)
}

/// XEP-0333 §4.2
#[test]
fn what_a_device_was_shown_the_account_has_seen() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.appear("bob", "bob@example.org/phone");
    let write = |script: &mut Script, id: &str, text: &str| {
        script.send(
            "alice",
            &format!(
                "<message to='bob@example.org' type='chat' id='{id}'><body>{text}</body>\
                 <markable xmlns='urn:xmpp:chat-markers:0'/></message>"
            ),
        );
    };
    for (id, text) in [("1", "hello"), ("2", "Bob &amp; all?"), ("3", "well")] {
        write(&mut script, id, text);
    }
    assert_eq!(unread(&mut script), (3, 1, false));
    let marker = |id: &str| {
        format!(
            "<message to='alice@example.org'>\
             <displayed xmlns='urn:xmpp:chat-markers:0' id='{id}'/></message>"
        )
    };
    script.send("bob", &marker("1"));
    assert_eq!(unread(&mut script), (2, 1, false));
    script.send("bob", &marker("3"));
    assert_eq!(unread(&mut script), (0, 0, false));
    // What was seen stays seen, and what is not there cannot be.
    for id in ["1", "nothing"] {
        script.send("bob", &marker(id));
        assert_eq!(unread(&mut script), (0, 0, false));
    }
    write(&mut script, "4", "are you there?");
    assert_eq!(unread(&mut script), (1, 0, false));
    // Alice's own marker says nothing of Bob.
    script.send("alice", &marker("4").replace("alice@", "bob@"));
    assert_eq!(unread(&mut script), (1, 0, false));
}

/// Where the messages of an account's log stand.
fn places(script: &mut Script, user: &str) -> Vec<MessageId> {
    let (hub, account) = (Arc::clone(script.world.hub()), bare(user));
    let read = async move { hub.history(&account, HistoryQuery::default()).await };
    script.world.complete(read).unwrap().places
}

/// A device of Bob's was shown a conversation up to a place; whether that is news.
fn mark(script: &mut Script, device: &Rc<SessionHandle>, with: &str, place: MessageId) -> bool {
    let (hub, now) = (Arc::clone(script.world.hub()), script.world.now());
    let (device, with) = (Rc::clone(device), with.parse().unwrap());
    let marked = Marked::Place(place);
    let noted = async move { hub.mark_displayed(&device, &with, marked, now).await };
    script.world.complete(noted).unwrap()
}

/// XEP-0490 §5.1: "The displayed state only moves forward", and "Displayed states
/// with a stanza-id not found in the respective chat MUST be ignored".
#[test]
fn what_a_device_was_shown_up_to_a_place_the_account_has_seen() {
    let mut script = Script::new(&["alice", "bob", "carol"]);
    script.appear("alice", "alice@example.org/phone");
    script.appear("carol", "carol@example.org/phone");
    for text in ["one", "Bob &amp; all?", "three"] {
        say(&mut script, &format!("<body>{text}</body>"));
    }
    let alices = places(&mut script, "bob");
    say(&mut script, "<body>four</body>");
    let from_carol =
        |to: &str| format!("<message to='{to}@example.org' type='chat'><body/></message>");
    script.send("carol", &(from_carol("bob") + &from_carol("alice")));
    let desk = Rc::new(open(&mut script, "desk"));
    let alice = "alice@example.org";
    assert_eq!(unread(&mut script), (4, 1, false));
    assert!(mark(&mut script, &desk, alice, alices[1]));
    assert_eq!(unread(&mut script), (2, 0, false));
    // What was seen, what Carol says to Bob and to Alice, and nothing.
    let carols = places(&mut script, "carol");
    let (to_bob, to_alice) = (carols[0], carols[1]);
    for place in [alices[0], alices[1], to_bob, to_alice, to_alice.next()] {
        assert!(!mark(&mut script, &desk, alice, place), "{place}");
        assert_eq!(unread(&mut script), (2, 0, false), "{place}");
    }
    assert!(mark(&mut script, &desk, alice, alices[2]));
    assert_eq!(unread(&mut script), (1, 0, false));
}

#[test]
fn whoever_answers_has_read_what_came_before() {
    let mut script = away(3);
    script.appear("bob", "bob@example.org/phone");
    assert_eq!(unread(&mut script), (3, 0, false));
    script.send(
        "bob",
        "<message to='alice@example.org' type='chat'><body>yes</body></message>",
    );
    assert_eq!(unread(&mut script), (0, 0, false));
    say(&mut script, "<body>bob!</body>");
    assert_eq!(unread(&mut script), (1, 1, false));
    // A receipt is no answer.
    let receipt = "<received xmlns='urn:xmpp:receipts' id='m'/>";
    script.send(
        "bob",
        &format!("<message to='alice@example.org' type='chat'>{receipt}</message>"),
    );
    assert_eq!(unread(&mut script), (1, 1, false));
}

/// XEP-0372 §4.2, XEP-0308, XEP-0444, XEP-0085
#[test]
fn only_what_can_be_read_counts_as_unread() {
    let mut script = away(0);
    for (payload, expected) in [
        (
            "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
            (0, 0),
        ),
        ("<received xmlns='urn:xmpp:receipts' id='1'/>", (0, 0)),
        ("<body>x</body>", (1, 0)),
        (
            "<body>bob</body><replace id='1' xmlns='urn:xmpp:message-correct:0'/>",
            (1, 0),
        ),
        (
            "<reactions id='1' xmlns='urn:xmpp:reactions:0'><reaction>x</reaction></reactions>",
            (1, 0),
        ),
        (
            "<body>x</body><reference xmlns='urn:xmpp:reference:0' type='mention' \
             uri='xmpp:bob@example.org'/>",
            (2, 1),
        ),
        (
            "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'/><payload>x</payload></encrypted>",
            (3, 1),
        ),
        (
            "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'/></encrypted>",
            (3, 1),
        ),
        ("<body>x</body><no-store xmlns='urn:xmpp:hints'/>", (3, 1)),
    ] {
        say(&mut script, payload);
        let (messages, mentions) = expected;
        assert_eq!(
            unread(&mut script),
            (messages, mentions, false),
            "{payload}"
        );
    }
}

#[test]
fn a_long_absence_is_counted_as_far_as_a_badge_shows() {
    let mut script = away(99);
    assert_eq!(unread(&mut script), (99, 0, false));
    say(&mut script, "<body>bob</body>");
    assert_eq!(unread(&mut script), (99, 1, true));
    // There may be texts behind so many receipts; nobody reads them all for that.
    for _ in 0..600 {
        say(&mut script, "<received xmlns='urn:xmpp:receipts' id='1'/>");
    }
    assert_eq!(unread(&mut script), (0, 0, true));
}
