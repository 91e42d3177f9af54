//! `chat`: pairs of clients, each writing to the other.

use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use tokio::time;

use crate::clients::{LoadError, enter};
use crate::ledger::Ledger;
use crate::run::{Report, RunArgs};
use crate::talk::{SETTLING, TalkArgs, Traffic};
use crate::talker::{Place, Seat};
use crate::xmpp::{Element, Setting};

/// Options of `chat`.
#[derive(Debug, Args)]
pub(crate) struct ChatArgs {
    /// Pairs of accounts
    #[arg(long, default_value_t = 50)]
    pairs: usize,
    /// Devices of each account: the first one writes, and every other must get a copy of all that
    /// is said in either direction (XEP-0280)
    #[arg(long, default_value_t = 1, value_parser = devices, requires_if("2", "carbons"))]
    devices: usize,
    #[command(flatten)]
    talk: TalkArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// The figures of `chat`.
#[derive(Debug, Serialize)]
pub(crate) struct Chat {
    load: &'static str,
    #[serde(flatten)]
    setting: Setting,
    pairs: usize,
    devices: usize,
    #[serde(flatten)]
    traffic: Traffic,
}

/// Runs the load.
pub(crate) async fn chat(args: ChatArgs) -> Result<Chat, LoadError> {
    let door = Arc::new(args.run.door()?);
    let (accounts, devices) = (args.pairs * 2, args.devices);
    let sessions = enter(&args.run, &door, accounts, devices).await?;
    time::sleep(SETTLING).await;
    let receivers = Device::receivers(devices);
    let ledger = Ledger::new(std::process::id(), accounts, receivers, args.talk.size);
    let seats = (0..).map(|client| {
        let me = client / devices;
        Device {
            me,
            number: client % devices,
            devices,
            partner: door.accounts().address(me ^ 1),
        }
    });
    let clients = sessions.into_iter().zip(seats);
    let server = args.run.server();
    let traffic = args.talk.talk(server, Arc::new(ledger), accounts, clients);
    Ok(Chat {
        load: "chat",
        setting: door.setting().clone(),
        pairs: args.pairs,
        devices,
        traffic: traffic.await,
    })
}

/// A device of someone who talks to a partner.
struct Device {
    /// The account's number, which is that of its flow; the partner's differs in the last bit.
    me: usize,
    /// Only the first one writes.
    number: usize,
    /// Of each account.
    devices: usize,
    /// The partner's bare address.
    partner: String,
}

impl Device {
    /// The partner's devices, and those of one's own that have not written the message.
    fn receivers(devices: usize) -> usize {
        2 * devices - 1
    }
}

impl Seat for Device {
    fn flow(&self) -> Option<usize> {
        (self.number == 0).then_some(self.me)
    }

    fn message(&self, number: usize, body: &str) -> String {
        let (me, to) = (self.me, &self.partner);
        format!("<message to='{to}' type='chat' id='m{me}-{number}'><body>{body}</body></message>")
    }

    fn place(&self, message: &Element) -> Option<Place> {
        // `<received/>` needs no care: it is what the partner wrote, however it came (XEP-0280 §6).
        let is_copy_of_own = message.mentions("<sent ");
        match (is_copy_of_own, self.number) {
            (false, number) => Some(Place {
                flow: self.me ^ 1,
                receiver: number,
            }),
            (true, 0) => None,
            (true, number) => Some(Place {
                flow: self.me,
                receiver: self.devices + number - 1,
            }),
        }
    }

    fn taken(&self, _: Place, _: usize) {}
}

impl Report for Chat {
    fn is_sound(&self) -> bool {
        self.traffic.is_sound()
    }
}

fn devices(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(devices @ 1..=2) => Ok(devices),
        Ok(_) | Err(_) => Err("neither 1 nor 2".to_owned()),
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
        chat: ChatArgs,
    }

