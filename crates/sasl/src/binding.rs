//! Channel binding: what ties an exchange to the TLS connection it runs in.

/// A type of channel binding. The order is the order of strength.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BindingType {
    /// The hash of the server's certificate (RFC 5929 §4). Does not notice a
    /// stolen key, and is the one that every server has (XEP-0440 §3).
    TlsServerEndPoint,
    /// Keying material of the connection itself (RFC 9266).
    TlsExporter,
}

impl BindingType {
    /// Every type, the strongest first.
    pub const ALL: [Self; 2] = [Self::TlsExporter, Self::TlsServerEndPoint];

    /// The name in the registry of IANA.
    pub fn name(self) -> &'static str {
        match self {
            Self::TlsExporter => "tls-exporter",
            Self::TlsServerEndPoint => "tls-server-end-point",
        }
    }

    /// The type of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|binding| binding.name() == name)
    }
}

/// The binding data of one TLS connection; without TLS, nothing.
#[derive(Debug, Clone, Default)]
pub struct ChannelBindings {
    /// The exporter with label `EXPORTER-Channel-Binding` and no context
    /// (RFC 9266 §2). With TLS 1.2 only if the extended master secret is used.
    pub exporter: Option<[u8; 32]>,
    /// The hash of the server's certificate (RFC 5929 §4.1).
    pub end_point: Option<Vec<u8>>,
}

impl ChannelBindings {
    /// The types that the connection has, the strongest first: what a server
    /// advertises (XEP-0440 §2).
    pub fn types(&self) -> impl Iterator<Item = BindingType> {
        self.iter().map(|(binding, _)| binding)
    }

    /// The same with their data.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (BindingType, &[u8])> {
        BindingType::ALL.into_iter().filter_map(|binding| {
            let data = match binding {
                BindingType::TlsExporter => self.exporter.as_ref().map(<[u8; 32]>::as_slice),
                BindingType::TlsServerEndPoint => self.end_point.as_deref(),
            };
            Some((binding, data?))
        })
    }
}
