//! From a connection to a session: stream headers, STARTTLS, SASL, binding
//! (RFC 6120 §4 to §7).

mod bind;

use crate::bound::Bound;
use crate::front::{Entry, Xmpp};
use anser_hub::Login;
use anser_jid::{BareJid, Jid};
use anser_net::Secured;
use anser_sasl::{
    BindingType, ChannelBindings, Exchange, Lookup, Mechanism, Offer, SaslFault, Step,
};
use anser_store::Timestamp;
use anser_xml::{Element, Event, Writer};
use anser_xmpp_proto::sasl::{self, ClientStep, Failure};
use anser_xmpp_proto::{
    Feature, StreamCondition, StreamError, StreamHeader, ns, write_features, write_header,
};
use bytes::BytesMut;

/// A connection whose client has not got a session yet.
#[derive(Debug)]
pub(crate) struct Negotiation {
    began: Timestamp,
    received_bytes: usize,
    /// Of these, what is not complete yet and comes again with what is next.
    pending_bytes: usize,
    entry: Entry,
    /// Set once TLS is on.
    secured: Option<Secured>,
    /// A header of ours is out for the stream as it is now.
    has_header: bool,
    /// The domain that the client wants.
    domain: Option<BareJid>,
    exchange: Option<Pending>,
    failures: Failures,
    login: Option<Login>,
}

/// An exchange that waits for the client.
#[derive(Debug)]
struct Pending {
    exchange: Exchange,
    claimed: Claimed,
}

/// Whose session an exchange opens if it succeeds.
#[derive(Debug)]
enum Claimed {
    /// Nobody was named yet.
    Nobody,
    /// The account that was looked up, if there is one.
    Account(Option<Login>),
}

impl Claimed {
    /// What it is if the exchange fails now.
    fn failed(&self, failure: Failure) -> Failed {
        match self {
            Self::Nobody => Failed::Early(failure),
            Self::Account(_) => Failed::Guess(failure),
        }
    }
}

/// How an attempt to log in has failed.
#[derive(Debug, Clone, Copy)]
enum Failed {
    /// Before an account was looked up: nothing was learnt of a password.
    Early(Failure),
    /// After that: it may have been a guess at a password.
    Guess(Failure),
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self::Early(failure)
    }
}

/// Attempts that have failed before anybody guessed at a password are the way in
/// which some clients find a mechanism that goes: so many are permitted.
const MOST_EARLY: u32 = 10;

/// Failed attempts to log in, counted over all mechanisms (RFC 6120 §6.4.5).
#[derive(Debug, Default)]
struct Failures {
    early: u32,
    guesses: u32,
}

impl Failures {
    /// Counts one more, and gives what the client is told.
    fn count(&mut self, failed: Failed) -> Failure {
        let (counter, failure) = match failed {
            Failed::Early(failure) => (&mut self.early, failure),
            Failed::Guess(failure) => (&mut self.guesses, failure),
        };
        *counter += 1;
        failure
    }

    fn are_too_many(&self, front: &Xmpp) -> bool {
        self.guesses >= front.config().login_attempts || self.early >= MOST_EARLY
    }
}

/// How a connection goes on.
#[derive(Debug)]
pub(crate) enum Progress {
    /// As before.
    Same,
    /// With TLS, and a new stream.
    Secure,
    /// With a new stream of somebody known.
    Authenticated,
    /// With stanzas.
    Bound(Box<Bound>),
    /// Not at all.
    Over(Option<StreamError>),
}

use Progress::{Authenticated, Over, Same};

impl Negotiation {
    pub(crate) fn new(entry: Entry, now: Timestamp) -> Self {
        Self {
            began: now,
            received_bytes: 0,
            pending_bytes: 0,
            entry,
            secured: None,
            has_header: false,
            domain: None,
            exchange: None,
            failures: Failures::default(),
            login: None,
        }
    }

    pub(crate) fn deadline(&self, front: &Xmpp) -> Timestamp {
        self.began.after(front.config().login_timeout())
    }

