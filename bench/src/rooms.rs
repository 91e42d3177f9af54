//! `rooms`: one writer in each room, or more; every occupant must get everything.

mod filling;
mod order;

use std::num::NonZeroUsize;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use tokio::time;

use crate::audience::Waiting;
use crate::clients::{LoadError, doing, enter};
use crate::ledger::Ledger;
use crate::muc::{Broadcast, Room, RoomArgs};
use crate::run::{Report, RunArgs};
use crate::talk::{SETTLING, TalkArgs, Traffic};
use crate::talker::{Place, Seat};
use crate::xmpp::{Element, Setting};

pub(crate) use filling::{Filling, Joins};
use order::Order;

/// Options of `rooms`.
#[derive(Debug, Args)]
pub(crate) struct RoomsArgs {
    /// Rooms
    #[arg(long, default_value = "10")]
    rooms: NonZeroUsize,
    /// Occupants of each room; nobody is in two
    #[arg(long, default_value = "50")]
    occupants: NonZeroUsize,
    /// Occupants of each room who write
    #[arg(long, default_value_t = 1)]
    writers: usize,
    /// Whose presence goes to all occupants
    #[arg(long, value_enum, default_value = "all")]
    broadcast: Broadcast,
    #[command(flatten)]
    room: RoomArgs,
    #[command(flatten)]
    talk: TalkArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// The figures of `rooms`.
#[derive(Debug, Serialize)]
pub(crate) struct Rooms {
    load: &'static str,
    #[serde(flatten)]
    setting: Setting,
    rooms: usize,
    occupants: usize,
    writers: usize,
    broadcast: Broadcast,
    #[serde(flatten)]
    traffic: Traffic,
    disagreeing: u64,
    joins: Joins,
}

/// Runs the load.
pub(crate) async fn rooms(args: RoomsArgs) -> Result<Rooms, LoadError> {
    let door = Arc::new(args.run.door()?);
    let (count, occupants) = (args.rooms.get(), args.occupants.get());
    let writers = args.writers.min(occupants);
    let service = args.room.service(door.accounts());
    let waiting = Waiting::new(enter(&args.run, &door, count * occupants, 1).await?);
    time::sleep(SETTLING).await;

    let rooms: Vec<Room> = (0..count).map(|room| Room::fresh(&service, room)).collect();
    let (server, stall) = (args.run.server(), args.talk.stall);
    let filling = Filling::fill(&rooms, occupants, args.broadcast, waiting, server, stall);
    let (joins, audience) = filling.await?.end();
    time::sleep(SETTLING).await;

    let sessions = audience.gather().await;
    let sessions = sessions.map_err(doing(|| "listening".to_owned()))?;
    let orders: Vec<_> = rooms
        .iter()
        .map(|_| Arc::new(Order::new(occupants)))
        .collect();
    let flows = count * writers;
    let ledger = Ledger::new(std::process::id(), flows, occupants, args.talk.size);
    let occupant = |number: usize| {
        let room = number / occupants;
        Occupant {
            room: rooms[room].clone(),
            first_flow: room * writers,
            writers,
            seat: number % occupants,
            order: orders[room].clone(),
        }
    };
    let clients = sessions.into_iter().zip((0..).map(occupant));
    let traffic = args.talk.talk(server, Arc::new(ledger), flows, clients);
    Ok(Rooms {
        load: "rooms",
        setting: door.setting().clone(),
        rooms: count,
        occupants,
        writers,
        broadcast: args.broadcast,
        traffic: traffic.await,
        disagreeing: orders.iter().map(|order| order.disagreeing()).sum(),
        joins,
    })
}

/// Someone in a room.
struct Occupant {
    room: Room,
    /// The flow of the room's first writer.
    first_flow: usize,
    /// Those in the first seats write.
    writers: usize,
    seat: usize,
    order: Arc<Order>,
}

impl Seat for Occupant {
    fn flow(&self) -> Option<usize> {
        (self.seat < self.writers).then(|| self.first_flow + self.seat)
    }

    fn message(&self, number: usize, body: &str) -> String {
        self.room.message(&format!("m{}-{number}", self.seat), body)
    }

    fn place(&self, message: &Element) -> Option<Place> {
        let writer = self.room.seat_of(message)?;
        let is_groupchat = message.attribute("type") == Some("groupchat");
        (is_groupchat && writer < self.writers).then(|| Place {
            flow: self.first_flow + writer,
            receiver: self.seat,
        })
    }

    fn taken(&self, place: Place, number: usize) {
        self.order.see(self.seat, (place.flow, number));
    }
}

impl Report for Rooms {
    fn is_sound(&self) -> bool {
        self.traffic.is_sound() && self.disagreeing + self.joins.presences_missing == 0
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use tokio::join;

    use super::*;
    use crate::mock::{self, Fault};

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        rooms: RoomsArgs,
    }

    /// Two rooms with five occupants each, for a tenth of a second.
    async fn with(fault: Fault, more: &str) -> Rooms {
        let to = mock::serve(fault).await;
        let arguments = format!(
            "rooms --rooms 2 --occupants 5 --mechanism plain --window 20 --seconds 0.1 \
             --stall 0.2 --to {to} {more}"
        );
        let command = Command::parse_from(arguments.split_whitespace());
        rooms(command.rooms).await.unwrap()
    }

    /// XEP-0045 §7.4: every occupant gets everything, the sender included.
    #[tokio::test]
    async fn a_server_without_faults_is_found_sound() {
        let all = join!(
            with(Fault::None, ""),
            with(Fault::None, "--writers 3 --no-sm")
        );
        for rooms in <[Rooms; 2]>::from(all) {
            assert!(rooms.is_sound(), "{rooms:?}");
            let traffic = &rooms.traffic;
            assert!(traffic.sent > 50 && traffic.completed == traffic.sent);
            assert_eq!(traffic.delivered, traffic.sent * 5);
        }
    }

    #[tokio::test]
    async fn what_the_server_does_wrong_to_one_occupant_is_named() {
        let (lossy, doubling, delaying) = join!(
            with(Fault::Loses, ""),
            with(Fault::Doubles, ""),
            with(Fault::Delays, ""),
        );
        assert!(lossy.traffic.lost > 0, "{lossy:?}");
        assert_eq!(
            lossy.traffic.lost,
            lossy.traffic.sent - lossy.traffic.completed
        );
        // In each of the rooms one sees another order than the four, who may be those who differ
        // from one that was ahead.
        assert!(lossy.disagreeing >= 2, "{lossy:?}");
        assert!(doubling.traffic.duplicated > 0, "{doubling:?}");
        assert_eq!((doubling.traffic.lost, doubling.disagreeing), (0, 0));
        assert!(delaying.traffic.misordered > 0, "{delaying:?}");
        assert!(delaying.disagreeing >= 2, "{delaying:?}");
        for faulty in [lossy, doubling, delaying] {
            assert!(!faulty.is_sound());
        }
    }
}
