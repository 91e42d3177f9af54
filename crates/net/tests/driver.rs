//! The driver with a protocol that echoes, over real sockets and against a TLS
//! client that is not ours.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_net::{
    Certificates, Clock, Next, Opening, Protocol, Secured, Terms, TlsAcceptor, drive,
    local_identity,
};
use anser_store::Timestamp;
use bytes::BytesMut;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion, version::TLS12, version::TLS13,
};

/// What the protocol tells the test.
#[derive(Debug, PartialEq)]
enum Told {
    Secured(Secured),
    Lost,
}

/// Echoes lines. `secure` asks for TLS, `bye` closes.
struct Echo {
    told: mpsc::UnboundedSender<Told>,
    deadline: Option<Timestamp>,
    hearing: Hearing,
}

/// Whether it takes what arrives.
enum Hearing {
    Good,
    None,
}

impl Protocol for Echo {
    fn poll_receivable(&mut self, _: &mut Context<'_>) -> Poll<()> {
        match self.hearing {
            Hearing::Good => Poll::Ready(()),
            Hearing::None => Poll::Pending,
        }
    }

    async fn receive(&mut self, input: &mut BytesMut, output: &mut BytesMut, _: Timestamp) -> Next {
        while let Some(end) = input.iter().position(|byte| *byte == b'\n') {
            let line = input.split_to(end + 1);
            output.extend_from_slice(&line);
            match &line[..] {
                b"secure\n" => return Next::Secure,
                b"bye\n" => return Next::Close,
                _ => {}
            }
        }
        Next::Continue
    }

    fn poll_mail(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    async fn mail(&mut self, _: &mut BytesMut, _: Timestamp) -> Next {
        Next::Continue
    }

    fn poll_abandoned(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }

    fn ends_at(&self) -> Option<Timestamp> {
        self.deadline
    }

    fn time_out(&mut self, output: &mut BytesMut, _: Timestamp) -> Next {
        output.extend_from_slice(b"too slow\n");
        Next::Close
    }

    fn secured(&mut self, secured: Secured) {
        self.told.send(Told::Secured(secured)).unwrap();
    }

    async fn lost(&mut self, _: &mut BytesMut, _: Timestamp) {
        self.told.send(Told::Lost).unwrap();
    }
}

struct Server {
    address: SocketAddr,
    told: mpsc::UnboundedReceiver<Told>,
    authority: CertificateDer<'static>,
    _folder: tempfile::TempDir,
}

/// Serves one client.
async fn serve(opening: Opening, patience: Option<Duration>) -> Server {
    serve_with(opening, patience, Hearing::Good).await
}

async fn serve_with(opening: Opening, patience: Option<Duration>, hearing: Hearing) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let identity = local_identity(
        folder.path(),
        &["localhost".to_owned()],
        Clock::default().now(),
    )
    .unwrap();
    let authority = CertificateDer::from_pem_file(folder.path().join("ca.pem")).unwrap();
    let certificates = Arc::new(Certificates::new(identity));
    let terms = Arc::new(Terms {
        clock: Arc::new(Clock::default()),
        tls: Some(TlsAcceptor::new(certificates, &["echo"])),
        write_timeout: Duration::from_secs(3600),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (told, hears) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let deadline = patience.map(|patience| terms.clock.now().after(patience));
        let echo = Echo {
            told,
            deadline,
            hearing,
        };
        drive(stream, opening, echo, terms, ()).await;
    });
    Server {
        address,
        told: hears,
        authority,
        _folder: folder,
    }
}

