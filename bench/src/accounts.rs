//! The accounts that the loads log in to.

use std::io::{self, Write};
use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use crate::figures::round;
use crate::ramp::ramp;
use crate::run::{Report, RunArgs};
use crate::xmpp::{Accounts, Door, DoorError, Error, Stream};

/// `accounts`: for servers that read a list.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// How many
    #[arg(long)]
    count: usize,
    #[command(flatten)]
    accounts: Accounts,
}

/// `register`: for servers that let clients make accounts (XEP-0077).
#[derive(Debug, Args)]
pub(crate) struct RegisterArgs {
    /// How many
    #[arg(long)]
    count: usize,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// What came of a registration.
#[derive(Debug, Serialize)]
pub(crate) struct Registration {
    load: &'static str,
    made: usize,
    existed: usize,
    failed: usize,
    first_failure: Option<String>,
    seconds: f64,
}

enum Made {
    Now,
    Before,
}

/// Writes a line `ADDRESS PASSWORD` for each account.
pub(crate) fn list(args: &ListArgs, to: &mut impl Write) -> io::Result<()> {
    let accounts = &args.accounts;
    for number in 0..args.count {
        writeln!(to, "{} {}", accounts.address(number), accounts.password)?;
    }
    Ok(())
}

/// Makes the accounts, each over a connection of its own.
pub(crate) async fn register(args: RegisterArgs) -> Result<Registration, DoorError> {
    let started = std::time::Instant::now();
    let door = Arc::new(args.run.door()?);
    let ramp = ramp(0..args.count, args.run.concurrency, |number| {
        make(door.clone(), number)
    })
    .await;
    let made = ramp
        .clients
        .iter()
        .filter(|(_, made)| matches!(made, Made::Now))
        .count();
    Ok(Registration {
        load: "register",
        made,
        existed: ramp.clients.len() - made,
        failed: ramp.failures.len(),
        first_failure: ramp.failures.into_iter().next(),
        seconds: round(started.elapsed().as_secs_f64(), 3),
    })
}

/// XEP-0077 §3.1.1
async fn make(door: Arc<Door>, number: usize) -> Result<Made, Error> {
    let request = format!(
        "<iq type='set' id='register' to='{}'><query xmlns='jabber:iq:register'>\
         <username>{}</username><password>{}</password></query></iq>",
        door.accounts().domain,
        Accounts::user(number),
        door.accounts().password
    );
    match Stream::open(&door)
        .await?
        .request("registration", &request, "iq")
        .await
    {
        Ok(_) => Ok(Made::Now),
        Err(Error::Refused { answer, .. }) if answer.contains("<conflict") => Ok(Made::Before),
        Err(error) => Err(error),
    }
}

impl Report for Registration {
    fn is_sound(&self) -> bool {
        self.failed == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_an_address_and_a_password_in_each_line() {
        let accounts = Accounts {
            domain: "localhost".to_owned(),
            password: "secret".to_owned(),
        };
        let mut written = Vec::new();
        list(&ListArgs { count: 2, accounts }, &mut written).unwrap();
        assert_eq!(written, b"u0@localhost secret\nu1@localhost secret\n");
    }
}
