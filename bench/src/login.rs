//! `login`: many clients log in, then stay idle for a while.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::{select, time};

use crate::figures::{Cost, Meter, Percentiles, per_thousand, round};
use crate::process::{Memory, ProcessTree};
use crate::ramp::{Ramp, ramp};
use crate::run::{Report, RunArgs, seconds};
use crate::xmpp::{Door, DoorError, Error, Session, Setting, log_in};

/// The server's clean-up after a crowd that left belongs to nobody's figures.
const SETTLING: Duration = Duration::from_secs(1);

/// Options of `login`.
#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// Accounts; each logs in once
    #[arg(long, default_value_t = 500)]
    users: usize,
    /// How often all of them log in; between the times all leave, which is not measured
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    times: u32,
    /// Times before those that are measured
    #[arg(long, default_value_t = 0)]
    warm_up: u32,
    /// Seconds to stay idle after the last login; memory is read at their end
    #[arg(long, default_value = "5", value_parser = seconds)]
    hold: Duration,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// The figures of `login`.
#[derive(Debug, Serialize)]
pub(crate) struct Logins {
    load: &'static str,
    #[serde(flatten)]
    setting: Setting,
    users: usize,
    times: u32,
    logins: u64,
    failed: u64,
    dropped: u64,
    first_failure: Option<String>,
    logins_per_s: f64,
    setup_ms: Option<Percentiles>,
    server_cpu_s_per_1000_logins: Option<f64>,
    server_cpu_s: Option<f64>,
    generator_cpu_s: f64,
    rss_kib_per_session: Option<f64>,
    pss_kib_per_session: Option<f64>,
    memory_before: Option<Memory>,
    memory_after: Option<Memory>,
    idle_server_cpu_share: Option<f64>,
}

/// Runs the load.
pub(crate) async fn login(args: LoginArgs) -> Result<Logins, DoorError> {
    let door = Arc::new(args.run.door()?);
    let server = args.run.server();
    let memory_before = server.and_then(ProcessTree::memory);
    for _ in 0..args.warm_up {
        Crowd::enter(&args, &door).await.leave().await;
        time::sleep(SETTLING).await;
    }
    let mut passes = Vec::new();
    for _ in 1..args.times {
        passes.push(Crowd::enter(&args, &door).await.leave().await);
        time::sleep(SETTLING).await;
    }
    let crowd = Crowd::enter(&args, &door).await;
    let meter = Meter::start(server);
    time::sleep(args.hold).await;
    let idle = Idle {
        sessions: crowd.clients.len(),
        cost: meter.read(),
        memory_before,
        memory_after: server.and_then(ProcessTree::memory),
    };
    passes.push(crowd.leave().await);
    Ok(args.report(door.setting(), passes, &idle))
}

/// Clients that are logged in and idle.
struct Crowd {
    clients: Vec<JoinHandle<Result<(), Error>>>,
    stop: watch::Sender<()>,
    pass: Pass,
}

/// One login of everybody.
struct Pass {
    cost: Cost,
    times: Vec<Duration>,
    failures: Vec<String>,
    /// Why sessions ended before they should.
    drops: Vec<String>,
}

/// What the idle time showed.
struct Idle {
    sessions: usize,
    cost: Cost,
    memory_before: Option<Memory>,
    memory_after: Option<Memory>,
}

impl Crowd {
    async fn enter(args: &LoginArgs, door: &Arc<Door>) -> Self {
        let (stop, stopped) = watch::channel(());
        let meter = Meter::start(args.run.server());
        let enter = |number| {
            let (door, stopped) = (door.clone(), stopped.clone());
            async move {
                let session = log_in(&door, number).await?;
                Ok::<_, Error>(tokio::spawn(idle(session, stopped)))
            }
        };
        let Ramp {
            clients,
            times,
            failures,
        } = ramp(0..args.users, args.run.concurrency, enter).await;
        let pass = Pass {
            cost: meter.read(),
            times,
            failures,
            drops: Vec::new(),
        };
        Self {
            clients: clients.into_iter().map(|(_, client)| client).collect(),
            stop,
            pass,
        }
    }

