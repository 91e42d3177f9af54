//! Clients that nobody looks at (XEP-0352): what can wait is held back, the
//! latest of each kind and sender, until something goes out anyway.

use super::Bound;
use crate::outbound::Sent;
use anser_hub::{Direction, Event, Message, Presence, PresenceKind, RoomEvent, Sight, Traits};
use anser_jid::Jid;
use anser_store::Timestamp;
use anser_xmpp_proto::payload::client_state::ClientState;
use bytes::BytesMut;
use std::collections::VecDeque;

/// So much is held back at most, besides the limit of the configuration.
const MOST_BYTES: usize = 64 << 10;

/// What is held back for a client that nobody looks at.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// In the order in which the latest of each came.
    events: VecDeque<Event>,
    /// Something goes out, and all of this before it.
    is_let_go: bool,
}

/// What a later event of the same subject makes worthless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject<'a> {
    /// Whether somebody is there.
    Presence(&'a Jid),
    /// Whether somebody is typing, to whom, and who gets it.
    Typing(&'a Jid, &'a Jid, Option<Direction>),
}

/// Of what an event tells that can wait; `None` if it cannot.
fn subject(event: &Event) -> Option<Subject<'_>> {
    match event {
        Event::Presence(presence) if is_news_of_others(presence) => {
            Some(Subject::Presence(&presence.from))
        }
        Event::Message { message, place } if is_typing(message) && place.is_none() => {
            Some(Subject::Typing(message.from(), message.to(), None))
        }
        Event::Copy {
            direction,
            message,
            place,
        } if is_typing(message) && place.is_none() => {
            let (from, to) = (message.from(), message.to());
            Some(Subject::Typing(from, to, Some(*direction)))
        }
        Event::Room(event) => subject_in_room(event),
        Event::Message { .. }
        | Event::Copy { .. }
        | Event::Waiting(_)
        | Event::Presence(_)
        | Event::Query(_)
        | Event::Unanswered(_)
        | Event::Roster(_)
        | Event::Blocks(_)
        | Event::Refused { .. } => None,
    }
}

/// Whether an event only tells what others are doing: the next of its kind
/// makes it worthless.
pub(crate) fn can_wait(event: &Event) -> bool {
    subject(event).is_some()
}

/// Others come and go; that the room has let the client in, or that it is no
/// longer there, is waited for (XEP-0045 §7.2.2).
fn subject_in_room(event: &RoomEvent) -> Option<Subject<'_>> {
    match event {
        RoomEvent::Presence { presence, sight } if !sight.has(Sight::OWN) => {
            Some(Subject::Presence(&presence.occupant))
        }
        RoomEvent::Message { message, .. }
            if is_typing(&message.message) && message.place.is_none() =>
        {
            let (from, room) = (message.message.from(), message.room());
            Some(Subject::Typing(from, room, None))
        }
        RoomEvent::Presence { .. }
        | RoomEvent::Others { .. }
        | RoomEvent::Message { .. }
        | RoomEvent::NoSubject { .. }
        | RoomEvent::Config { .. }
        | RoomEvent::VoiceRequest(_)
        | RoomEvent::NotHere { .. } => None,
    }
}

/// Requests and errors want an answer.
fn is_news_of_others(presence: &Presence) -> bool {
    match presence.kind {
        PresenceKind::Available { .. } | PresenceKind::Unavailable => true,
        PresenceKind::Subscription(_) | PresenceKind::Probe | PresenceKind::Error => false,
    }
}

/// Whether there is nothing in it but news of what somebody is doing
/// (XEP-0085 §6), or not even that.
fn is_typing(message: &Message) -> bool {
    let traits = message.traits();
    !traits.contains(Traits::CONTENT) && !traits.contains(Traits::STORE)
}

