//! The command line: a stable contract, since scripts use it.

use crate::config::{self, Config};
use crate::data::DataFolder;
use crate::reach::{Absent, Server};
use crate::room;
use crate::serve::{self, Serve};
use crate::user;
use anser_hub::{NewRoom, RoomAffiliation, RoomDestroy};
use clap::{Args, Parser, Subcommand};
use serde_json::{Value, json};
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Exit code of a command that was not carried out.
const FAILED: u8 = 1;
/// Exit code of a command line that makes no sense.
const USAGE: u8 = 2;

/// Chat for people, rooms and devices in one program.
#[derive(Debug, Parser)]
#[command(name = "anser", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Say everything as JSON, one object a line.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(ServeArgs),
    /// Make, list, change and remove accounts.
    #[command(subcommand)]
    User(UserCommand),
    /// Make, list, show, change and destroy rooms.
    #[command(subcommand)]
    Room(RoomCommand),
    /// Look after the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// Where things are.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The folder with everything the server keeps.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ServeArgs {
    #[command(flatten)]
    place: Place,
    /// A domain whose accounts live here; more than one may be given.
    #[arg(long = "domain", value_name = "NAME")]
    domains: Vec<String>,
    /// Open this door at this address, and no door that is not named; port 0
    /// picks a free one.
    #[arg(long = "listen", value_name = "DOOR=ADDRESS:PORT", value_parser = parse_listen)]
    listen: Vec<(String, SocketAddr)>,
    /// Permit logging in without TLS, on loopback only.
    #[arg(long)]
    allow_plaintext_login: bool,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Make an account, or many.
    Add {
        /// Its address, like alice@example.org.
        #[arg(required_unless_present = "batch")]
        address: Option<String>,
        /// Make an account of every line ADDRESS PASSWORD in this file.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["address", "password_stdin"])]
        batch: Option<PathBuf>,
        #[command(flatten)]
        password: Password,
        #[command(flatten)]
        place: Place,
    },
    /// List the accounts.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Give an account another password; its sessions end.
    Passwd {
        /// Its address.
        address: String,
        #[command(flatten)]
        password: Password,
        #[command(flatten)]
        place: Place,
    },
    /// Remove an account with all that it has.
    Delete {
        /// Its address.
        address: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
enum RoomCommand {
    /// Make a room that is open at once, or many.
    Create {
        /// Its address, like team@rooms.example.org.
        #[arg(required_unless_present = "batch")]
        address: Option<String>,
        /// Its name for people.
        #[arg(long)]
        name: Option<String>,
        /// An account that owns it; more than one may be given.
        #[arg(long = "owner", value_name = "ADDRESS")]
        owners: Vec<String>,
        /// Only members may enter.
        #[arg(long)]
        members_only: bool,
        /// It is in no list.
        #[arg(long)]
        hidden: bool,
        /// Make a room of every line ADDRESS [OWNER...] in this file.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["address", "name", "owners", "members_only", "hidden"])]
        batch: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
    /// List the rooms, hidden ones too.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Show what a room is like, and who is what in it.
    Show {
        /// Its address.
        address: String,
        #[command(flatten)]
        place: Place,
    },
    /// End a room, with all that was said in it.
    Destroy {
        /// Its address.
        address: String,
        /// Why, for those who are in it.
        #[arg(long)]
        reason: Option<String>,
        /// The room to go to instead.
        #[arg(long, value_name = "ADDRESS")]
        venue: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Make an account owner, admin, member, outcast or none in a room.
    Affiliation {
        /// The room's address.
        room: String,
        /// The account's address.
        account: String,
        /// What it is from now on.
        #[arg(value_parser = ["owner", "admin", "member", "none", "outcast"])]
        affiliation: String,
        /// Why, for those who are in the room.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        place: Place,
    },
}

/// Where the password comes from.
#[derive(Debug, Args)]
struct Password {
    /// Read the password from the first line of standard input.
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Say whether a configuration file can be used.
    Check {
        /// The file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Print every option with its default.
    Example,
}

/// Why a command failed: what was wrong, and what to do about it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line makes no sense.
    Usage(String),
    /// It was not carried out.
    Failed(String),
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.to_string())
    }
}

pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let output = Output { json: cli.json };
    match execute(cli.command, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let (text, code) = match failure {
                Failure::Usage(text) => (text, USAGE),
                Failure::Failed(text) => (text, FAILED),
            };
            output.failure(&text);
            ExitCode::from(code)
        }
    }
}

/// Answers a command line that is no command: a mistake, or a wish for help.
fn refuse(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    // What the arguments mean is not known; this one can only mean one thing.
    let json = std::env::args_os().any(|argument| argument == "--json");
    if json {
        Output { json }.failure(error.to_string().trim_end());
    } else {
        let _ = error.print();
    }
    ExitCode::from(USAGE)
}

