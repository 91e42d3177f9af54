//! What the rooms' logs had after each commit, also of rooms that are no more.

use super::plan::Plan;
use crate::simulation::at_once;
use crate::world::World;
use anser_hub::Message;
use anser_jid::BareJid;
use anser_store::{LogEntry, MessageId, Page};

/// The log of each room.
pub(super) struct Ledger {
    logs: Vec<RoomLog>,
}

/// The log of one room, from its first life to its last.
pub(super) struct RoomLog {
    room: BareJid,
    pub(super) entries: Vec<Logged>,
    /// The room has begun so many lives.
    pub(super) life: usize,
    /// There is a record of it.
    pub(super) is_kept: bool,
}

/// Something said in a room.
pub(super) struct Logged {
    pub(super) id: MessageId,
    pub(super) life: usize,
    /// Its text, or the subject.
    pub(super) text: String,
    pub(super) is_subject: bool,
}

impl Ledger {
    pub(super) fn new(plans: &[Plan]) -> Self {
        let log = |plan: &Plan| RoomLog {
            room: plan.room.parse().unwrap(),
            entries: Vec::new(),
            life: 0,
            is_kept: false,
        };
        Self {
            logs: plans.iter().map(log).collect(),
        }
    }

    /// To be called after each commit.
    pub(super) fn watch(&mut self, world: &World) {
        for log in &mut self.logs {
            log.watch(world);
        }
    }

    pub(super) fn log(&self, room: usize) -> &RoomLog {
        &self.logs[room]
    }

    /// How many of the rooms are written down.
    pub(super) fn rooms_kept(&self) -> usize {
        self.logs.iter().filter(|log| log.is_kept).count()
    }
}

impl RoomLog {
    fn watch(&mut self, world: &World) {
        let after = self.entries.last().map_or(MessageId::FIRST, |last| last.id);
        let (is_kept, news) = read(world, &self.room, after);
        if self.is_kept && !is_kept {
            self.life += 1;
        }
        self.is_kept = is_kept;
        let life = self.life;
        self.entries
            .extend(news.iter().map(|entry| logged(entry, life)));
    }

    /// What was said in this life of the room.
    pub(super) fn living(&self) -> impl Iterator<Item = &Logged> {
        self.entries.iter().filter(|entry| entry.life == self.life)
    }

    /// Whether the store has what it had when each of it came.
    pub(super) fn is_as_stored(&self, world: &World) -> bool {
        let (_, stored) = read(world, &self.room, MessageId::FIRST);
        let stored = stored.iter().map(|entry| entry.id);
        stored.eq(self.living().map(|entry| entry.id))
    }
}

/// Whether there is a room, and what its log has after a place.
fn read(world: &World, room: &BareJid, after: MessageId) -> (bool, Vec<LogEntry>) {
    let room = room.clone();
    let page = Page {
        after,
        ..Page::oldest(100_000)
    };
    let read = world.store().read(move |view| {
        let record = view.record(&room, "room", "")?;
        Ok((record.is_some(), view.page(&room, &page)?))
    });
    at_once(read).unwrap()
}

fn logged(entry: &LogEntry, life: usize) -> Logged {
    let message = Message::decode(entry.body.clone()).unwrap();
    let payload = String::from_utf8(message.payload().to_vec()).unwrap();
    let mut parts = payload.split(['<', '>']);
    let name = parts.nth(1).unwrap().to_owned();
    Logged {
        id: entry.id,
        life,
        text: parts.next().unwrap().to_owned(),
        is_subject: name == "subject",
    }
}
