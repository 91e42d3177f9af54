//! XML as XMPP uses it: a strict streaming parser and a writer.

mod attribute;
mod chars;
mod child;
mod content;
mod declaration;
mod element;
mod escape;
mod fault;
mod index;
mod limits;
mod pass;
mod scanner;
mod scope;
mod value;
mod writer;

pub use attribute::Attribute;
pub use child::Child;
pub use element::Element;
pub use fault::{Condition, Construct, Fault};
pub use limits::Limits;
pub use scanner::{Event, Scanner};
pub use writer::Writer;
