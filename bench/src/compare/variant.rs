//! Which servers are compared.

use std::fmt;

use clap::ValueEnum;
use serde::Serialize;

use super::case::{Case, Matter};

/// A server program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Product {
    /// This project.
    Anser,
    /// <https://www.ejabberd.im>
    Ejabberd,
    /// <https://prosody.im>
    Prosody,
}

/// Whether messages are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum History {
    /// Messages pass through.
    Off,
    /// Every message is stored (XEP-0313, SQLite).
    On,
}

/// A server in one of its configurations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Variant {
    /// The program.
    #[serde(rename = "server")]
    pub(crate) product: Product,
    /// What it does with messages.
    pub(crate) history: History,
}

impl Variant {
    /// All there are. Anser has no mode without history.
    pub(crate) const ALL: [Self; 5] = [
        Self {
            product: Product::Anser,
            history: History::On,
        },
        Self {
            product: Product::Ejabberd,
            history: History::Off,
        },
        Self {
            product: Product::Ejabberd,
            history: History::On,
        },
        Self {
            product: Product::Prosody,
            history: History::Off,
        },
        Self {
            product: Product::Prosody,
            history: History::On,
        },
    ];

    /// Whether the case is run with it.
    pub(crate) fn takes(self, case: &Case) -> bool {
        let is_out = case.without.contains(&self.product);
        let is_meant = match (self.product, self.history, case.history) {
            (Product::Anser, _, _) | (_, _, Matter::Matters) => true,
            (_, History::On, Matter::Required) | (_, History::Off, Matter::Indifferent) => true,
            (_, History::Off, Matter::Required) | (_, History::On, Matter::Indifferent) => false,
        };
        is_meant && !is_out
    }
}

impl fmt::Display for Product {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Anser => "anser",
            Self::Ejabberd => "ejabberd",
            Self::Prosody => "prosody",
        })
    }
}

impl fmt::Display for History {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Off => "off",
            Self::On => "on",
        })
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}, history {}", self.product, self.history)
    }
}