    pub(crate) fn secured(&mut self, secured: Secured) {
        self.secured = Some(secured);
    }

    /// Notes that so much is there to be read, with what is left of before.
    pub(crate) fn count(&mut self, front: &Xmpp, bytes: usize) -> Result<(), StreamError> {
        let known_bytes = std::mem::take(&mut self.pending_bytes);
        self.received_bytes += bytes.saturating_sub(known_bytes);
        let most = front.config().login_bytes;
        if self.login.is_none() && self.received_bytes > most {
            let reason = format_args!("more than {most} bytes were sent before logging in");
            return Err(StreamCondition::PolicyViolation.because(reason));
        }
        Ok(())
    }

    /// Notes that so much of it was left for later.
    pub(crate) fn left(&mut self, bytes: usize) {
        self.pending_bytes = bytes;
    }

    pub(crate) async fn handle(
        &mut self,
        front: &Xmpp,
        event: Event,
        output: &mut BytesMut,
        now: Timestamp,
    ) -> Progress {
        match event {
            Event::Open(header) => self.open(front, &header, output),
            Event::Close => Over(None),
            Event::Element(element) if element.namespace() == ns::TLS => {
                self.starttls(&element, output)
            }
            Event::Element(element) if element.namespace() == ns::SASL => {
                self.authenticate(front, &element, output).await
            }
            Event::Element(element) => match self.login.clone() {
                Some(login) => bind::bind(front, login, &element, output, now).await,
                // Nothing else may happen before (RFC 6120 §6.3.2).
                None => Over(Some(StreamCondition::NotAuthorized.into())),
            },
        }
    }

    /// A stream begins (RFC 6120 §4.2).
    fn open(&mut self, front: &Xmpp, header: &Element, output: &mut BytesMut) -> Progress {
        let header = match StreamHeader::read(header) {
            Ok(header) => header,
            Err(fault) => return Over(Some(StreamCondition::from(fault).because(fault))),
        };
        let wanted = header.to.as_ref().map(Jid::to_domain);
        let is_served = wanted
            .as_ref()
            .is_some_and(|domain| front.hub().serves(domain.as_str()));
        let is_changed = self
            .domain
            .as_ref()
            .is_some_and(|domain| Some(domain) != wanted.as_ref());
        if is_served {
            self.domain = wanted;
        }
        self.write_header(front, header.from.as_ref(), output);
        if !is_served || is_changed {
            return Over(Some(StreamCondition::HostUnknown.into()));
        }
        self.write_features(front, output);
        Same
    }

    fn write_header(&mut self, front: &Xmpp, to: Option<&Jid>, output: &mut BytesMut) {
        let from = self.domain.as_ref().map(|domain| domain.as_str());
        write_header(output, from, to, &front.new_id());
        self.has_header = true;
    }

    pub(crate) fn write_header_if_missing(&mut self, front: &Xmpp, output: &mut BytesMut) {
        if !self.has_header {
            self.write_header(front, None, output);
        }
    }

    fn write_features(&self, front: &Xmpp, output: &mut BytesMut) {
        let config = front.config();
        let limits = Feature::Limits {
            stanza_bytes: match self.login {
                Some(_) => config.stanza_bytes,
                None => anser_xml::Limits::BEFORE_AUTHENTICATION.stanza_bytes,
            },
            idle_seconds: match self.login {
                Some(_) => config.idle_seconds(),
                None => config.login_timeout_seconds,
            },
        };
        if self.login.is_some() {
            let capabilities = front.catalogue().capabilities();
            let features = [
                Feature::Bind,
                Feature::OptionalSession,
                Feature::StreamManagement,
                Feature::ClientState,
                Feature::RosterVersions,
                Feature::PreApproval,
                capabilities,
                limits,
            ];
            return write_features(output, &features);
        }
        let (mechanisms, bindings) = self.offered();
        let mut features = Vec::new();
        if self.entry.has_starttls && self.secured.is_none() {
            features.push(Feature::StartTls {
                is_required: !self.entry.allows_plaintext_login,
            });
        }
        if !mechanisms.is_empty() {
            features.push(Feature::Sasl {
                mechanisms: &mechanisms,
                bindings: &bindings,
            });
        }
        features.push(limits);
        write_features(output, &features);
    }

