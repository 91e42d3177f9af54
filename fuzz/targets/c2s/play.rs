//! What happens in the world, as the input has it.

use crate::ESCAPE;
use crate::device::Device;
use crate::login::{self, HEADER};
use crate::rules::{ALICE, BOB, BOB_SAYS, Book, CONTACTS, STANZA_BYTES};
use anser_hub::{AccountsConfig, Credentials};
use anser_jid::BareJid;
use anser_sasl::{Iterations, SALT_BYTES, Verifier};
use anser_tests::script::{PLAINTEXT, STARTTLS};
use anser_tests::world::{DOMAIN, PASSWORD, World};
use anser_xmpp::XmppConfig;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// No dictionary has it.
const PASSWORD_OF_BOB: &str = "Zb4-7hqLw0";
/// More are no news, and take time.
const MOST_CONNECTIONS: usize = 8;
/// What the server says so that everybody can log in.
const STANZAS_FOR_LOGIN: usize = 200;
/// For a byte of input: a word from Alice is told to every device that there may be, and some
/// words have a whole roster and all that waits sent to her.
const STANZAS_FOR_BYTE: usize = 8;

/// How far Alice has come.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Opening {
    /// She has connected, and may log in at once.
    Connected,
    /// She has connected, and has to begin with TLS.
    ConnectedForTls,
    /// She is logged in.
    Authenticated,
    /// She has a session, and has said nothing yet.
    Bound,
    /// She is there for Bob and can resume her stream.
    Present,
}

/// What the byte after [`ESCAPE`] does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Command {
    /// So many seconds pass as the next byte says.
    Pass,
    /// What was said so far arrives, alone.
    Arrive,
    /// The connection in use breaks.
    Cut,
    /// A new connection; from now on that one is in use.
    Connect,
    /// A new connection, logged in.
    LogIn,
    /// The next connection that there is comes to be in use.
    Next,
    /// The id of the last stream that can be resumed is said.
    StreamId,
    /// The disk takes its time, or no longer does.
    HoldCommits,
    /// The disk is full, or no longer is.
    FillDisk,
    /// Bob's connection breaks.
    BobLeaves,
    /// Bob is there with another connection.
    BobComes,
    /// Bob writes to Alice.
    BobWrites,
}

impl Command {
    #[rustfmt::skip] // a table reads as a table
    pub(crate) const ALL: &[(u8, Self)] = &[
        (b'p', Self::Pass),
        (b'|', Self::Arrive),
        (b'x', Self::Cut),
        (b'c', Self::Connect),
        (b'l', Self::LogIn),
        (b'n', Self::Next),
        (b'i', Self::StreamId),
        (b'h', Self::HoldCommits),
        (b'f', Self::FillDisk),
        (b'q', Self::BobLeaves),
        (b'b', Self::BobComes),
        (b'm', Self::BobWrites),
    ];

    fn of(byte: u8) -> Option<Self> {
        let row = Self::ALL.iter().find(|(name, _)| *name == byte)?;
        Some(row.1)
    }
}

pub(crate) struct Play {
    world: World,
    devices: Vec<Device>,
    /// Which of them Alice uses.
    speaker: usize,
    /// Which of them Bob uses.
    bob: usize,
    /// Said by Alice, and not yet arrived.
    said: Vec<u8>,
    input_bytes: usize,
    holds_commits: bool,
    is_disk_full: bool,
    book: Book,
}

impl Play {
    pub(crate) fn new(opening: u8) -> Self {
        let mut play = Self {
            world: world(),
            devices: Vec::new(),
            speaker: 0,
            bob: 0,
            said: Vec::new(),
            input_bytes: 0,
            holds_commits: false,
            is_disk_full: false,
            book: Book::default(),
        };
        play.bob_comes();
        let opening = match opening % 5 {
            0 => Opening::Connected,
            1 => Opening::ConnectedForTls,
            2 => Opening::Authenticated,
            3 => Opening::Bound,
            _ => Opening::Present,
        };
        play.open(opening);
        play
    }

    fn open(&mut self, opening: Opening) {
        self.speaker = self.devices.len();
        let entry = match opening {
            Opening::ConnectedForTls => STARTTLS,
            _ => PLAINTEXT,
        };
        self.devices
            .push(Device::connect(&mut self.world, entry, ALICE));
        match opening {
            Opening::Connected | Opening::ConnectedForTls => {}
            Opening::Authenticated => self.log_in(self.speaker, PASSWORD),
            Opening::Bound => {
                self.log_in(self.speaker, PASSWORD);
                self.say(self.speaker, &login::bind("phone"));
            }
            Opening::Present => {
                self.log_in(self.speaker, PASSWORD);
                self.become_present();
            }
        }
    }

    fn become_present(&mut self) {
        for text in [
            &login::bind("phone"),
            "<enable xmlns='urn:xmpp:sm:3' resume='true'/><presence/>",
            "<presence to='bob@example.org' type='subscribe'/>",
        ] {
            self.say(self.speaker, text);
        }
        for kind in ["subscribed", "subscribe"] {
            let text = format!("<presence to='alice@example.org' type='{kind}'/>");
            self.say(self.bob, &text);
        }
        let granted = "<presence to='bob@example.org' type='subscribed'/>";
        self.say(self.speaker, granted);
    }

    /// Gives everything that the server has said.
    pub(crate) fn run(mut self, script: &[u8]) -> Book {
        self.input_bytes = script.len();
        let mut bytes = script.iter().copied();
        while let Some(byte) = bytes.next() {
            if byte != ESCAPE {
                self.said.push(byte);
                continue;
            }
            match bytes.next() {
                Some(ESCAPE) => self.said.push(ESCAPE),
                Some(name) => {
                    if let Some(command) = Command::of(name) {
                        self.obey(command, &mut bytes);
                    }
                }
                None => break,
            }
        }
        self.arrive();
        self.end();
        self.book
    }