fn execute(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Serve(args) => {
            let config = args.place.read_config()?;
            let serve = Serve {
                data: args.place.data_folder(&config),
                config_file: args.place.config,
                config,
                domains: args.domains,
                listen: args.listen,
                allow_plaintext_login: args.allow_plaintext_login,
            };
            serve::run(serve, output)
        }
        Command::User(command) => execute_user(command, output),
        Command::Room(command) => execute_room(command, output),
        Command::Config(ConfigCommand::Check { config }) => {
            config::read(&config)?;
            output.done(
                &format!("{} can be used", config.display()),
                || json!({ "ok": true, "config": config }),
            );
            Ok(())
        }
        Command::Config(ConfigCommand::Example) => {
            let example = config::example();
            output.done(example.trim_end(), || json!({ "example": example }));
            Ok(())
        }
    }
}

fn execute_user(command: UserCommand, output: &Output) -> Result<(), Failure> {
    match command {
        UserCommand::Add {
            address,
            batch: None,
            password,
            place,
        } => {
            let address = address.unwrap_or_default();
            let password = password.read(&address)?;
            user::add(&place.open(Absent::Make)?, &address, &password, output)
        }
        UserCommand::Add {
            batch: Some(file),
            place,
            ..
        } => user::add_batch(&place.open(Absent::Make)?, &file, output),
        UserCommand::List { place } => user::list(&place.open(Absent::Refuse)?, output),
        UserCommand::Passwd {
            address,
            password,
            place,
        } => {
            let password = password.read(&address)?;
            user::passwd(&place.open(Absent::Refuse)?, &address, &password, output)
        }
        UserCommand::Delete { address, place } => {
            user::delete(&place.open(Absent::Refuse)?, &address, output)
        }
    }
}

fn execute_room(command: RoomCommand, output: &Output) -> Result<(), Failure> {
    match command {
        RoomCommand::Create {
            batch: Some(file),
            place,
            ..
        } => room::create_batch(&place.open(Absent::Make)?, &file, output),
        RoomCommand::Create {
            address,
            name,
            owners,
            members_only,
            hidden,
            batch: None,
            place,
        } => {
            let new = NewRoom {
                address: address.unwrap_or_default(),
                name,
                owners,
                members_only: members_only.then_some(true),
                public: hidden.then_some(false),
            };
            room::create(&place.open(Absent::Make)?, new, output)
        }
        RoomCommand::List { place } => room::list(&place.open(Absent::Refuse)?, output),
        RoomCommand::Show { address, place } => {
            room::show(&place.open(Absent::Refuse)?, address, output)
        }
        RoomCommand::Destroy {
            address,
            reason,
            venue,
            place,
        } => {
            let end = RoomDestroy {
                address,
                reason,
                venue,
            };
            room::destroy(&place.open(Absent::Refuse)?, &end, output)
        }
        RoomCommand::Affiliation {
            room,
            account,
            affiliation,
            reason,
            place,
        } => {
            let change = RoomAffiliation {
                room,
                account,
                affiliation,
                reason,
            };
            room::affiliation(&place.open(Absent::Refuse)?, &change, output)
        }
    }
}

impl Place {
    fn read_config(&self) -> Result<Config, Failure> {
        match &self.config {
            Some(file) => Ok(config::read(file)?),
            None => Ok(Config::default()),
        }
    }

    fn data_folder(&self, config: &Config) -> DataFolder {
        DataFolder::new(self.data.as_deref().unwrap_or(Path::new(&config.data)))
    }

    fn open(&self, absent: Absent) -> Result<Server, Failure> {
        let config = self.read_config()?;
        Server::reach(&self.data_folder(&config), &config, absent)
    }
}

impl Password {
    /// From standard input, or typed twice on a terminal.
    fn read(&self, address: &str) -> Result<String, Failure> {
        if self.password_stdin {
            let mut line = String::new();
            io::stdin().read_line(&mut line)?;
            let password = line.trim_end_matches(['\n', '\r']);
            if password.is_empty() {
                return Err(Failure::Failed(
                    "no password came on standard input".to_owned(),
                ));
            }
            return Ok(password.to_owned());
        }
        if !io::stdin().is_terminal() {
            let hint = "there is no terminal to ask for the password: use --password-stdin";
            return Err(Failure::Usage(hint.to_owned()));
        }
        let password = rpassword::prompt_password(format!("Password for {address}: "))?;
        let again = rpassword::prompt_password("The same again: ")?;
        if password != again {
            return Err(Failure::Failed("the two passwords differ".to_owned()));
        }
        Ok(password)
    }
}

fn parse_listen(text: &str) -> Result<(String, SocketAddr), String> {
    let (door, address) = text
        .split_once('=')
        .ok_or("it takes the form DOOR=ADDRESS:PORT, like xmpp=127.0.0.1:5222")?;
    let address = address
        .parse()
        .map_err(|_| format!("{address:?} is not an address with a port, like 127.0.0.1:5222"))?;
    Ok((door.to_owned(), address))
}

/// Where results go: to people, or as JSON to programs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// A result.
    pub(crate) fn done(self, text: &str, json: impl FnOnce() -> Value) {
        if self.json {
            print_line(&json().to_string());
        } else {
            print_line(text);
        }
    }

    fn failure(self, text: &str) {
        if self.json {
            print_line(&json!({ "error": text }).to_string());
        } else {
            eprintln!("anser: {text}");
        }
    }
}

/// Whoever reads it may have gone; that is no reason to fail.
fn print_line(line: &str) {
    let mut stdout = io::stdout();
    let _ = writeln!(stdout, "{line}");
    let _ = stdout.flush();
}