impl Server {
    async fn tls_client(&self, versions: &[&'static SupportedProtocolVersion]) -> Client {
        let stream = TcpStream::connect(self.address).await.unwrap();
        self.secure(stream, versions, b"echo").await.unwrap()
    }

    async fn secure(
        &self,
        stream: TcpStream,
        versions: &[&'static SupportedProtocolVersion],
        protocol: &[u8],
    ) -> std::io::Result<Client> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
    }
}

type Client = TlsStream<TcpStream>;

async fn echo(client: &mut (impl AsyncRead + AsyncWrite + Unpin), line: &[u8]) {
    client.write_all(line).await.unwrap();
    let mut back = vec![0; line.len()];
    client.read_exact(&mut back).await.unwrap();
    assert!(back == line);
}

async fn rest(client: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    rest
}

#[tokio::test]
async fn lines_are_echoed_however_they_are_cut() {
    let mut server = serve(Opening::Plain, None).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    for byte in b"one byte at a time" {
        client.write_all(&[*byte]).await.unwrap();
        client.flush().await.unwrap();
    }
    client.write_all(b"\n").await.unwrap();
    let mut back = [0; 19];
    client.read_exact(&mut back).await.unwrap();
    assert_eq!(&back, b"one byte at a time\n");
    let mut long = vec![b'x'; 300_000];
    long.push(b'\n');
    let (mut read, mut write) = client.split();
    let mut back = vec![0; long.len()];
    let (sent, got) = tokio::join!(write.write_all(&long), read.read_exact(&mut back));
    sent.unwrap();
    got.unwrap();
    assert!(back == long);
    drop(client);
    assert_eq!(server.told.recv().await, Some(Told::Lost));
}

#[tokio::test]
async fn the_last_words_arrive_before_the_end() {
    let server = serve(Opening::Plain, None).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    client
        .write_all(b"one\nbye\nthis is not read\n")
        .await
        .unwrap();
    assert_eq!(rest(&mut client).await, b"one\nbye\n");
}

#[tokio::test]
async fn a_deadline_that_passes_is_told_to_the_protocol() {
    let server = serve(Opening::Plain, Some(Duration::from_millis(50))).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(rest(&mut client).await, b"too slow\n");
}

#[tokio::test]
async fn while_nothing_is_taken_that_arrives_deadlines_pass_all_the_same() {
    let patience = Some(Duration::from_millis(50));
    let server = serve_with(Opening::Plain, patience, Hearing::None).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    client.write_all(b"anybody there?\n").await.unwrap();
    assert_eq!(rest(&mut client).await, b"too slow\n");
}

/// CVE-2026-43506 and kin: not to read is no way to stay.
#[tokio::test]
async fn a_peer_that_takes_nothing_is_given_up_at_the_deadline() {
    let server = serve(Opening::Plain, Some(Duration::from_millis(500))).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    let line = [&vec![b'x'; 100_000][..], b"\n"].concat();
    let until_nobody_reads = async { while client.write_all(&line).await.is_ok() {} };
    let given_up = timeout(Duration::from_secs(60), until_nobody_reads).await;
    assert!(given_up.is_ok(), "the server still waits for its client");
}

/// RFC 9266 §4.2, RFC 5929 §4.1
#[tokio::test]
async fn both_sides_derive_the_same_channel_bindings() {
    let mut server = serve(Opening::Secured, None).await;
    let mut client = server.tls_client(&[&TLS13]).await;
    echo(&mut client, b"hello\n").await;
    let Some(Told::Secured(secured)) = server.told.recv().await else {
        panic!("not told that the connection is secured");
    };
    let (_, connection) = client.get_ref();
    let exporter = connection
        .export_keying_material([0; 32], b"EXPORTER-Channel-Binding", None)
        .unwrap();
    assert_eq!(secured.exporter, Some(exporter));
    let leaf = &connection.peer_certificates().unwrap()[0];
    let hash = ring::digest::digest(&ring::digest::SHA256, leaf);
    assert_eq!(secured.end_point.as_deref(), Some(hash.as_ref()));
}

/// RFC 9266 §4.2: older versions need an extension that ours does not have.
#[tokio::test]
async fn an_older_tls_works_without_an_exporter() {
    let mut server = serve(Opening::Secured, None).await;
    let mut client = server.tls_client(&[&TLS12]).await;
    echo(&mut client, b"hello\n").await;
    let Some(Told::Secured(secured)) = server.told.recv().await else {
        panic!("not told that the connection is secured");
    };
    assert_eq!(secured.exporter, None);
    assert!(secured.end_point.is_some());
}

#[tokio::test]
async fn records_of_any_size_pass_both_ways() {
    let mut server = serve(Opening::Secured, None).await;
    let client = server.tls_client(&[&TLS13]).await;
    let (mut read, mut write) = tokio::io::split(client);
    let mut long = vec![b'x'; 500_000];
    long.push(b'\n');
    let mut back = vec![0; long.len()];
    let (sent, got) = tokio::join!(write.write_all(&long), read.read_exact(&mut back));
    sent.unwrap();
    got.unwrap();
    assert!(back == long);
    write.shutdown().await.unwrap();
    assert_eq!(rest(&mut read).await, b"");
    assert!(matches!(server.told.recv().await, Some(Told::Secured(_))));
    assert_eq!(server.told.recv().await, Some(Told::Lost));
}

/// XEP-0368 §3: the protocol is agreed on by ALPN.
#[tokio::test]
async fn a_client_of_another_protocol_is_refused() {
    let server = serve(Opening::Secured, None).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let refused = server.secure(stream, &[&TLS13], b"h2").await.unwrap_err();
    assert!(
        refused.to_string().contains("NoApplicationProtocol"),
        "{refused}"
    );
}

/// RFC 6120 §5.4.3.3: what came before TLS could be anybody's.
#[tokio::test]
async fn what_was_sent_in_the_clear_before_tls_is_thrown_away() {
    let server = serve(Opening::Plain, None).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"secure\ninjected\n").await.unwrap();
    let mut back = [0; 7];
    stream.read_exact(&mut back).await.unwrap();
    let mut client = server.secure(stream, &[&TLS13], b"echo").await.unwrap();
    client.write_all(b"bye\n").await.unwrap();
    assert_eq!(rest(&mut client).await, b"bye\n");
}
