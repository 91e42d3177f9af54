//! The namespace declarations an element stands in.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use crate::chars::checked;

/// One declaration; the empty prefix is that of the default namespace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Binding {
    pub(crate) prefix: Bytes,
    pub(crate) namespace: Bytes,
}

impl Binding {
    const fn fixed(prefix: &'static str, namespace: &'static str) -> Self {
        Self {
            prefix: Bytes::from_static(prefix.as_bytes()),
            namespace: Bytes::from_static(namespace.as_bytes()),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Bindings {
    /// The name of the element around, as its end tag has to repeat it; empty if there is none.
    parent: Bytes,
    list: Cow<'static, [Binding]>,
    /// Namespace names that stand in the element's own bytes only in escaped form.
    unescaped: Vec<Bytes>,
}

/// All that an element must know of what is around it. Costs no memory where the declarations
/// are those every stream begins with.
#[derive(Clone, Debug)]
pub(crate) enum Scope {
    Usual(&'static Bindings),
    Other(Arc<Bindings>),
}

const STREAMS: Binding = Binding::fixed("stream", "http://etherx.jabber.org/streams");

static CLIENT: [Binding; 2] = [Binding::fixed("", "jabber:client"), STREAMS];
static SERVER: [Binding; 2] = [Binding::fixed("", "jabber:server"), STREAMS];
static DIALBACK: [Binding; 3] = [
    Binding::fixed("", "jabber:server"),
    STREAMS,
    Binding::fixed("db", "jabber:server:dialback"),
];
static COMPONENT: [Binding; 2] = [Binding::fixed("", "jabber:component:accept"), STREAMS];
static PAYLOAD: [Binding; 1] = [Binding::fixed("", "jabber:client")];

static NOTHING: Bindings = Bindings::usual("", &[]);

/// What is bound around the payload of a client's stanza.
static IN_STANZA: Bindings = Bindings::usual("", &PAYLOAD);

/// What is bound in client, server and component streams (RFC 6120 §4.8, XEP-0220, XEP-0114).
static IN_STREAM: [Bindings; 4] = [
    Bindings::usual("stream:stream", &CLIENT),
    Bindings::usual("stream:stream", &SERVER),
    Bindings::usual("stream:stream", &DIALBACK),
    Bindings::usual("stream:stream", &COMPONENT),
];

impl Bindings {
    const fn usual(parent: &'static str, list: &'static [Binding]) -> Self {
        Self {
            parent: Bytes::from_static(parent.as_bytes()),
            list: Cow::Borrowed(list),
            unescaped: Vec::new(),
        }
    }

    fn own(parent: Bytes, list: Vec<Binding>) -> Self {
        Self {
            parent,
            list: Cow::Owned(list),
            unescaped: Vec::new(),
        }
    }
}

impl Scope {
    /// Nothing is declared outside.
    pub(crate) const NOTHING: Self = Self::Usual(&NOTHING);

    /// Only a default namespace is declared outside.
    pub(crate) fn default_only(namespace: &str) -> Self {
        match namespace {
            "" => Self::NOTHING,
            "jabber:client" => Self::Usual(&IN_STANZA),
            _ => {
                let namespace = Bytes::copy_from_slice(namespace.as_bytes());
                let list = vec![Binding {
                    prefix: Bytes::new(),
                    namespace,
                }];
                Self::Other(Arc::new(Bindings::own(Bytes::new(), list)))
            }
        }
    }

    /// The scope inside an element named `parent` that adds `declared` to this one.
    pub(crate) fn within(&self, parent: Bytes, declared: Vec<Binding>) -> Self {
        let mut list = declared;
        for outer in self.list() {
            if !list.iter().any(|binding| binding.prefix == outer.prefix) {
                list.push(outer.clone());
            }
        }
        let is_same = |usual: &&Bindings| {
            usual.parent == parent
                && usual.list.len() == list.len()
                && usual.list.iter().all(|binding| list.contains(binding))
        };
        match IN_STREAM.iter().find(is_same) {
            Some(usual) => Self::Usual(usual),
            None => Self::Other(Arc::new(Bindings::own(parent, list))),
        }
    }

    /// This scope, and names that [`Scope::name`] finds after those of the declarations.
    pub(crate) fn with_unescaped(&self, names: Vec<Bytes>) -> Self {
        let Bindings { parent, list, .. } = self.bindings();
        let (parent, list) = (parent.clone(), list.clone());
        Self::Other(Arc::new(Bindings {
            parent,
            list,
            unescaped: names,
        }))
    }

    fn bindings(&self) -> &Bindings {
        match self {
            Self::Usual(bindings) => bindings,
            Self::Other(bindings) => bindings,
        }
    }

    pub(crate) fn list(&self) -> &[Binding] {
        &self.bindings().list
    }

    pub(crate) fn parent(&self) -> &[u8] {
        &self.bindings().parent
    }

    /// The number of the name that `prefix` is bound to.
    pub(crate) fn find(&self, prefix: &[u8]) -> Option<u32> {
        self.list()
            .iter()
            .position(|binding| binding.prefix == prefix)
            .map(|found| found as u32)
    }

    /// The namespace name with this number.
    pub(crate) fn name(&self, number: u32) -> &[u8] {
        let bindings = self.bindings();
        let number = number as usize;
        match bindings.list.get(number) {
            Some(binding) => &binding.namespace,
            None => &bindings.unescaped[number - bindings.list.len()],
        }
    }

    /// What `prefix` is bound to; for the empty one, the default namespace. Empty if there is
    /// nothing.
    pub(crate) fn namespace(&self, prefix: &[u8]) -> &str {
        self.find(prefix)
            .map_or("", |number| checked(self.name(number)))
    }
}
