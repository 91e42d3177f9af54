//! `crowd`: one room with very many occupants, and those who come late.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use tokio::time;

use crate::audience::{Audience, Waiting};
use crate::clients::{LoadError, doing, enter};
use crate::figures::{Meter, Percentiles, per_thousand, round};
use crate::muc::{Broadcast, Room, RoomArgs, Setting as RoomSetting};
use crate::process::{Memory, ProcessTree};
use crate::rooms::{Filling, Joins};
use crate::run::{Report, RunArgs, seconds};
use crate::talk::SETTLING;
use crate::xmpp::Setting;

/// Options of `crowd`.
#[derive(Debug, Args)]
pub(crate) struct CrowdArgs {
    /// Occupants, before anyone comes late
    #[arg(long, default_value_t = 10_000, value_parser = occupants)]
    occupants: usize,
    /// Those who come late, one after the other
    #[arg(long, default_value_t = 20)]
    late: usize,
    /// Whose presence goes to all occupants. With `all`, N occupants cost N² presences; with
    /// `moderators`, next to none; `revealed` fills the room like the latter, and then lets those who
    /// come late see everybody
    #[arg(long, value_enum, default_value = "moderators")]
    broadcast: Broadcast,
    /// Seconds to stay idle before memory is read
    #[arg(long, default_value = "5", value_parser = seconds)]
    hold: Duration,
    /// Seconds without any arrival after which missing presences count as lost
    #[arg(long, default_value = "10", value_parser = seconds)]
    stall: Duration,
    #[command(flatten)]
    room: RoomArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// The figures of `crowd`.
#[derive(Debug, Serialize)]
pub(crate) struct Crowd {
    load: &'static str,
    #[serde(flatten)]
    setting: Setting,
    occupants: usize,
    broadcast: Broadcast,
    joins: Joins,
    /// Presences that changing the configuration caused.
    revealing_presences: Option<u64>,
    revealing_server_cpu_s: Option<f64>,
    late: Late,
    rss_kib_per_occupant: Option<f64>,
    pss_kib_per_occupant: Option<f64>,
    memory_before: Option<Memory>,
    memory_after: Option<Memory>,
}

/// Those who came late.
#[derive(Debug, Serialize)]
struct Late {
    count: u64,
    latency_ms: Option<Percentiles>,
    server_cpu_ms_per_join: Option<f64>,
    /// For the one who comes, up to the self-presence.
    presences_to_joiner: f64,
    /// For all others.
    presences_to_others: f64,
    /// Of those that everybody should have got.
    presences_missing: u64,
}

/// Runs the load.
pub(crate) async fn crowd(args: CrowdArgs) -> Result<Crowd, LoadError> {
    let door = Arc::new(args.run.door()?);
    let server = args.run.server();
    let room = Room::fresh(&args.room.service(door.accounts()), 0);
    let mut sessions = enter(&args.run, &door, args.occupants + args.late, 1).await?;
    let late = Waiting::new(sessions.split_off(args.occupants));
    let waiting = Waiting::new(sessions);
    // All are logged in: what memory grows by from here on is the room's.
    time::sleep(args.hold).await;
    let memory_before = server.and_then(ProcessTree::memory);

    let rooms = std::slice::from_ref(&room);
    let filling = Filling::fill(
        rooms,
        args.occupants,
        args.broadcast,
        waiting,
        server,
        args.stall,
    );
    let (joins, audience) = filling.await?.end();
    time::sleep(args.hold).await;
    let memory_after = server.and_then(ProcessTree::memory);
    let (audience, revealed) = match args.broadcast {
        Broadcast::All | Broadcast::Moderators => (audience, None),
        Broadcast::Revealed => {
            let (audience, revealed) = reveal(&args, &room, audience, server).await?;
            (audience, Some(revealed))
        }
    };
    let late = args.come_late(&room, audience, late, server).await?;
    let grown = |part: fn(&Memory) -> u64| {
        let grown = part(memory_after.as_ref()?) as f64 - part(memory_before.as_ref()?) as f64;
        Some(round(grown / args.occupants as f64, 2))
    };
    Ok(Crowd {
        load: "crowd",
        setting: door.setting().clone(),
        occupants: args.occupants,
        broadcast: args.broadcast,
        joins,
        revealing_presences: revealed.as_ref().map(|revealed| revealed.presences),
        revealing_server_cpu_s: revealed.and_then(|revealed| revealed.server_cpu),
        late,
        rss_kib_per_occupant: grown(|memory| memory.rss_kib),
        pss_kib_per_occupant: grown(|memory| memory.pss_kib),
        memory_before,
        memory_after,
    })
}

/// What a change of the configuration caused.
struct Revealed {
    presences: u64,
    server_cpu: Option<f64>,
}

/// The owner lets everybody see everybody. Some servers tell all of all then.
async fn reveal(
    args: &CrowdArgs,
    room: &Room,
    audience: Audience,
    server: Option<ProcessTree>,
) -> Result<(Audience, Revealed), LoadError> {
    let mut sessions = audience
        .gather()
        .await
        .map_err(doing(|| "listening".into()))?;
    let meter = Meter::start(server);
    let mut owner = sessions.remove(0);
    let mut audience = Audience::new();
    for (number, session) in sessions.into_iter().enumerate() {
        audience.add(number + 1, session);
    }
    let configured = room.configure(&mut owner, &[RoomSetting::AllPresence]);
    configured.await.map_err(doing(|| "revealing".into()))?;
    audience.add(0, owner);
    audience.wait_for(None, args.stall).await;
    let revealed = Revealed {
        presences: audience.presences(),
        server_cpu: meter.read().server_cpu.map(|cpu| round(cpu, 2)),
    };
    Ok((audience, revealed))
}

impl CrowdArgs {
    /// One after the other, each when the one before has been told to everybody.
    async fn come_late(
        &self,
        room: &Room,
        mut audience: Audience,
        mut waiting: Waiting,
        server: Option<ProcessTree>,
    ) -> Result<Late, LoadError> {
        let before = audience.presences();
        time::sleep(SETTLING).await;
        let meter = Meter::start(server);
        let (mut times, mut to_joiners, mut expected) = (Vec::new(), 0, 0);
        for seat in self.occupants..self.occupants + self.late {
            let waited = waiting.next().await;
            let Some(mut session) = waited.map_err(doing(|| "waiting".to_owned()))? else {
                break;
            };
            let what = || format!("u{seat}, coming late");
            let joined = room.join(&mut session, seat).await.map_err(doing(what))?;
            times.push(joined.time);
            to_joiners += joined.presences;
            audience.add(seat, session);
            expected += seat as u64;
            let all = self.everybody_is_told().then_some(before + expected);
            audience.wait_for(all, self.stall).await;
        }
        let to_others = audience.presences() - before;
        let count = times.len() as u64;
        let cpu = meter.read().server_cpu;
        let mean = |sum: u64| round(sum as f64 / count.max(1) as f64, 1);
        let missing = expected.saturating_sub(to_others);
        Ok(Late {
            count,
            // Seconds for a thousand are milliseconds for one.
            server_cpu_ms_per_join: cpu.and_then(|cpu| per_thousand(cpu, count)),
            latency_ms: Percentiles::of(times),
            presences_to_joiner: mean(to_joiners),
            presences_to_others: mean(to_others),
            presences_missing: if self.everybody_is_told() { missing } else { 0 },
        })
    }

