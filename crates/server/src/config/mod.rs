//! The configuration file: one TOML file, every key optional, an unknown key an
//! error. The server never writes it.

mod check;
mod example;
mod read;

pub(crate) use example::example;
pub(crate) use read::read;

use anser_hub::{AccountsConfig, RoomsConfig};
use anser_xmpp::XmppConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Everything that can be configured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// The domains whose accounts live here. Without any, the server is for
    /// this machine only and its domain is localhost.
    pub(crate) domains: Vec<String>,
    /// The folder with everything the server keeps.
    pub(crate) data: DataPath,
    /// Where clients come in: the name of a door and its address. Without any,
    /// all doors open at their usual ports.
    pub(crate) doors: BTreeMap<String, SocketAddr>,
    /// Certificates.
    pub(crate) tls: TlsConfig,
    /// Connections, whatever they speak.
    pub(crate) network: NetworkConfig,
    /// The database.
    pub(crate) store: StoreConfig,
    /// What is written to the log.
    pub(crate) log: LogConfig,
    /// Passwords.
    pub(crate) auth: AuthConfig,
    /// What one account may use. Whatever is beyond a limit is refused with the
    /// protocol's own error.
    pub(crate) accounts: AccountsConfig,
    /// Rooms of all accounts.
    pub(crate) rooms: RoomsConfig,
    /// Limits and patience towards XMPP clients.
    pub(crate) xmpp: XmppConfig,
}

/// A path with a default of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct DataPath(PathBuf);

impl Default for DataPath {
    fn default() -> Self {
        Self("anser-data".into())
    }
}

impl AsRef<std::ffi::OsStr> for DataPath {
    fn as_ref(&self) -> &std::ffi::OsStr {
        self.0.as_os_str()
    }
}

/// Certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TlsConfig {
    /// A PEM file with the certificate chain, the server's own first. Without
    /// one, the server signs a certificate with an authority of its own.
    pub(crate) certificate: Option<PathBuf>,
    /// A PEM file with the key.
    pub(crate) key: Option<PathBuf>,
}

/// Connections, whatever they speak.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NetworkConfig {
    /// Threads that run connections; 0 means one per processor. Takes effect
    /// at the next start.
    pub(crate) workers: usize,
    /// Connections at the same time; fewer if the system's limit of open files
    /// leaves no room for so many. Takes effect at the next start.
    pub(crate) connections: usize,
    /// A client that takes nothing for so long is given up. Takes effect at
    /// the next start.
    pub(crate) write_timeout_seconds: u32,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self {
            workers: 0,
            connections: 100_000,
            write_timeout_seconds: 60,
        }
    }
}

/// The database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StoreConfig {
    /// "durable": what is acknowledged survives a power failure. "relaxed": it
    /// survives a crash of the program; a power failure takes back the last
    /// moments. Takes effect at the next start.
    pub(crate) durability: Durability,
    /// Largest size of the database; 0 means as large as the disk. When it is
    /// full, messages are refused until there is room.
    pub(crate) limit_megabytes: u64,
}

/// What a commit waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Durability {
    #[default]
    Durable,
    Relaxed,
}

/// What is written to the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogConfig {
    /// "error", "warn", "info", "debug" or "trace"; also by part, like
    /// "info,anser_net=debug".
    pub(crate) level: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
        }
    }
}

/// Passwords.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AuthConfig {
    /// How often a new password is hashed: twice as often is
    /// twice the work for whoever steals the database, and at each first login.
    pub(crate) scram_iterations: u32,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            scram_iterations: 10_000,
        }
    }
}
