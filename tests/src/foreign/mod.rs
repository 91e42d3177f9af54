//! Clients nobody here wrote, as their users run them.
//!
//! Each trusts the server's own authority and nobody else.

mod go_sendxmpp;
mod mcabber;
mod poezio;
mod profanity;
mod slixmpp;
mod terminal;

pub use self::go_sendxmpp::GoSendxmpp;
pub use self::mcabber::Mcabber;
pub use self::poezio::Poezio;
pub use self::profanity::Profanity;
pub use self::slixmpp::Slixmpp;

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How a client makes its connection secure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Once it is open (RFC 6120 §5).
    Starttls,
    /// From the first byte (XEP-0368).
    Direct,
}

impl Tls {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Starttls, Self::Direct];

    fn door(self) -> &'static str {
        match self {
            Self::Starttls => "xmpp",
            Self::Direct => "xmpps",
        }
    }
}

/// Python with what `tests/requirements.txt` names.
fn python() -> PathBuf {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    assert!(python.exists(), "slixmpp is not installed: make tools");
    python
}

/// Writes a configuration that nobody else may read: some clients refuse others.
fn write_secret(path: &Path, text: &str) {
    let mut options = File::options();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.unwrap().write_all(text.as_bytes()).unwrap();
}
