//! The peers' packages.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tokio::process::Command;

use super::lab::succeed;
use super::{CompareError, trying};

/// Debian's packages that the comparison needs.
const PACKAGES: [&str; 5] = [
    "ejabberd",
    "erlang-p1-sqlite3",
    "prosody",
    "lua-dbi-sqlite3",
    "sqlite3",
];
/// Packages whose versions explain figures.
const INTERPRETERS: [&str; 3] = ["erlang-base", "lua5.4", "libsqlite3-0"];

/// While this exists and says no, installing a package starts no service (invoke-rc.d(8)).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs what is missing.
pub(crate) async fn install_missing() -> Result<(), CompareError> {
    let present = versions().await;
    let is_missing = |package: &&str| !lists(&present, package);
    let missing: Vec<&str> = PACKAGES.into_iter().filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("installing {}", missing.join(", "));
    let _policy = NoServices::declare()?;
    succeed(apt(&["update"])).await?;
    let mut install = apt(&["install", "--yes", "--no-install-recommends"]);
    install.args(missing);
    succeed(install).await.map(drop)
}

/// `NAME VERSION` of those that are installed.
pub(crate) async fn versions() -> Vec<String> {
    let mut query = Command::new("dpkg-query");
    query.args([
        "--show",
        "--showformat",
        "${db:Status-Status} ${Package} ${Version}\n",
    ]);
    query.args(PACKAGES).args(INTERPRETERS);
    // It fails if one is unknown, and lists the others all the same.
    let listed = query
        .output()
        .await
        .map(|output| output.stdout)
        .unwrap_or_default();
    let lines = String::from_utf8_lossy(&listed);
    lines
        .lines()
        .filter_map(|line| line.strip_prefix("installed "))
        .map(str::to_owned)
        .collect()
}

/// Whether a package is among these versions.
pub(crate) fn lists(versions: &[String], package: &str) -> bool {
    versions
        .iter()
        .any(|version| version.split(' ').next() == Some(package))
}

fn apt(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// A policy that no service be started, for as long as it lives.
enum NoServices {
    /// Ours, to be taken away again.
    Declared,
    /// The machine has a policy; it is not ours to change.
    Given,
}

impl NoServices {
    fn declare() -> Result<Self, CompareError> {
        let policy = Path::new(POLICY);
        if policy.exists() {
            return Ok(Self::Given);
        }
        let written = fs::write(policy, "#!/bin/sh\nexit 101\n")
            .and_then(|()| fs::set_permissions(policy, fs::Permissions::from_mode(0o755)));
        written.map_err(trying(|| format!("writing {POLICY}")))?;
        Ok(Self::Declared)
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        match self {
            Self::Declared => drop(fs::remove_file(POLICY)),
            Self::Given => {}
        }
    }
}
