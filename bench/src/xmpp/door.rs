//! The server under load as its clients see it: address, credentials, what they ask for.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use rustls::pki_types::ServerName;
use serde::Serialize;
use tokio_rustls::TlsConnector;

use super::scram::{Hash, Secret};
use super::transport::{self, Tls};

/// What the accounts of all loads are called: `u0`, `u1`, and so on, with one password.
#[derive(Debug, Clone, Args)]
pub(crate) struct Accounts {
    /// The accounts' domain
    #[arg(long, default_value = "localhost")]
    pub(crate) domain: String,
    /// The password of every account
    #[arg(long, default_value = "bench-password")]
    pub(crate) password: String,
}

impl Accounts {
    /// The local part of an account.
    pub(crate) fn user(number: usize) -> String {
        format!("u{number}")
    }

    /// The bare address of an account.
    pub(crate) fn address(&self, number: usize) -> String {
        format!("{}@{}", Self::user(number), self.domain)
    }
}

/// How clients reach the server and log in; the same for every load.
#[derive(Debug, Clone, Args)]
pub(crate) struct DoorArgs {
    /// The server's address; loopback only
    #[arg(long, default_value = "127.0.0.1:5222", value_parser = loopback)]
    to: SocketAddr,
    /// When TLS 1.3 begins
    #[arg(long, value_enum, default_value = "off")]
    tls: Tls,
    /// The SASL mechanism
    #[arg(long, value_enum, default_value = "scram-sha-1")]
    mechanism: Mechanism,
    /// Do not enable stream management (XEP-0198)
    #[arg(long)]
    no_sm: bool,
    /// Enable carbons (XEP-0280)
    #[arg(long)]
    carbons: bool,
    #[command(flatten)]
    accounts: Accounts,
}

/// How a client proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
pub(crate) enum Mechanism {
    /// The password itself (RFC 4616)
    #[serde(rename = "PLAIN")]
    Plain,
    /// RFC 5802
    #[value(name = "scram-sha-1")]
    #[serde(rename = "SCRAM-SHA-1")]
    ScramSha1,
    /// RFC 7677
    #[value(name = "scram-sha-256")]
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
}

/// Everything that the clients of a run share.
pub(crate) struct Door {
    pub(super) address: SocketAddr,
    pub(super) tls: Tls,
    pub(super) connector: TlsConnector,
    pub(super) name: ServerName<'static>,
    pub(super) credential: Credential,
    pub(super) accounts: Accounts,
    setting: Setting,
}

/// What SASL runs on.
pub(super) enum Credential {
    Plain,
    Scram(Secret),
}

/// The part of a report that says how the clients came in.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Setting {
    tls: Tls,
    mechanism: Mechanism,
    pub(super) stream_management: bool,
    pub(super) carbons: bool,
}

impl Door {
    /// Prepares what the clients share; connects to nothing.
    ///
    /// # Errors
    /// If the domain is not one that TLS could name.
    pub(crate) fn new(args: DoorArgs) -> Result<Self, DoorError> {
        let password = &args.accounts.password;
        let scram = |hash| Credential::Scram(Secret::new(hash, password));
        Ok(Self {
            address: args.to,
            tls: args.tls,
            connector: transport::connector()?,
            name: ServerName::try_from(args.accounts.domain.clone())?,
            credential: match args.mechanism {
                Mechanism::Plain => Credential::Plain,
                Mechanism::ScramSha1 => scram(Hash::Sha1),
                Mechanism::ScramSha256 => scram(Hash::Sha256),
            },
            setting: Setting {
                tls: args.tls,
                mechanism: args.mechanism,
                stream_management: !args.no_sm,
                carbons: args.carbons,
            },
            accounts: args.accounts,
        })
    }

    /// How the clients come in.
    pub(crate) fn setting(&self) -> &Setting {
        &self.setting
    }

    /// Who the clients are.
    pub(crate) fn accounts(&self) -> &Accounts {
        &self.accounts
    }
}

/// Why there can be no clients at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DoorError {
    /// rustls refused its configuration.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    /// The domain is no host name.
    #[error("the domain is no host name")]
    Domain(#[from] rustls::pki_types::InvalidDnsNameError),
}

/// Certificates are not checked and the load is heavy: it stays on this machine.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| "not ADDRESS:PORT".to_owned())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("not a loopback address".to_owned())
    }
}
