//! What all connections of the front end share.

use crate::bound::Bound;
use crate::feature::Catalogue;
use crate::resumption::Resumptions;
use crate::{C2s, XmppConfig};
use anser_hub::Hub;
use anser_sasl::{Decoys, Nonce};
use anser_store::Timestamp;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Fills a buffer with random bytes that nobody can guess.
pub type Random = Box<dyn Fn(&mut [u8]) + Send + Sync>;

/// The XMPP front end.
pub struct Xmpp {
    hub: Arc<Hub>,
    config: RwLock<Arc<XmppConfig>>,
    random: Random,
    decoys: Decoys,
    catalogue: Catalogue,
    resumptions: Resumptions,
    is_stopping: AtomicBool,
}

/// How a client came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The connection can be made secure with STARTTLS.
    pub has_starttls: bool,
    /// Logging in is possible before the connection is secure.
    pub allows_plaintext_login: bool,
}

impl Xmpp {
    /// A front end of an exchange. `decoys` answer for accounts that do not
    /// exist.
    #[must_use]
    pub fn new(hub: Arc<Hub>, config: XmppConfig, decoys: Decoys, random: Random) -> Arc<Self> {
        Arc::new(Self {
            hub,
            config: RwLock::new(Arc::new(config)),
            random,
            decoys,
            catalogue: Catalogue::new(),
            resumptions: Resumptions::default(),
            is_stopping: AtomicBool::new(false),
        })
    }

    /// A client has connected.
    #[must_use]
    pub fn connect(self: &Arc<Self>, entry: Entry, now: Timestamp) -> C2s {
        C2s::new(Arc::clone(self), entry, now)
    }

    /// Replaces limits and patience, for what begins from now on.
    pub fn configure(&self, config: XmppConfig) {
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }

    /// Ends the streams whose clients did not come back in time. To be called
    /// every second or so.
    pub fn tick(&self, now: Timestamp) {
        for bound in self.resumptions.sweep(now) {
            bound.end(self);
        }
    }

    /// The server stops: from now on nobody gets a session, and no stream waits
    /// for its client to come back. Those that wait already end.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::SeqCst);
        self.end_parked();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::SeqCst)
    }

    fn end_parked(&self) {
        for bound in self.resumptions.take_parked() {
            bound.end(self);
        }
    }

    /// How many streams could be resumed; those are among them that have ended
    /// since the last [`Xmpp::tick`].
    #[must_use]
    pub fn resumable_count(&self) -> usize {
        self.resumptions.len()
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    pub(crate) fn config(&self) -> Arc<XmppConfig> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn decoys(&self) -> &Decoys {
        &self.decoys
    }

    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    pub(crate) fn resumptions(&self) -> &Resumptions {
        &self.resumptions
    }

    /// 128 random bits as text: names a stream, a resource, a session.
    pub(crate) fn new_id(&self) -> String {
        let mut bytes = [0; 16];
        (self.random)(&mut bytes);
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to memory does not fail");
            text
        })
    }

    pub(crate) fn new_nonce(&self) -> Nonce {
        let mut bytes = [0; 18];
        (self.random)(&mut bytes);
        Nonce::from_random(bytes)
    }

    /// Keeps a stream for its client to come back, or ends it if the client
    /// did not ask for that or has nowhere to come back to.
    pub(crate) fn park(&self, bound: Box<Bound>, now: Timestamp) {
        let until = now.after(self.config().resume_time());
        if let Err(bound) = Resumptions::park(bound, until) {
            bound.end(self);
        }
        // Afterwards, so that nothing is parked behind the back of whoever stops.
        if self.is_stopping() {
            self.end_parked();
        }
    }
}

impl fmt::Debug for Xmpp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Xmpp").finish_non_exhaustive()
    }
}
