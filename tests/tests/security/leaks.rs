//! Memory, connections and table entries that are never given back: what
//! strangers and guests begin and do not end.

use crate::{SASL, expect_stream_error};
use anser_tests::client::{Client, Fault};
use anser_tests::process::PATIENCE;
use anser_tests::program::Anser;
use anser_tests::script::{PLAINTEXT, STARTTLS, Script};
use anser_xml::Element;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

const HEADER: &str = "<stream:stream xmlns='jabber:client' \
     xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='localhost'>";

/// How far somebody has come who has no session.
#[derive(Debug, Clone, Copy)]
enum Progress {
    Connected,
    Opened,
    Securing,
    Secured,
    Challenged,
    Failed,
    Authenticated,
}

impl Progress {
    const ALL: [Self; 7] = [
        Self::Connected,
        Self::Opened,
        Self::Securing,
        Self::Secured,
        Self::Challenged,
        Self::Failed,
        Self::Authenticated,
    ];

    fn reach(self, script: &mut Script) {
        let challenge = "biwsbj1hbGljZSxyPWFiYw==";
        let auth = |data| format!("<auth xmlns='{SASL}' mechanism='SCRAM-SHA-1'>{data}</auth>");
        match self {
            Self::Connected => script.connect("stranger", STARTTLS),
            Self::Opened => {
                script.connect("stranger", PLAINTEXT);
                script.restart("stranger");
            }
            Self::Securing => {
                script.connect("stranger", STARTTLS);
                script.restart("stranger");
                script.send(
                    "stranger",
                    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
                );
            }
            Self::Secured => script.secure("stranger"),
            Self::Challenged => {
                script.secure("stranger");
                script.send("stranger", &auth(challenge));
            }
            Self::Failed => {
                script.secure("stranger");
                script.send("stranger", &auth("AA=="));
            }
            Self::Authenticated => {
                let _features = script.authenticate("stranger", "alice");
            }
        }
        script.forget("stranger");
    }
}

/// CVE-2026-43506, Openfire's connections that stayed open after a failed login:
/// nothing keeps the connection of somebody who does not log in, neither white
/// space nor another attempt.
#[test]
fn whoever_does_not_log_in_in_time_is_cut_off_whatever_they_send() {
    for progress in Progress::ALL {
        let mut script = Script::new(&["alice"]);
        let before = script.world.tasks();
        progress.reach(&mut script);
        for _ in 0..29 {
            script.world.pass(Duration::from_secs(1));
            script.send("stranger", " ");
            assert_eq!(script.receive_bytes("stranger").len(), 0, "{progress:?}");
        }
        script.world.pass(Duration::from_secs(1));
        let last = script.receive_bytes("stranger");
        let last = String::from_utf8(last.to_vec()).unwrap();
        assert!(last.contains("<connection-timeout "), "{progress:?} {last}");
        script.expect_closed("stranger");
        assert_eq!(script.world.tasks(), before, "{progress:?}");
    }
}

/// CVE-2026-43506: pings are for those who have a session.
#[test]
fn a_ping_of_a_stranger_is_no_sign_of_life() {
    for progress in [Progress::Opened, Progress::Authenticated] {
        let mut script = Script::new(&["alice"]);
        progress.reach(&mut script);
        script.send(
            "stranger",
            "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>",
        );
        expect_stream_error(&mut script, "stranger", "not-authorized");
    }
}

/// CVE-2026-43506: what strangers begin is gone when they are.
#[test]
fn nothing_is_left_of_those_who_went_without_logging_in() {
    let mut script = Script::new(&["alice"]);
    let before = script.world.tasks();
    for round in 0..700 {
        Progress::ALL[round % Progress::ALL.len()].reach(&mut script);
        script.cut("stranger");
        assert_eq!(script.world.tasks(), before);
    }
    assert_eq!(script.world.hub().session_count(), 0);
    assert_eq!(script.world.hub().account_count(), 0);
    assert_eq!(script.world.front().resumable_count(), 0);
}

