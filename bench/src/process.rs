//! What processes cost, read from `/proc`: processor time and memory of a whole tree.

use std::collections::HashMap;
use std::fs;
use std::ops::AddAssign;
use std::time::Duration;

use serde::Serialize;

/// A process and all its descendants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProcessTree {
    root: u32,
}

/// Memory in KiB. What the kernel holds for sockets belongs to no process and is not in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Memory {
    /// Resident pages, those of shared files included.
    pub(crate) rss_kib: u64,
    /// The same, a shared page divided among those who share it.
    pub(crate) pss_kib: u64,
    /// Pages that belong to no file: heaps and stacks.
    pub(crate) anonymous_kib: u64,
}

impl ProcessTree {
    /// The tree below the process `root`.
    pub(crate) fn new(root: u32) -> Self {
        Self { root }
    }

    /// This process and its children.
    pub(crate) fn own() -> Self {
        Self::new(std::process::id())
    }

    /// Processor time so far, in user and system mode, of all threads and of children that have
    /// ended; nothing if the root is gone. The kernel counts in hundredths of a second.
    pub(crate) fn cpu_seconds(self) -> Option<f64> {
        Stat::of(self.root)?;
        let ticks: u64 = self
            .members()
            .iter()
            .filter_map(|&pid| Stat::of(pid))
            .map(|stat| stat.cpu_ticks)
            .sum();
        Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    }

    /// How long ago the root was started; nothing if it is gone.
    pub(crate) fn age(self) -> Option<Duration> {
        let started = Stat::of(self.root)?.start_ticks;
        let up = fs::read_to_string("/proc/uptime").ok()?;
        let up = up.split(' ').next()?.parse::<f64>().ok()?;
        let started = started as f64 / rustix::param::clock_ticks_per_second() as f64;
        Some(Duration::from_secs_f64((up - started).max(0.0)))
    }

    /// Memory now; nothing if the root is gone or belongs to another user.
    pub(crate) fn memory(self) -> Option<Memory> {
        Memory::of(self.root)?;
        let mut sum = Memory::default();
        self.members()
            .into_iter()
            .filter_map(Memory::of)
            .for_each(|memory| sum += memory);
        Some(sum)
    }

    fn members(self) -> Vec<u32> {
        let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let pid = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok());
            if let Some((pid, stat)) = pid.and_then(|pid| Some((pid, Stat::of(pid)?))) {
                children.entry(stat.parent).or_default().push(pid);
            }
        }
        let mut members = vec![self.root];
        let mut next = 0;
        while let Some(pid) = members.get(next) {
            members.extend(children.remove(pid).unwrap_or_default());
            next += 1;
        }
        members
    }
}

/// The fields of `/proc/PID/stat` that matter here (proc_pid_stat(5)).
#[derive(Debug, PartialEq)]
struct Stat {
    parent: u32,
    cpu_ticks: u64,
    /// Since the machine was started.
    start_ticks: u64,
}

impl Stat {
    fn of(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(stat: &str) -> Option<Self> {
        // The command's name may hold spaces and brackets; the state (3) is the first field after it.
        let (_, rest) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // starttime (22)
        let start_ticks = fields.get(19)?.parse().ok()?;
        // utime (14), stime (15), cutime (16), cstime (17)
        let ticks = fields.get(11..15)?.iter().map(|field| field.parse::<u64>());
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            cpu_ticks: ticks.sum::<Result<_, _>>().ok()?,
            start_ticks,
        })
    }
}

impl Memory {
    fn of(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?)
    }

    fn parse(smaps: &str) -> Option<Self> {
        let kib = |name| {
            let value = smaps.lines().find_map(|line| line.strip_prefix(name))?;
            value.trim().strip_suffix(" kB")?.parse().ok()
        };
        Some(Self {
            rss_kib: kib("Rss:")?,
            pss_kib: kib("Pss:")?,
            anonymous_kib: kib("Anonymous:")?,
        })
    }
}

impl AddAssign for Memory {
    fn add_assign(&mut self, other: Self) {
        self.rss_kib += other.rss_kib;
        self.pss_kib += other.pss_kib;
        self.anonymous_kib += other.anonymous_kib;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_name_may_hold_anything() {
        let stat = "42 (a) 1 (b) S 7 42 42 0 -1 4194304 100 0 0 0 150 25 3 2 20 0 1 0 100 1000 50";
        assert_eq!(
            Stat::parse(stat),
            Some(Stat {
                parent: 7,
                cpu_ticks: 180,
                start_ticks: 100
            })
        );
    }

    #[test]
    fn the_roll_up_is_read_by_name() {
        let smaps = "55-7f ---p 0 00:00 0 [rollup]\nRss:   1824 kB\nPss:   540 kB\nPss_Anon:  9 kB\nAnonymous:   96 kB\n";
        let memory = Memory {
            rss_kib: 1824,
            pss_kib: 540,
            anonymous_kib: 96,
        };
        assert_eq!(Memory::parse(smaps), Some(memory));
    }

    #[test]
    fn a_tree_has_the_children_of_its_root() {
        let mut child = std::process::Command::new("sleep")
            .arg("10")
            .spawn()
            .unwrap();
        let members = ProcessTree::own().members();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(members.contains(&child.id()));
        assert!(
            ProcessTree::own()
                .memory()
                .is_some_and(|memory| memory.rss_kib > 0)
        );
    }

    #[test]
    fn a_process_is_as_old_as_the_time_since_its_start() {
        let before = ProcessTree::own().age().unwrap();
        std::thread::sleep(Duration::from_millis(50));
        let grown = ProcessTree::own().age().unwrap() - before;
        assert!(grown >= Duration::from_millis(40), "{grown:?}");
        assert!(before < Duration::from_secs(3600), "{before:?}");
    }

    #[test]
    fn a_process_that_is_gone_costs_nothing_that_could_be_told() {
        let nobody = ProcessTree::new(u32::MAX);
        assert_eq!(
            (nobody.cpu_seconds(), nobody.memory(), nobody.age()),
            (None, None, None)
        );
    }
}