    /// Ends all sessions.
    async fn leave(mut self) -> Pass {
        drop(self.stop);
        for client in self.clients {
            match client.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => self.pass.drops.push(error.to_string()),
                Err(panic) => self.pass.drops.push(panic.to_string()),
            }
        }
        self.pass
    }
}

/// Answers the server until told to stop.
async fn idle(mut session: Session, mut stopped: watch::Receiver<()>) -> Result<(), Error> {
    loop {
        select! {
            incoming = session.next() => drop(incoming?),
            _ = stopped.changed() => break,
        }
    }
    session.close().await;
    Ok(())
}

impl LoginArgs {
    fn report(&self, setting: &Setting, passes: Vec<Pass>, idle: &Idle) -> Logins {
        let cost = passes.iter().map(|pass| pass.cost).sum::<Cost>();
        let count = |part: fn(&Pass) -> usize| passes.iter().map(part).sum::<usize>() as u64;
        let logins = count(|pass| pass.times.len());
        let mut faults = passes
            .iter()
            .flat_map(|pass| pass.failures.iter().chain(&pass.drops));
        let share = |cpu: f64| round(cpu / idle.cost.seconds, 4);
        Logins {
            load: "login",
            setting: setting.clone(),
            users: self.users,
            times: self.times,
            logins,
            failed: count(|pass| pass.failures.len()),
            dropped: count(|pass| pass.drops.len()),
            first_failure: faults.next().cloned(),
            logins_per_s: round(logins as f64 / cost.seconds, 1),
            server_cpu_s_per_1000_logins: cost.server_cpu.and_then(|cpu| per_thousand(cpu, logins)),
            server_cpu_s: cost.server_cpu.map(|cpu| round(cpu, 2)),
            generator_cpu_s: round(cost.generator_cpu, 2),
            rss_kib_per_session: idle.per_session(|memory| memory.rss_kib),
            pss_kib_per_session: idle.per_session(|memory| memory.pss_kib),
            memory_before: idle.memory_before,
            memory_after: idle.memory_after,
            idle_server_cpu_share: idle.cost.server_cpu.map(share),
            setup_ms: Percentiles::of(passes.into_iter().flat_map(|pass| pass.times).collect()),
        }
    }
}

impl Idle {
    fn per_session(&self, part: fn(&Memory) -> u64) -> Option<f64> {
        let grown =
            part(self.memory_after.as_ref()?) as f64 - part(self.memory_before.as_ref()?) as f64;
        (self.sessions > 0).then(|| round(grown / self.sessions as f64, 2))
    }
}

impl Report for Logins {
    fn is_sound(&self) -> bool {
        self.failed == 0 && self.dropped == 0
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
        login: LoginArgs,
    }

    async fn with(to: &str, more: &str) -> Logins {
        let arguments = format!("login --users 20 --hold 0.1 --mechanism plain --to {to} {more}");
        login(Command::parse_from(arguments.split_whitespace()).login)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn everyone_logs_in_as_often_as_asked() {
        let address = mock::serve(Fault::None).await.to_string();
        let logins = with(&address, "--times 2 --warm-up 1").await;
        assert_eq!(
            (logins.logins, logins.failed, logins.dropped),
            (40, 0, 0),
            "{logins:?}"
        );
        assert!(logins.is_sound() && logins.setup_ms.is_some());
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_fails_everyone() {
        let logins = with("127.0.0.1:1", "").await;
        assert_eq!((logins.logins, logins.failed), (0, 20), "{logins:?}");
        assert!(!logins.is_sound() && logins.first_failure.is_some());
    }

    #[tokio::test]
    async fn memory_is_that_of_the_server_named() {
        let address = mock::serve(Fault::None).await.to_string();
        let pid = std::process::id();
        let logins = with(&address, &format!("--server-pid {pid}")).await;
        assert!(
            logins.rss_kib_per_session.is_some() && logins.server_cpu_s.is_some(),
            "{logins:?}"
        );
    }
}
