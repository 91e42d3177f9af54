//! The folder with everything the server keeps.

use crate::cli::Failure;
use anser_store::{Engine, SqliteOptions, Store};
use ring::rand::{SecureRandom, SystemRandom};
use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A data folder, which may not exist yet.
#[derive(Debug, Clone)]
pub(crate) struct DataFolder {
    path: PathBuf,
}

/// The right to be the only one that works in a data folder.
#[derive(Debug)]
pub(crate) struct DataLock {
    _file: File,
}

impl DataFolder {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The socket of the server that runs here.
    pub(crate) fn control_socket(&self) -> PathBuf {
        self.path.join("control.sock")
    }

    /// Certificates of the local authority.
    pub(crate) fn tls(&self) -> PathBuf {
        self.path.join("tls")
    }

    /// Makes the folder if need be and locks it; `None` if somebody else works
    /// there.
    pub(crate) fn lock(&self) -> Result<Option<DataLock>, Failure> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.path)
            .map_err(|error| self.failure("cannot be made", &error))?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.path.join("lock"))
            .map_err(|error| self.failure("cannot be written", &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(DataLock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(self.failure("cannot be locked", &error)),
        }
    }

    /// Whether a server has worked here, or begins to.
    pub(crate) fn is_used(&self) -> bool {
        self.has_database() || self.path.join("lock").exists()
    }

    /// Whether there are accounts, messages and all that.
    pub(crate) fn has_database(&self) -> bool {
        self.database().exists()
    }

    fn database(&self) -> PathBuf {
        self.path.join("anser.db")
    }

    /// Opens the database; `lock` shows that nobody else has.
    pub(crate) fn open_store(
        &self,
        _lock: &DataLock,
        options: impl FnOnce(&mut SqliteOptions),
    ) -> Result<(Engine, Store), Failure> {
        let mut sqlite = SqliteOptions::new(self.database());
        options(&mut sqlite);
        Engine::sqlite(&sqlite).map_err(|error| {
            Failure::Failed(format!(
                "{error}\nIf the file is damaged, put a backup in its place; \
                 if it is not ours, choose another folder with --data."
            ))
        })
    }

    /// A secret of this server's, made at the first start.
    pub(crate) fn secret(&self, random: &SystemRandom) -> Result<[u8; 32], Failure> {
        let path = self.path.join("secret");
        match fs::read(&path) {
            Ok(bytes) => {
                let secret = <[u8; 32]>::try_from(bytes);
                return secret.map_err(|bytes| {
                    let length = bytes.len();
                    Failure::Failed(format!(
                        "{}: {length} bytes instead of 32; put a backup in its place, or remove it",
                        path.display()
                    ))
                });
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                return Err(Failure::Failed(format!("{}: {error}", path.display())));
            }
        }
        let mut secret = [0; 32];
        random
            .fill(&mut secret)
            .map_err(|_| Failure::Failed("the system has no random numbers".to_owned()))?;
        File::options()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(&secret))
            .map_err(|error| self.failure("cannot be written", &error))?;
        Ok(secret)
    }

    fn failure(&self, what: &str, error: &std::io::Error) -> Failure {
        let path = self.path.display();
        Failure::Failed(format!("the data folder {path} {what}: {error}"))
    }
}