    /// Two pairs for a tenth of a second, each sender with 20 messages under way.
    async fn with(fault: Fault, more: &[&str]) -> Traffic {
        let to = mock::serve(fault).await.to_string();
        let arguments =
            "chat --pairs 2 --mechanism plain --window 20 --seconds 0.1 --stall 0.2 --to";
        let arguments = arguments
            .split(' ')
            .chain([to.as_str()])
            .chain(more.iter().copied());
        let chat = chat(Command::parse_from(arguments).chat).await.unwrap();
        assert_eq!(chat.is_sound(), chat.traffic.is_sound());
        chat.traffic
    }

    #[tokio::test]
    async fn a_server_without_faults_is_found_sound() {
        let chats = join!(
            with(Fault::None, &["--no-sm"]),
            with(Fault::None, &["--ack-every", "3"]),
            with(Fault::None, &["--size", "5000"]),
        );
        for chat in <[Traffic; 3]>::from(chats) {
            assert!(chat.is_sound(), "{chat:?}");
            assert!(
                chat.delivered > 100 && chat.delivered == chat.sent,
                "{chat:?}"
            );
        }
    }

    #[tokio::test]
    async fn what_the_server_does_wrong_is_named() {
        let (lossy, doubling, delaying, bouncing, forgetful) = join!(
            with(Fault::Loses, &[]),
            with(Fault::Doubles, &[]),
            with(Fault::Delays, &[]),
            with(Fault::Bounces, &[]),
            with(Fault::Forgets, &["--ack-every", "0"]),
        );
        assert!(
            lossy.lost > 0 && lossy.lost == lossy.sent - lossy.delivered,
            "{lossy:?}"
        );
        assert!(
            doubling.duplicated > 0 && doubling.lost == 0,
            "{doubling:?}"
        );
        assert!(delaying.misordered > 0, "{delaying:?}");
        assert!(
            bouncing.refused > 0 && bouncing.refused == bouncing.lost,
            "{bouncing:?}"
        );
        assert!(
            forgetful.unacknowledged > 0 && forgetful.lost == 0,
            "{forgetful:?}"
        );
        for faulty in [lossy, doubling, delaying, bouncing, forgetful] {
            assert!(!faulty.is_sound());
        }
    }

    #[tokio::test]
    async fn a_connection_that_breaks_is_a_failure() {
        let broken = with(Fault::HangsUp, &[]).await;
        assert_eq!((broken.failed, broken.is_sound()), (4, false), "{broken:?}");
        assert!(broken.first_failure.is_some());
    }

    #[tokio::test]
    async fn an_offered_rate_does_not_wait_for_the_server() {
        let offered = with(Fault::None, &["--rate", "200"]).await;
        assert_eq!(
            (offered.offered, offered.sent, offered.delivered),
            (Some(20), 20, 20),
            "{offered:?}"
        );
    }

    /// XEP-0280 §6 and §7
    #[test]
    fn every_device_has_a_place_for_what_either_side_says() {
        let device = |number| Device {
            me: 4,
            number,
            devices: 2,
            partner: "u5@localhost".to_owned(),
        };
        let element = |text: &'static str| Element::new(text.as_bytes().into());
        let direct = element("<message from='u5@localhost/bench-0'><body>x</body></message>");
        let sent = element(
            "<message from='u4@localhost'><sent xmlns='urn:xmpp:carbons:2'><forwarded>\
             <message><body>x</body></message></forwarded></sent></message>",
        );
        let place = |flow, receiver| Some(Place { flow, receiver });
        assert_eq!(device(0).place(&direct), place(5, 0));
        assert_eq!(device(1).place(&direct), place(5, 1));
        assert_eq!(device(1).place(&sent), place(4, 2));
        assert_eq!(device(0).place(&sent), None);
        assert_eq!((Device::receivers(1), Device::receivers(2)), (1, 3));
        assert_eq!((device(0).flow(), device(1).flow()), (Some(4), None));
    }
}