impl Held {
    /// What is to be sent next, out of what is held and then of `queue`. What can
    /// wait stays here: at most so many events, then all goes out.
    fn next(&mut self, queue: &mut VecDeque<Event>, most: usize) -> Option<Event> {
        loop {
            if self.is_let_go {
                if let Some(event) = self.events.pop_front() {
                    return Some(event);
                }
                self.is_let_go = false;
            }
            let event = queue.pop_front()?;
            if most > 0 && can_wait(&event) {
                self.hold(event, most);
            } else if self.events.is_empty() {
                return Some(event);
            } else {
                queue.push_front(event);
                self.is_let_go = true;
            }
        }
    }

    fn hold(&mut self, event: Event, most: usize) {
        let outdated = self
            .events
            .iter()
            .position(|held| subject(held) == subject(&event));
        if let Some(outdated) = outdated {
            self.events.remove(outdated);
        }
        self.events.push_back(event);
        let bytes: usize = self.events.iter().map(Event::weight_bytes).sum();
        self.is_let_go = self.events.len() > most || bytes > MOST_BYTES;
    }

    /// Whether some of it has to go out now.
    pub(super) fn is_due(&self) -> bool {
        self.is_let_go && !self.events.is_empty()
    }
}

impl Bound {
    /// The client says whether somebody looks at it. Before it is asked anything
    /// else, whoever comes back has what was held back (XEP-0352 §5.1).
    pub(super) fn set_client_state(
        &mut self,
        state: ClientState,
        output: &mut BytesMut,
        now: Timestamp,
    ) {
        match state {
            ClientState::Inactive => {
                self.held.get_or_insert_default();
            }
            ClientState::Active => {
                self.send_held(output, now);
                self.wake_up();
            }
        }
    }

    /// Somebody looks at the client: nothing is held back any more, and what was
    /// is the next to go out.
    pub(super) fn wake_up(&mut self) {
        if let Some(held) = self.held.take() {
            let later = std::mem::take(&mut self.queue);
            self.queue = held.events;
            self.queue.extend(later);
        }
    }

    /// What goes out next of what has been taken out of the mailbox.
    pub(super) fn next_event(&mut self) -> Option<Event> {
        match &mut self.held {
            Some(held) => held.next(&mut self.queue, self.config.held_stanzas),
            None => self.queue.pop_front(),
        }
    }