    fn obey(&mut self, command: Command, bytes: &mut impl Iterator<Item = u8>) {
        if let Command::StreamId = command {
            self.said.extend_from_slice(self.book.stream_id.as_bytes());
            return;
        }
        self.arrive();
        match command {
            Command::Arrive | Command::StreamId => {}
            Command::Pass => {
                let seconds = bytes.next().unwrap_or(1);
                self.world.pass(Duration::from_secs(seconds.into()));
            }
            Command::Cut => self.devices[self.speaker].cut(&self.world),
            Command::Connect if self.devices.len() < MOST_CONNECTIONS => {
                self.open(Opening::Connected);
            }
            Command::LogIn if self.devices.len() < MOST_CONNECTIONS => {
                self.open(Opening::Authenticated);
            }
            Command::BobComes if self.devices.len() < MOST_CONNECTIONS => self.bob_comes(),
            Command::Connect | Command::LogIn | Command::BobComes => {}
            Command::Next => self.use_next(),
            Command::HoldCommits => {
                self.holds_commits = !self.holds_commits;
                self.world.hold_commits(self.holds_commits);
            }
            Command::FillDisk => {
                self.is_disk_full = !self.is_disk_full;
                self.world.space().grant(self.is_disk_full.then_some(0));
            }
            Command::BobLeaves => self.devices[self.bob].cut(&self.world),
            Command::BobWrites => {
                let text = format!(
                    "<message to='alice@example.org' type='chat' id='b'><body>{BOB_SAYS}</body>\
                     </message>"
                );
                self.say(self.bob, &text);
            }
        }
        self.settle();
    }

    fn use_next(&mut self) {
        let after = (self.speaker + 1..self.devices.len()).chain(0..self.speaker);
        let mut others = after.filter(|&number| self.devices[number].is_of(ALICE));
        if let Some(next) = others.next() {
            self.speaker = next;
        }
    }

    fn bob_comes(&mut self) {
        self.bob = self.devices.len();
        self.devices
            .push(Device::connect(&mut self.world, PLAINTEXT, BOB));
        self.log_in(self.bob, PASSWORD_OF_BOB);
        self.say(self.bob, &login::bind("phone"));
        self.say(self.bob, "<presence/>");
    }

    /// Goes as far as the server lets it: it may be in a bad way.
    fn log_in(&mut self, who: usize, password: &str) {
        self.say(who, HEADER);
        let Some((exchange, auth)) = login::begin(&self.devices[who], password) else {
            return;
        };
        self.say(who, &auth);
        let Some(response) = login::answer(&self.devices[who], exchange) else {
            return;
        };
        self.say(who, &response);
        self.say(who, HEADER);
    }

    /// What Alice has said arrives.
    fn arrive(&mut self) {
        let said = std::mem::take(&mut self.said);
        self.devices[self.speaker].say(&self.world, &said);
        self.settle();
    }

    fn say(&mut self, who: usize, text: &str) {
        self.devices[who].say(&self.world, text.as_bytes());
        self.settle();
    }

    /// Lets the server do what there is to do, and looks at what it says.
    fn settle(&mut self) {
        self.world.settle();
        for (number, device) in self.devices.iter_mut().enumerate() {
            device.listen(number, &self.world, &mut self.book);
        }
        for device in &mut self.devices {
            device.check(&mut self.book);
        }
        let most = STANZAS_FOR_LOGIN + STANZAS_FOR_BYTE * self.input_bytes;
        assert!(self.book.stanzas <= most, "the server talks too much");
    }

    /// Everybody leaves, and nobody comes back in time.
    fn end(&mut self) {
        self.world.hold_commits(false);
        self.world.space().grant(None);
        self.settle();
        for device in &mut self.devices {
            device.cut(&self.world);
        }
        self.settle();
        self.world.pass(Duration::from_secs(3600));
        self.settle();
        assert_eq!(self.world.hub().session_count(), 0);
        self.book.check_addresses();
        for device in &mut self.devices {
            device.end_stream(&mut self.book);
        }
    }
}

/// A world with limits that are soon met.
fn world() -> World {
    let accounts = AccountsConfig {
        sessions: 4,
        contacts: CONTACTS,
        waiting_messages: 8,
        mailbox_events: 16,
        mailbox_bytes: 16 << 10,
        directed_presences: 4,
        history_page: 4,
        history_page_most: 8,
        private_entries: 4,
        private_bytes: 4 << 10,
        blocked: 4,
    };
    let patience = XmppConfig {
        login_bytes: 8 << 10,
        stanza_bytes: STANZA_BYTES,
        unacknowledged_stanzas: 6,
        resume_seconds: 20,
        ping_seconds: 60,
        ping_timeout_seconds: 10,
        ..XmppConfig::default()
    };
    let mut world = World::with_config(1, &["alice"], accounts, patience);
    let (hub, now) = (Arc::clone(world.hub()), world.now());
    world.spawn(async move {
        let bob = BareJid::new(Some("bob"), DOMAIN).expect("it is an address");
        let accounts = [(bob, CREDENTIALS_OF_BOB.clone())];
        hub.create_accounts(&accounts, now)
            .await
            .expect("there is room");
    });
    world.settle();
    world
}

static CREDENTIALS_OF_BOB: LazyLock<Credentials> = LazyLock::new(|| {
    let iterations = Iterations::new(Iterations::MIN).expect("as few as allowed");
    let verifiers = Verifier::derive_all(PASSWORD_OF_BOB, [2; SALT_BYTES], iterations);
    Credentials::new(&verifiers.expect("it is a password"))
});
