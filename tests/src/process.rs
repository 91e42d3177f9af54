//! A process whose words can be waited for, and that ends with its owner.

use serde_json::Value;
use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Whatever takes longer than this has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A process that a test has started. It is ended when this is dropped.
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    /// What it writes for its users.
    pub output: Lines,
    /// What it writes about itself.
    pub log: Lines,
}

/// Lines of one of its streams, collected as they come.
#[derive(Clone, Default)]
pub struct Lines {
    shared: Arc<(Mutex<Heard>, Condvar)>,
}

#[derive(Default)]
struct Heard {
    lines: Vec<String>,
    is_over: bool,
}

impl Process {
    /// Starts it.
    ///
    /// # Panics
    /// It cannot be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self {
            input: child.stdin.take(),
            output: Lines::of(child.stdout.take().unwrap()),
            log: Lines::of(child.stderr.take().unwrap()),
            child,
        }
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its memory in KiB, without what it shares with files.
    ///
    /// # Panics
    /// It has ended.
    #[must_use]
    pub fn memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("RssAnon:"));
        let figure = line.and_then(|line| line.split_whitespace().nth(1));
        figure.unwrap().parse().unwrap()
    }

    /// Writes to its standard input. A process that does not read closes it.
    pub fn say(&mut self, text: &str) {
        if let Some(input) = &mut self.input {
            let _ = input.write_all(text.as_bytes());
            let _ = input.flush();
        }
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// It has ended already.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Ends it at once, as a crash does.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Says that nothing more will be said, and waits until it has ended.
    ///
    /// # Panics
    /// It does not end.
    pub fn end(&mut self) -> Ended {
        self.end_within(PATIENCE)
    }

    /// The same with less or more patience.
    ///
    /// # Panics
    /// It does not end.
    pub fn end_within(&mut self, patience: Duration) -> Ended {
        self.input = None;
        self.output.wait_until_over(patience);
        self.log.wait_until_over(patience);
        Ended {
            output: self.output.text(),
            errors: self.log.text(),
            status: self.child.wait().unwrap(),
        }
    }
}

/// What a process has said and done.
#[derive(Debug)]
pub struct Ended {
    /// What it has written for its users.
    pub output: String,
    /// What it has written about itself.
    pub errors: String,
    /// How it ended.
    pub status: ExitStatus,
}

impl Ended {
    /// Its exit code.
    ///
    /// # Panics
    /// A signal has ended it.
    #[must_use]
    pub fn code(&self) -> i32 {
        self.status.code().unwrap()
    }

    /// What it has written, if all went well.
    ///
    /// # Panics
    /// It did not.
    pub fn succeeded(&self) -> &str {
        assert_eq!(self.code(), 0, "{self:?}");
        &self.output
    }

    /// Its output as JSON, one object a line.
    ///
    /// # Panics
    /// It is something else.
    #[must_use]
    pub fn json(&self) -> Vec<Value> {
        let parse = |line: &str| {
            let value: Value = serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{error}: {line:?} in {self:?}"));
            assert!(value.is_object(), "{line:?} in {self:?}");
            value
        };
        self.output.lines().map(parse).collect()
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (output, log) = (&self.output, &self.log);
        write!(f, "process {}\n{output:?}{log:?}", self.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{self:?}");
        }
        self.kill();
    }
}

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let theirs = lines.clone();
        thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).unwrap_or(0) > 0 {
                let text = String::from_utf8_lossy(&line);
                theirs.change(|heard| heard.lines.push(text.trim_end().to_owned()));
                line.clear();
            }
            theirs.change(|heard| heard.is_over = true);
        });
        lines
    }

    fn change(&self, change: impl FnOnce(&mut Heard)) {
        change(&mut self.heard());
        self.shared.1.notify_all();
    }

    /// All so far, as one text.
    #[must_use]
    pub fn text(&self) -> String {
        let heard = self.heard();
        heard.lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// How many there are so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.heard().lines.len()
    }

    /// Waits for a line from the `from`th on that `pick` picks something from.
    /// Returns that, and the number of the line after it.
    ///
    /// # Panics
    /// None comes.
    pub fn find<T>(
        &self,
        what: &str,
        from: usize,
        mut pick: impl FnMut(&str) -> Option<T>,
    ) -> (T, usize) {
        let mut next = from;
        let mut found = None;
        self.wait(what, PATIENCE, |heard| {
            while found.is_none() && next < heard.lines.len() {
                found = pick(&heard.lines[next]);
                next += 1;
            }
            found.is_some()
        });
        let found = found.unwrap_or_else(|| panic!("{what}: it ended before that"));
        (found, next)
    }

    /// Waits for a line with this in it.
    ///
    /// # Panics
    /// None comes.
    pub fn wait_for(&self, part: &str) {
        self.find(part, 0, |line| line.contains(part).then_some(()));
    }

    /// A test that has failed tells what was heard all the same.
    fn heard(&self) -> MutexGuard<'_, Heard> {
        let heard = self.shared.0.lock();
        heard.unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_until_over(&self, patience: Duration) {
        self.wait("its end", patience, |heard| heard.is_over);
    }

    /// Waits until `is_done`, or until the stream is over.
    fn wait(&self, what: &str, patience: Duration, mut is_done: impl FnMut(&Heard) -> bool) {
        let deadline = Instant::now() + patience;
        let mut heard = self.heard();
        while !is_done(&heard) && !heard.is_over {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited too long for: {what}");
            heard = self.shared.1.wait_timeout(heard, left).unwrap().0;
        }
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}