    /// Sends what is held back, as far as the client may be sent something now.
    pub(crate) fn send_held(&mut self, output: &mut BytesMut, now: Timestamp) {
        while !self.is_held_back()
            && let Some(event) = self.held.as_mut().and_then(|held| held.events.pop_front())
        {
            self.send(Sent::Event(event), output, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anser_hub::{Draft, MessageKind, Query, QueryKind, SubscriptionStep};
    use anser_store::MessageId;
    use bytes::Bytes;
    use std::sync::Arc;

    fn jid(text: &str) -> Jid {
        text.parse().unwrap()
    }

    fn presence_of(from: &str, kind: PresenceKind, payload: &'static str) -> Event {
        let presence = Presence::unavailable(jid(from), jid("bob@example.org"));
        Event::Presence(Arc::new(Presence {
            kind,
            payload: Bytes::from(payload),
            ..presence
        }))
    }

    fn presence(from: &str, payload: &'static str) -> Event {
        presence_of(from, PresenceKind::Available { priority: 0 }, payload)
    }

    fn message(from: &str, traits: Traits) -> Arc<Message> {
        Arc::new(Message::new(&Draft {
            from: &jid(from),
            to: &jid("bob@example.org"),
            kind: MessageKind::Chat,
            traits,
            id: None,
            lang: None,
            text: None,
            mentions: &[],
            payload: b"",
        }))
    }

    fn says(from: &str, traits: Traits) -> Event {
        Event::Message {
            message: message(from, traits),
            place: None,
        }
    }

    fn typing(from: &str) -> Event {
        says(from, Traits::CONVERSATION)
    }

    fn copied(from: &str) -> Event {
        Event::Copy {
            direction: Direction::Received,
            message: message(from, Traits::CONVERSATION),
            place: None,
        }
    }

    /// In short: who, and of a presence what.
    fn short(event: &Event) -> String {
        match event {
            Event::Presence(presence) => {
                let payload = String::from_utf8_lossy(&presence.payload);
                format!("{}={payload}", presence.from)
            }
            Event::Message { message, .. } => format!("{} says", message.from()),
            Event::Copy { message, .. } => format!("{} says there", message.from()),
            other => format!("{other:?}"),
        }
    }

    /// What goes out of these.
    fn out(held: &mut Held, events: impl IntoIterator<Item = Event>, most: usize) -> Vec<String> {
        let mut queue = events.into_iter().collect();
        let next = || held.next(&mut queue, most);
        std::iter::from_fn(next)
            .map(|event| short(&event))
            .collect()
    }

    /// XEP-0352 §3.2
    #[test]
    fn presence_and_typing_can_wait_and_nothing_else() {
        use PresenceKind::{Error, Probe, Subscription, Unavailable};
        let subscribe = Subscription(SubscriptionStep::Subscribe);
        let query = Event::Query(Arc::new(Query {
            from: jid("a@example.org/x"),
            to: "bob@example.org/phone".parse().unwrap(),
            kind: QueryKind::Get,
            id: "1".into(),
            lang: None,
            payload: Bytes::new(),
            relay: None,
        }));
        let kept = Event::Message {
            message: message("a@example.org", Traits::CONVERSATION),
            place: Some(MessageId::FIRST),
        };
        for (event, can_wait) in [
            (presence("a@example.org/x", ""), true),
            (presence_of("a@example.org/x", Unavailable, ""), true),
            (presence_of("a@example.org", subscribe, ""), false),
            (presence_of("a@example.org", Probe, ""), false),
            (presence_of("a@example.org", Error, ""), false),
            (typing("a@example.org"), true),
            (copied("a@example.org"), true),
            (says("a@example.org", Traits::NONE), true),
            (says("a@example.org", Traits::CONTENT), false),
            (says("a@example.org", Traits::STORE), false),
            (kept, false),
            (query, false),
            (Event::Waiting(Vec::new()), false),
        ] {
            assert_eq!(subject(&event).is_some(), can_wait, "{event:?}");
        }
    }

    #[test]
    fn the_latest_of_each_sender_goes_out_before_what_cannot_wait() {
        let mut held = Held::default();
        let news = [
            presence("a@example.org/x", "1"),
            presence("b@example.org/x", "1"),
            typing("a@example.org"),
            presence("a@example.org/x", "2"),
            copied("a@example.org"),
            typing("a@example.org"),
        ];
        assert!(out(&mut held, news, 100).is_empty());
        let text = says("c@example.org", Traits::CONTENT);
        let again = presence("b@example.org/x", "2");
        assert_eq!(
            out(&mut held, [text, again], 100),
            [
                "b@example.org/x=1",
                "a@example.org/x=2",
                "a@example.org says there",
                "a@example.org says",
                "c@example.org says",
            ]
        );
        assert_eq!(held.events.len(), 1);
    }

    #[test]
    fn no_more_is_held_back_than_there_is_room_for() {
        let from = |number: usize| format!("a{number}@example.org/x");
        let news = |count: usize| {
            (0..count)
                .map(|number| presence(&from(number), ""))
                .collect()
        };
        let after = |events: Vec<Event>, most| {
            let mut held = Held::default();
            (out(&mut held, events, most).len(), held.events.len())
        };
        assert_eq!(after(news(3), 3), (0, 3));
        assert_eq!(after(news(4), 3), (4, 0));
        assert_eq!(after(news(5), 3), (4, 1));
        assert_eq!(after(news(5), 0), (5, 0));
        let long = Box::leak("x".repeat(MOST_BYTES / 2).into_boxed_str());
        let long = (0..3).map(|number| presence(&from(number), long));
        assert_eq!(after(long.collect(), 100), (2, 1));
    }
}
