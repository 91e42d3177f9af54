//! Where and with what a comparison was made.

use std::fs;
use std::path::Path;

use serde::Serialize;
use tokio::process::Command;

use super::install;

/// The machine and the versions of everything on it that takes part.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    /// When the comparison began, UTC.
    pub(crate) date: String,
    /// The processor's name.
    pub(crate) processor: String,
    /// Processors that the system sees.
    pub(crate) processors: usize,
    /// Main memory.
    pub(crate) memory_gib: u64,
    /// The kernel's release.
    pub(crate) kernel: String,
    /// The operating system.
    pub(crate) system: String,
    /// The compiler on this machine.
    pub(crate) rustc: String,
    /// The commit of the working directory.
    pub(crate) commit: String,
    /// What `anser --version` says.
    pub(crate) anser: String,
    /// `NAME VERSION` of the peers' packages.
    pub(crate) packages: Vec<String>,
}

impl Machine {
    /// Asks the system; what it does not know stands as `unknown`.
    pub(crate) async fn inspect(anser: &Path) -> Self {
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let memory_kib =
            field(&memory, "MemTotal").and_then(|value| value.strip_suffix(" kB")?.parse().ok());
        let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let system = system
            .lines()
            .find_map(|line| line.strip_prefix("PRETTY_NAME="));
        Self {
            date: said(Command::new("date").args(["-u", "+%F %R"])).await,
            processor: field(&processors, "model name")
                .unwrap_or("unknown")
                .to_owned(),
            processors: processors
                .lines()
                .filter(|line| line.starts_with("processor"))
                .count(),
            memory_gib: memory_kib.unwrap_or(0u64) / (1 << 20),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .unwrap_or_default()
                .trim()
                .to_owned(),
            system: system.unwrap_or("unknown").trim_matches('"').to_owned(),
            rustc: said(Command::new("rustc").arg("--version")).await,
            commit: said(Command::new("git").args(["describe", "--always", "--dirty"])).await,
            anser: said(Command::new(anser).arg("--version")).await,
            packages: install::versions().await,
        }
    }
}

/// The load average of the last minute.
pub(crate) fn load_average() -> f64 {
    let averages = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    averages
        .split(' ')
        .next()
        .and_then(|minute| minute.parse().ok())
        .unwrap_or(f64::NAN)
}

/// The type of the file system that a directory is on.
pub(crate) fn file_system_of(dir: &Path) -> String {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    file_system_in(&mounts, &dir)
        .unwrap_or("unknown")
        .to_owned()
}

/// Lines are `DEVICE MOUNT-POINT TYPE …`; the longest mount point above `dir` wins, the last of equals.
fn file_system_in<'a>(mounts: &'a str, dir: &Path) -> Option<&'a str> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let above = mounts.filter(|(point, _)| dir.starts_with(point));
    above
        .max_by_key(|(point, _)| point.len())
        .map(|(_, file_system)| file_system)
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim())
}

async fn said(command: &mut Command) -> String {
    let output = command
        .output()
        .await
        .map(|output| output.stdout)
        .unwrap_or_default();
    match String::from_utf8_lossy(&output).trim() {
        "" => "unknown".to_owned(),
        said => said.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_point_above_decides() {
        let mounts =
            "/dev/vda / ext4 rw 0 0\ntmpfs /dev tmpfs rw 0 0\nnone /dev/shm tmpfs rw 0 0\n";
        let on = |dir| file_system_in(mounts, Path::new(dir));
        assert_eq!(on("/dev/shm/bench"), Some("tmpfs"));
        assert_eq!(on("/development"), Some("ext4"));
    }
}