    /// Names of mechanisms, strongest first, and of channel-binding types.
    fn offered(&self) -> (Vec<&'static str>, Vec<&'static str>) {
        let may_log_in = self.secured.is_some() || self.entry.allows_plaintext_login;
        if !may_log_in {
            return (Vec::new(), Vec::new());
        }
        let bindings: Vec<_> = self.bindings().types().map(BindingType::name).collect();
        let mut mechanisms = Mechanism::ALL.to_vec();
        mechanisms.sort_unstable();
        let is_offered = |mechanism: &Mechanism| match mechanism {
            Mechanism::Plain => self.secured.is_some(),
            Mechanism::Scram(_) => true,
            Mechanism::ScramPlus(_) => !bindings.is_empty(),
        };
        let mechanisms = mechanisms.into_iter().rev().filter(is_offered);
        (mechanisms.map(Mechanism::name).collect(), bindings)
    }

    fn bindings(&self) -> ChannelBindings {
        self.secured
            .as_ref()
            .map_or_else(ChannelBindings::default, |secured| ChannelBindings {
                exporter: secured.exporter,
                end_point: secured.end_point.clone(),
            })
    }

    /// STARTTLS (RFC 6120 §5.4.2).
    fn starttls(&mut self, element: &Element, output: &mut BytesMut) -> Progress {
        let is_possible = self.entry.has_starttls && self.secured.is_none();
        if element.name() != "starttls" || !is_possible || self.login.is_some() {
            Writer::new(output)
                .open("failure")
                .namespace(ns::TLS)
                .close();
            return Over(None);
        }
        Writer::new(output)
            .open("proceed")
            .namespace(ns::TLS)
            .close();
        self.has_header = false;
        // What was begun in the clear could be anybody's (RFC 6120 §5.4.3.3).
        self.exchange = None;
        Progress::Secure
    }

    /// SASL (RFC 6120 §6.4).
    async fn authenticate(
        &mut self,
        front: &Xmpp,
        element: &Element,
        output: &mut BytesMut,
    ) -> Progress {
        let (Some(domain), None) = (self.domain.clone(), &self.login) else {
            return Over(Some(StreamCondition::NotAuthorized.into()));
        };
        let Some(step) = ClientStep::read(element) else {
            return Over(Some(StreamCondition::UnsupportedStanzaType.into()));
        };
        let advanced = match step {
            Ok(step) => self.advance(front, &domain, step).await,
            Err(failure) => Err(self.failed(failure)),
        };
        match advanced {
            Ok(Answer::Challenge(data)) => {
                sasl::write_challenge(output, &data);
                Same
            }
            Ok(Answer::Success { login, data }) => {
                sasl::write_success(output, data.as_deref());
                self.login = Some(login);
                self.has_header = false;
                Authenticated
            }
            Err(failed) => {
                self.exchange = None;
                sasl::write_failure(output, self.failures.count(failed));
                if self.failures.are_too_many(front) {
                    return Over(Some(StreamCondition::PolicyViolation.into()));
                }
                Same
            }
        }
    }

