//! The only sockets that face clients: listeners, TLS, and the driver that runs
//! any front end's connections. Time of day comes from here too.

mod clock;
mod door;
mod driver;
mod pool;
mod protocol;
mod timer;
mod tls;
mod wire;
mod workers;

pub use clock::Clock;
pub use door::{Door, Guest, Guests};
pub use driver::{Opening, Terms, drive};
pub use protocol::{Next, Protocol};
pub use tls::{CertificateError, Certificates, Identity, Secured, TlsAcceptor, local_identity};
pub use workers::Workers;