    fn everybody_is_told(&self) -> bool {
        match self.broadcast {
            Broadcast::All | Broadcast::Revealed => true,
            Broadcast::Moderators => false,
        }
    }
}

impl Report for Crowd {
    fn is_sound(&self) -> bool {
        self.joins.presences_missing + self.late.presences_missing == 0
    }
}

fn occupants(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("nobody".to_owned()),
        Ok(occupants) => Ok(occupants),
        Err(_) => Err("not a number".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::mock::{self, Fault};

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        crowd: CrowdArgs,
    }

    /// XEP-0045 §7.2.2: everybody is told of everybody.
    #[tokio::test]
    async fn presences_are_those_of_all_to_all_and_of_the_late_ones() {
        let to = mock::serve(Fault::None).await;
        let pid = std::process::id();
        let arguments = format!(
            "crowd --occupants 10 --late 2 --broadcast all --hold 0.1 --stall 0.5 \
             --mechanism plain --to {to} --server-pid {pid}"
        );
        let command = Command::parse_from(arguments.split_whitespace());
        let crowd = crowd(command.crowd).await.unwrap();
        assert!(crowd.is_sound(), "{crowd:?}");
        // The two find 10 and 11 there, and get their own presence too.
        assert_eq!(crowd.late.presences_to_joiner, 11.5);
        assert_eq!(crowd.late.presences_to_others, 10.5);
        assert_eq!(crowd.late.count, 2);
        assert!(crowd.rss_kib_per_occupant.is_some());
    }
}