    async fn advance(
        &mut self,
        front: &Xmpp,
        domain: &BareJid,
        step: ClientStep,
    ) -> Result<Answer, Failed> {
        let (Pending { exchange, claimed }, data) = match step {
            ClientStep::Abort => return Err(self.failed(Failure::Aborted)),
            ClientStep::Auth { mechanism, initial } => {
                let pending = Pending {
                    exchange: self.begin(front, &mechanism)?,
                    claimed: Claimed::Nobody,
                };
                let Some(initial) = initial else {
                    self.exchange = Some(pending);
                    return Ok(Answer::Challenge(Vec::new()));
                };
                (pending, initial)
            }
            ClientStep::Response(data) => {
                let pending = self.exchange.take().ok_or(Failure::MalformedRequest)?;
                (pending, data)
            }
        };
        let step = exchange.step(&data);
        let step = step.map_err(|fault| claimed.failed(failure(fault)))?;
        let (step, claimed) = match step {
            Step::Lookup(lookup) => {
                let looked_up = look_up(front, domain, lookup).await;
                let (step, login) = looked_up.map_err(Failed::Guess)?;
                (step, Claimed::Account(login))
            }
            step @ (Step::Challenge { .. } | Step::Success { .. }) => (step, claimed),
        };
        match step {
            Step::Challenge { data, next } => {
                self.exchange = Some(Pending {
                    exchange: next,
                    claimed,
                });
                Ok(Answer::Challenge(data))
            }
            Step::Success { username, data } => {
                let account = BareJid::new(Some(&username), domain.as_str());
                let is_proved = |login: &Login| account.is_ok_and(|of| of == *login.account());
                let login = match claimed {
                    Claimed::Account(login) => login.filter(is_proved),
                    Claimed::Nobody => None,
                };
                let login = login.ok_or(Failed::Guess(Failure::NotAuthorized))?;
                Ok(Answer::Success { login, data })
            }
            // Looked up already.
            Step::Lookup(_) => Err(Failed::Guess(Failure::TemporaryAuthFailure)),
        }
    }

    /// What it is if the client ends the exchange that waits for it, if one does.
    fn failed(&self, failure: Failure) -> Failed {
        match &self.exchange {
            Some(Pending { claimed, .. }) => claimed.failed(failure),
            None => Failed::Early(failure),
        }
    }

    fn begin(&self, front: &Xmpp, mechanism: &str) -> Result<Exchange, Failure> {
        let (mechanisms, bindings) = self.offered();
        if mechanisms.is_empty() {
            return Err(Failure::EncryptionRequired);
        }
        let mechanism = Mechanism::from_name(mechanism).ok_or(Failure::InvalidMechanism)?;
        let offer = Offer::new(mechanisms, bindings);
        Exchange::new(mechanism, &offer, &self.bindings(), front.new_nonce()).map_err(failure)
    }
}

/// What the client is told next.
enum Answer {
    Challenge(Vec<u8>),
    Success { login: Login, data: Option<Vec<u8>> },
}

/// Goes on with what is stored of an account, or with a decoy if there is none:
/// nobody is told which.
async fn look_up(
    front: &Xmpp,
    domain: &BareJid,
    lookup: Lookup,
) -> Result<(Step, Option<Login>), Failure> {
    let hash = lookup.hash();
    let account = BareJid::new(Some(lookup.username()), domain.as_str());
    let (address, known) = match account {
        Ok(account) => {
            let credentials = front.hub().credentials(&account).await.map_err(|error| {
                tracing::error!(%error, "logging in does not work");
                Failure::TemporaryAuthFailure
            })?;
            (Jid::from(account), credentials)
        }
        Err(_) => (Jid::from(domain.clone()), None),
    };
    let is_own = |authzid: &str| Jid::parse(authzid).is_ok_and(|authzid| authzid == address);
    let (credentials, login) = known.unzip();
    let stored = credentials.and_then(|credentials| credentials.verifier(hash));
    let step = lookup.resume(stored, front.decoys(), address.as_str(), is_own);
    Ok((step.map_err(failure)?, login))
}

/// RFC 6120 §6.5
fn failure(fault: SaslFault) -> Failure {
    match fault {
        SaslFault::NotAuthorized | SaslFault::Binding(_) => Failure::NotAuthorized,
        SaslFault::InvalidAuthzid => Failure::InvalidAuthzid,
        SaslFault::NotOffered(_) => Failure::InvalidMechanism,
        SaslFault::Message(_) => Failure::MalformedRequest,
        SaslFault::Aborted => Failure::Aborted,
        SaslFault::Temporary => Failure::TemporaryAuthFailure,
    }
}
