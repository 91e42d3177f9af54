//! Pages of an archive, asked for and checked (XEP-0313, XEP-0059).

use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::stamp::Stamp;
use crate::xmpp::{Element, Error, Incoming, Session};

const MAM: &str = "urn:xmpp:mam:2";
/// The most that a page may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a page is asked for by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wanted {
    /// From the beginning.
    Oldest,
    /// Up to the end.
    Newest,
    /// From a point in time on.
    Since(Stamp),
    /// The newest with one counterpart.
    With(String),
    /// What follows the message of this id.
    After(String),
}

/// A page as it came.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// From the request to the answer that ends it.
    pub(crate) time: Duration,
    /// In the order in which they came.
    pub(crate) items: Vec<Item>,
}

/// A message in an archive.
#[derive(Debug, PartialEq)]
pub(crate) struct Item {
    /// The archive's.
    pub(crate) id: String,
    /// When the archive got it.
    pub(crate) stamp: Stamp,
    /// The bare address that is not the archive's owner.
    pub(crate) counterpart: String,
}

impl Wanted {
    /// The question of this number for a page of so many messages.
    fn query(&self, number: usize, size: usize) -> String {
        let field = |var: &str, value: &str| {
            format!(
                "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'>\
                 <value>{MAM}</value></field><field var='{var}'><value>{value}</value></field></x>"
            )
        };
        let (form, position) = match self {
            Self::Oldest => (String::new(), String::new()),
            Self::Newest => (String::new(), "<before/>".to_owned()),
            Self::Since(stamp) => (field("start", &stamp.to_string()), String::new()),
            Self::With(counterpart) => (field("with", counterpart), "<before/>".to_owned()),
            Self::After(id) => (String::new(), format!("<after>{id}</after>")),
        };
        format!(
            "<iq type='set' id='page{number}'><query xmlns='{MAM}' queryid='q{number}'>{form}\
             <set xmlns='http://jabber.org/protocol/rsm'><max>{size}</max>{position}</set>\
             </query></iq>"
        )
    }

    /// Asks for a page and reads all of it.
    ///
    /// # Errors
    /// If the server refuses, or a result is not one.
    pub(crate) async fn page(
        &self,
        session: &mut Session,
        owner: &str,
        number: usize,
        size: usize,
    ) -> Result<Page, Error> {
        let started = Instant::now();
        session.queue(&self.query(number, size));
        let (question, id) = (format!("q{number}"), format!("page{number}"));
        let mut items = Vec::new();
        let all = async {
            loop {
                let Incoming::Stanza(stanza) = session.next().await? else {
                    continue;
                };
                if stanza.name() == b"iq" && stanza.attribute("id") == Some(&id) {
                    return match stanza.attribute("type") {
                        Some("result") => Ok(()),
                        _ => Err(refused(&stanza)),
                    };
                }
                if stanza.attribute_of("result", "queryid") == Some(&question) {
                    items.push(Item::of(&stanza, owner).ok_or_else(|| refused(&stanza))?);
                }
            }
        };
        let silent = Error::Silent {
            step: "a page",
            patience: PATIENCE,
        };
        timeout(PATIENCE, all).await.unwrap_or(Err(silent))?;
        let time = started.elapsed();
        Ok(Page { time, items })
    }

    /// Whether a page is what was wanted: full, in order, and of the right ones.
    pub(crate) fn is_met_by(&self, page: &Page, size: usize) -> bool {
        let items = &page.items;
        let is_theirs = match self {
            Self::Oldest | Self::Newest => true,
            Self::Since(stamp) => items.iter().all(|item| item.stamp.is_from(*stamp)),
            Self::With(counterpart) => items.iter().all(|item| item.counterpart == *counterpart),
            Self::After(id) => items.iter().all(|item| item.id != *id),
        };
        let mut ids: Vec<&str> = items.iter().map(|item| item.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        let is_in_order = items.is_sorted_by_key(|item| item.stamp);
        is_theirs && is_in_order && ids.len() == size
    }
}

impl Item {
    /// Nothing if anything of it is missing (XEP-0313 §4.2).
    fn of(message: &Element, owner: &str) -> Option<Self> {
        let forwarded = message.after("forwarded")?;
        let bare = |name| {
            let address = forwarded.attribute_of("message", name)?;
            address.split('/').next()
        };
        let (from, to) = (bare("from"), bare("to"));
        let counterpart = if from == Some(owner) { to } else { from };
        Some(Self {
            id: message.attribute_of("result", "id")?.to_owned(),
            stamp: Stamp::parse(forwarded.attribute_of("delay", "stamp")?)?,
            counterpart: counterpart?.to_owned(),
        })
    }
}

fn refused(stanza: &Element) -> Error {
    Error::Refused {
        step: "a page",
        answer: stanza.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(id: &str, second: u32, counterpart: &str) -> Item {
        Item {
            id: id.to_owned(),
            stamp: Stamp::parse(&format!("2026-11-20T10:00:{second:02}Z")).unwrap(),
            counterpart: counterpart.to_owned(),
        }
    }

    fn page(items: Vec<Item>) -> Page {
        Page {
            items,
            ..Page::default()
        }
    }

    /// XEP-0313 §4.2
    #[test]
    fn a_result_is_read_where_it_stands() {
        let result = |from: &str, to: &str| {
            let text = format!(
                "<message to='u0@localhost/bench-0'><result xmlns='urn:xmpp:mam:2' queryid='q1' \
                 id='28482'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' \
                 stamp='2026-11-20T10:00:07Z'/><message from='{from}' to='{to}'><body>x</body>\
                 </message></forwarded></result></message>"
            );
            Item::of(&Element::new(text.into_bytes().into()), "u0@localhost")
        };
        let expected = Some(item("28482", 7, "u3@localhost"));
        assert_eq!(result("u3@localhost/bench-0", "u0@localhost"), expected);
        assert_eq!(result("u0@localhost/bench-0", "u3@localhost"), expected);
        let broken = Element::new("<message><result id='1'/></message>".into());
        assert_eq!(Item::of(&broken, "u0@localhost"), None);
    }

    #[test]
    fn a_page_that_is_short_doubled_or_out_of_order_is_found_out() {
        let is_met = |items: Vec<Item>| Wanted::Oldest.is_met_by(&page(items), 2);
        assert!(is_met(vec![item("1", 1, "a"), item("2", 1, "a")]));
        assert!(!is_met(vec![item("1", 1, "a")]));
        assert!(!is_met(vec![item("1", 1, "a"), item("1", 1, "a")]));
        assert!(!is_met(vec![item("1", 2, "a"), item("2", 1, "a")]));
    }

    #[test]
    fn a_page_of_something_else_is_found_out() {
        let both = page(vec![item("1", 1, "a"), item("2", 2, "b")]);
        assert!(!Wanted::With("a".to_owned()).is_met_by(&both, 2));
        assert!(!Wanted::After("2".to_owned()).is_met_by(&both, 2));
        assert!(Wanted::After("0".to_owned()).is_met_by(&both, 2));
        let since = |second| Wanted::Since(item("", second, "").stamp);
        assert!(since(1).is_met_by(&both, 2));
        assert!(!since(5).is_met_by(&both, 2));
    }
}