/// The class of the atoms that an attacker could make (ejabberd 26.07): names
/// that are made up leave nothing behind, of whatever kind they are.
#[test]
fn names_that_are_made_up_leave_nothing_behind() {
    let mut script = Script::new(&["alice"]);
    let before = script.world.tasks();
    for round in 0..100 {
        script.log_in("alice", &format!("alice@example.org/resource-{round}"));
        script.send("alice", "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
        script.send("alice", "<presence/>");
        for number in round * 20..round * 20 + 20 {
            script.send("alice", &stanzas_with_names(number));
        }
        script.expect_open("alice");
        script.cut("alice");
        script.world.pass(Duration::from_secs(301));
        script.world.settle();
        assert_eq!(script.world.hub().session_count(), 0);
        assert_eq!(script.world.front().resumable_count(), 0);
        assert_eq!(script.world.hub().room_count(), 0);
    }
    assert_eq!(script.world.hub().account_count(), 0);
    assert_eq!(script.world.tasks(), before);
}

/// Stanzas full of names that nobody has used before.
fn stanzas_with_names(number: usize) -> String {
    format!(
        "<message to='nobody-{number}@example.org'><x xmlns='urn:made-up:{number}'/></message>\
         <message to='nobody-{number}@{number}.example' id='i-{number}' xml:lang='l-{number}'/>\
         <presence to='nobody-{number}@example.org/r-{number}'/>\
         <presence to='nobody-{number}@example.org' type='subscribe'/>\
         <iq type='set' id='u-{number}'><query xmlns='jabber:iq:roster'>\
         <item jid='nobody-{number}@example.org' subscription='remove'/></query></iq>\
         <presence to='nobody-{number}@example.org' type='probe'/>\
         <iq to='nobody-{number}@example.org/r-{number}' type='get' id='q-{number}'>\
         <e-{number} xmlns='urn:made-up:{number}' a-{number}='v-{number}'/></iq>\
         <iq to='nobody-{number}@example.org' type='get' id='q-{number}'>\
         <query xmlns='http://jabber.org/protocol/disco#info' node='n-{number}'/></iq>\
         <iq type='set' id='s-{number}'><query xmlns='jabber:iq:roster'>\
         <item jid='c-{number}@example.com'><group>g-{number}</group></item></query></iq>\
         <iq type='set' id='r-{number}'><query xmlns='jabber:iq:roster'>\
         <item jid='c-{number}@example.com' subscription='remove'/></query></iq>"
    ) + &stanzas_with_rooms(number)
}

/// The same about rooms that are not there, and one that somebody begins.
fn stanzas_with_rooms(number: usize) -> String {
    let to = format!("nobody-{number}@rooms.example.org");
    let begun = format!("to='begun-{number}@rooms.example.org/n-{number}'");
    let muc = "http://jabber.org/protocol/muc";
    format!(
        "<iq to='{to}' type='get' id='d-{number}'>\
         <query xmlns='http://jabber.org/protocol/disco#info'/></iq>\
         <iq to='{to}' type='get' id='o-{number}'><query xmlns='{muc}#owner'/></iq>\
         <iq to='{to}' type='set' id='m-{number}'><query xmlns='urn:xmpp:mam:2'/></iq>\
         <message to='{to}' type='groupchat'><body>{number}</body></message>\
         <message to='{to}/n-{number}' type='chat'><body>{number}</body></message>\
         <presence to='{to}/n-{number}'/>\
         <presence {begun}><x xmlns='{muc}'/></presence>\
         <presence {begun} type='unavailable'/>"
    )
}

/// A server that permits SASL without TLS, so that a cycle costs little.
pub(crate) fn server(configuration: &str) -> (Anser, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("anser.toml");
    fs::write(&file, configuration).unwrap();
    let file = file.to_str().unwrap();
    let anser = Anser::start_with(&["--config", file, "--allow-plaintext-login"]);
    anser.add_user("alice@localhost", "secret");
    (anser, folder)
}

/// Something that somebody begins without ending it.
#[derive(Debug, Clone, Copy)]
enum Cycle {
    Connect,
    HalfHeader,
    StartTls,
    HalfHello,
    Handshake,
    WrongPassword,
    UnknownUser,
    Bomb,
}

impl Cycle {
    const ALL: [Self; 8] = [
        Self::Connect,
        Self::HalfHeader,
        Self::StartTls,
        Self::HalfHello,
        Self::Handshake,
        Self::WrongPassword,
        Self::UnknownUser,
        Self::Bomb,
    ];

    fn run(self, anser: &Anser, number: usize) {
        match self {
            Self::Connect => abandon(anser, "xmpp", b""),
            Self::HalfHeader => abandon(anser, "xmpp", &HEADER.as_bytes()[..HEADER.len() / 2]),
            Self::StartTls => {
                let starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
                abandon(anser, "xmpp", format!("{HEADER}{starttls}").as_bytes());
            }
            Self::HalfHello => abandon(anser, "xmpps", HALF_HELLO),
            Self::Handshake => drop(Client::connect(&anser.direct_tls(), "localhost").unwrap()),
            Self::WrongPassword => guess(anser, "alice"),
            Self::UnknownUser => guess(anser, &format!("nobody{number}")),
            Self::Bomb => {
                let bomb = "<!DOCTYPE x [<!ENTITY a '&b;&b;'>]>".repeat(100);
                abandon(anser, "xmpp", format!("{HEADER}{bomb}").as_bytes());
            }
        }
    }
}

/// The beginning of a TLS record that would be 512 bytes long.
const HALF_HELLO: &[u8] = b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03 and no more";

/// Says something, goes, and waits until the server has noticed.
fn abandon(anser: &Anser, door: &str, sent: &[u8]) {
    let mut stream = TcpStream::connect(anser.door(door)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(sent).unwrap();
    // The server may have closed already.
    let _ = stream.shutdown(Shutdown::Write);
    wait_until_closed(&mut stream);
}

/// Takes what the server still says, up to the end.
fn wait_until_closed(stream: &mut TcpStream) {
    let mut rest = [0; 4096];
    loop {
        match stream.read(&mut rest) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return,
            Err(error) => panic!("still open: {error}"),
        }
    }
}

/// Tries wrong proofs until the server has had enough.
fn guess(anser: &Anser, name: &str) {
    let mut client = Client::connect(&anser.plain(), "localhost").unwrap();
    let first = BASE64.encode(format!("n,,n={name},r=abc"));
    for _ in 0..3 {
        let auth = format!("<auth xmlns='{SASL}' mechanism='SCRAM-SHA-1'>{first}</auth>");
        client.send(&auth).unwrap();
        let challenge = client.next().unwrap();
        let challenge = BASE64.decode(challenge.text().as_bytes()).unwrap();
        let challenge = String::from_utf8(challenge).unwrap();
        let (nonce, _) = challenge.split_once(',').unwrap();
        let last = BASE64.encode(format!("c=biws,{nonce},p={}", BASE64.encode([0; 20])));
        client
            .send(&format!("<response xmlns='{SASL}'>{last}</response>"))
            .unwrap();
        assert_eq!(client.next().unwrap().name(), "failure");
    }
    let fault = client.next().unwrap_err();
    assert!(matches!(&fault, Fault::Stream(condition) if condition == "policy-violation"));
}

/// How often everything is begun; `ANSER_CYCLES` says otherwise.
fn cycles() -> usize {
    let wanted = std::env::var("ANSER_CYCLES");
    wanted.map_or(4000, |wanted| wanted.parse().unwrap())
}

/// What memory may grow by that has been used for everything before, however
/// often it is used again.
const NOISE_KIB: u64 = 2 << 10;

/// CVE-2026-43506, CVE-2022-0217: memory is what it was before, after thousands
/// of strangers.
#[test]
fn memory_does_not_grow_with_the_number_of_strangers() {
    let (anser, _folder) = server("[log]\nlevel = \"warn\"\n");
    let run = |numbers: std::ops::Range<usize>| {
        for number in numbers {
            Cycle::ALL[number % Cycle::ALL.len()].run(&anser, number);
        }
        anser.process().memory_kib()
    };
    let cycles = cycles();
    let before = run(0..800);
    let after = run(800..800 + cycles);
    let grown = after.saturating_sub(before);
    println!("{cycles} cycles: {before} KiB before, {after} KiB after");
    assert!(grown < NOISE_KIB, "{before} KiB before, {after} KiB after");
    // It has not stopped to work meanwhile.
    let mut alice = Client::log_in(&anser.plain(), "alice@localhost", "secret").unwrap();
    alice.catch_up().unwrap();
}

/// The atoms of ejabberd 26.07 once more: a session that uses a new name for
/// everything with every stanza.
#[test]
fn memory_does_not_grow_with_the_number_of_names() {
    let unlimited = "[rooms]\nburst_messages = 0\n";
    let (anser, _folder) = server(&format!("[log]\nlevel = \"warn\"\n{unlimited}"));
    let mut alice = Client::log_in(&anser.plain(), "alice@localhost", "secret").unwrap();
    let mut run = |numbers: std::ops::Range<usize>| {
        for number in numbers {
            let stanzas = stanzas_with_names(number).replace("example.org", "localhost");
            // Not a message: those are kept.
            let ping = format!("<iq type='get' id='p-{number}'><ping xmlns='urn:xmpp:ping'/></iq>");
            alice.send(&(stanzas + &ping)).unwrap();
            let id = format!("p-{number}");
            let is_answer = |stanza: &Element| stanza.attribute("id").as_deref() == Some(&*id);
            alice.wait_for(is_answer).unwrap();
        }
        anser.process().memory_kib()
    };
    let before = run(0..300);
    let after = run(300..300 + cycles() / 4);
    let grown = after.saturating_sub(before);
    println!("{before} KiB before, {after} KiB after");
    assert!(grown < NOISE_KIB, "{before} KiB before, {after} KiB after");
}

/// CVE-2026-43506: the deadline holds while TLS is being agreed on, too. (And for
/// those who do not read: `a_peer_that_takes_nothing_is_given_up_at_the_deadline`
/// of `anser-net`.)
#[test]
fn half_a_handshake_is_cut_off_in_time() {
    let (anser, _folder) = server("[xmpp]\nlogin_timeout_seconds = 1\n");
    let starttls = format!("{HEADER}<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    let starttls = [starttls.as_bytes(), HALF_HELLO].concat();
    let half_header = &HEADER.as_bytes()[..20];
    let mut streams: Vec<_> = [
        ("xmpp", &b""[..]),
        ("xmpp", half_header),
        ("xmpp", &starttls),
        ("xmpps", b""),
        ("xmpps", HALF_HELLO),
    ]
    .into_iter()
    .map(|(door, sent)| {
        let mut stream = TcpStream::connect(anser.door(door)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(sent).unwrap();
        stream
    })
    .collect();
    for stream in &mut streams {
        wait_until_closed(stream);
    }
}
