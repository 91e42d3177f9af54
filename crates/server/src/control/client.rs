//! The command line's end of the socket.

use super::{Request, Response};
use crate::cli::Failure;
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// A conversation with a running server.
#[derive(Debug)]
pub(crate) struct Connection {
    reader: BufReader<UnixStream>,
}

impl Connection {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let reader = BufReader::new(UnixStream::connect(path)?);
        Ok(Self { reader })
    }

    /// Has a command carried out.
    pub(crate) fn run(&mut self, command: &str, arguments: Value) -> Result<Value, Failure> {
        let request = Request {
            command: command.to_owned(),
            arguments,
        };
        let mut line = serde_json::to_string(&request)?;
        line.push('\n');
        self.reader.get_mut().write_all(line.as_bytes())?;
        let mut answer = String::new();
        if self.reader.read_line(&mut answer)? == 0 {
            return Err(Failure::Failed("the server has stopped".to_owned()));
        }
        match serde_json::from_str(&answer)? {
            Response::Ok(value) => Ok(value),
            Response::Error(text) => Err(Failure::Failed(text)),
        }
    }
}
