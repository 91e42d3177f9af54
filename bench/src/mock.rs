//! A server for tests of the loads: speaks just enough, and has faults to order.

mod room;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::xmpp::{Element, Piece, Splitter};

use room::Rooms;

/// What the server does wrong with every tenth message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// Does not deliver it.
    Loses,
    /// Delivers it again.
    Doubles,
    /// Delivers it after the next one.
    Delays,
    /// Does not count it as received.
    Forgets,
    /// Sends it back as an error.
    Bounces,
    /// Closes the connection it came from.
    HangsUp,
}

type Outboxes = Arc<Mutex<HashMap<String, UnboundedSender<String>>>>;

/// Starts a server on a free port; it lives as long as the test's runtime.
pub(crate) async fn serve(fault: Fault) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (outboxes, rooms) = (Outboxes::default(), Arc::<Rooms>::default());
        for number in 0.. {
            let Ok((socket, _)) = listener.accept().await else {
                return;
            };
            let (outbox, waiting) = unbounded_channel();
            let client = Client {
                fault,
                number,
                rooms: rooms.clone(),
                outboxes: outboxes.clone(),
                outbox,
                received: 0,
                messages: 0,
                delayed: None,
            };
            tokio::spawn(client.serve(socket, waiting));
        }
    });
    address
}

struct Client {
    fault: Fault,
    number: usize,
    rooms: Arc<Rooms>,
    outboxes: Outboxes,
    outbox: UnboundedSender<String>,
    received: u32,
    messages: u32,
    delayed: Option<String>,
}

impl Client {
    async fn serve(mut self, mut socket: TcpStream, mut waiting: UnboundedReceiver<String>) {
        let mut splitter = Splitter::default();
        loop {
            select! {
                Some(text) = waiting.recv() => socket.write_all(text.as_bytes()).await.unwrap(),
                read = socket.read_buf(splitter.buffer()) => if !matches!(read, Ok(1..)) { return },
            }
            while let Some(piece) = splitter.next().unwrap() {
                match piece {
                    Piece::Opened => self.answer("<stream:stream><stream:features/>".to_owned()),
                    Piece::Element(element) if element.name() == b"auth" => {
                        self.log_in(&element);
                        splitter.restart();
                    }
                    Piece::Element(element) if self.hangs_up(&element) => return,
                    Piece::Element(element) => self.handle(&element),
                    Piece::Closed => return,
                }
            }
        }
    }

    fn answer(&self, text: String) {
        self.outbox.send(text).unwrap();
    }

    fn log_in(&self, auth: &Element) {
        let message = BASE64.decode(auth.text_of("auth").unwrap()).unwrap();
        let user = message.split(|byte| *byte == 0).nth(1).unwrap();
        let address = format!("{}@localhost", str::from_utf8(user).unwrap());
        self.outboxes
            .lock()
            .unwrap()
            .insert(address, self.outbox.clone());
        self.answer("<success/>".to_owned());
    }

    fn handle(&mut self, element: &Element) {
        let id = element.attribute("id").unwrap_or_default();
        match element.name() {
            b"iq" => self.answer(format!("<iq type='result' id='{id}'/>")),
            b"message" if element.attribute("type") == Some("groupchat") => {
                self.rooms.say(element, self.number, self.fault);
            }
            b"message" => self.route(element),
            b"presence" => match (element.attribute("to"), element.attribute("type")) {
                (Some(to), None) => self.rooms.enter(to, self.number, &self.outbox),
                (Some(to), Some(_)) => self.rooms.leave(to, self.number, &self.outbox),
                (None, _) => {}
            },
            b"enable" => {
                self.received = 0;
                return self.answer("<enabled/><r/>".to_owned());
            }
            b"r" => return self.answer(format!("<a h='{}'/>", self.received)),
            b"a" => return,
            other => panic!("{}", String::from_utf8_lossy(other)),
        }
        let forgotten = element.name() == b"message" && self.is_faulty(Fault::Forgets);
        self.received += u32::from(!forgotten);
    }

    fn route(&mut self, message: &Element) {
        self.messages += 1;
        let (to, text) = (message.attribute("to").unwrap(), message.to_string());
        let outbox = self.outboxes.lock().unwrap()[to].clone();
        // Whoever has left misses nothing.
        let deliver = |text: String| drop(outbox.send(text));
        match self.fault {
            Fault::Loses if self.is_faulty(Fault::Loses) => {}
            Fault::Delays if self.is_faulty(Fault::Delays) => self.delayed = Some(text),
            Fault::Bounces if self.is_faulty(Fault::Bounces) => {
                self.answer(text.replace("type='chat'", "type='error'"));
            }
            Fault::Doubles if self.is_faulty(Fault::Doubles) => deliver(text.repeat(2)),
            _ => {
                deliver(text);
                self.delayed.take().map(deliver);
            }
        }
    }

    fn hangs_up(&self, element: &Element) -> bool {
        self.fault == Fault::HangsUp && element.name() == b"message" && self.messages == 9
    }

    fn is_faulty(&self, fault: Fault) -> bool {
        self.fault == fault && self.messages.is_multiple_of(10)
    }
}
