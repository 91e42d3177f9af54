//! Searching for rooms (XEP-0433).

use super::form::{Field, FieldType, Form, FormKind, Submission};
use super::rsm::PageAnswer;
use crate::{Advice, DefinedCondition, Detail, StanzaError, ns};
use anser_xml::Writer;

/// How long the words that are searched for may be together, in bytes.
const MOST_WORDS_BYTES: usize = 256;
/// How many words there may be.
const MOST_WORDS: usize = 8;

const WORDS: &str = "q";
const ALL: &str = "all";
const IN_NAME: &str = "sinname";
const IN_DESCRIPTION: &str = "sindescription";
const IN_ADDRESS: &str = "sinaddress";
const TYPES: &str = "types";
const KEY: &str = "key";

/// The one type of rooms that there is here.
const ROOMS: &str = "xep-0045";

/// In which order rooms are found (XEP-0433 §6.1, table 2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SortKey {
    /// Those first in which most are.
    #[default]
    Users,
    /// By address.
    Address,
}

const KEYS: &[(&str, SortKey, &str)] = &[
    (
        "{urn:xmpp:channel-search:0:order}nusers",
        SortKey::Users,
        "Number of online users",
    ),
    (
        "{urn:xmpp:channel-search:0:order}address",
        SortKey::Address,
        "Address",
    ),
];

/// Where words are searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the name.
    Name,
    /// In the description.
    Description,
    /// In the address.
    Address,
}

const PLACES: &[(&str, Place, &str)] = &[
    (IN_NAME, Place::Name, "Search in name"),
    (IN_DESCRIPTION, Place::Description, "Search in description"),
    (IN_ADDRESS, Place::Address, "Search in address"),
];

/// What is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Each of these has to be there, in lower case; `None` for all rooms.
    pub words: Option<Vec<String>>,
    /// Where: in any of these.
    pub places: Vec<Place>,
    /// In which order.
    pub key: SortKey,
    /// Whether rooms are wanted at all, or only channels of other kinds.
    pub wants_rooms: bool,
}

/// Why nothing is searched for (XEP-0433 §4.2.2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchFault {
    /// There is no such order.
    #[error("rooms are sorted by the number of users, or by address")]
    SortKey,
    /// There is no word to search for.
    #[error(
        "what is searched for needs a word of two letters, and may have {MOST_WORDS} words \
         and {MOST_WORDS_BYTES} bytes"
    )]
    Words,
    /// Others are searching.
    #[error("too many are searching: try again in {seconds} seconds")]
    RateLimit {
        /// When to try again.
        seconds: u64,
    },
    /// Fields exclude each other.
    #[error("these fields exclude each other: {}", fields.join(", "))]
    Conflict {
        /// Which.
        fields: &'static [&'static str],
    },
    /// It does not say what is wanted.
    #[error("neither words nor all rooms are asked for")]
    Nothing,
}

/// The errors of XEP-0433 §4.2.2. Where its examples have others than its text
/// says, the text counts.
impl From<SearchFault> for StanzaError {
    fn from(fault: SearchFault) -> Self {
        use DefinedCondition as D;
        let (condition, advice, name) = match &fault {
            SearchFault::SortKey => (D::FeatureNotImplemented, Advice::Modify, "invalid-sort-key"),
            SearchFault::Words => (D::BadRequest, Advice::Modify, "invalid-search-terms"),
            SearchFault::RateLimit { .. } => (D::ResourceConstraint, Advice::Wait, "rate-limit"),
            SearchFault::Conflict { .. } => (D::BadRequest, Advice::Modify, "conflicting-fields"),
            SearchFault::Nothing => (D::BadRequest, Advice::Cancel, "no-search-conditions"),
        };
        let mut detail = Detail::new(ns::CHANNEL_SEARCH_ERROR, name);
        match &fault {
            SearchFault::RateLimit { seconds } => {
                detail.attribute = Some(("retry-after", seconds.to_string()));
            }
            SearchFault::Conflict { fields } => {
                let fields = fields.iter().map(|field| ("var", (*field).to_owned()));
                detail.children = fields.collect();
            }
            SearchFault::SortKey | SearchFault::Words | SearchFault::Nothing => {}
        }
        let error = condition.because(fault).detailed(detail);
        Self { advice, ..error }
    }
}

/// The form to be filled in (XEP-0433 §4.2.1), with what holds for fields that
/// are left out.
#[must_use]
pub fn form() -> Form {
    let mut fields = vec![
        Field::new(FieldType::TextSingle, WORDS).label("Search for"),
        Field::boolean(ALL, false).label("Return all rooms"),
    ];
    let places = PLACES.iter();
    fields.extend(places.map(|(var, _, label)| Field::boolean(*var, true).label(*label)));
    let types = Field::new(FieldType::ListMulti, TYPES).label("Service types");
    fields.push(types.option(ROOMS, "Multi-User Chats").value(ROOMS));
    let key = Field::new(FieldType::ListSingle, KEY).label("Sort results by");
    let key = KEYS
        .iter()
        .fold(key, |key, (name, _, label)| key.option(*name, *label));
    let default = KEYS.iter().filter(|(_, key, _)| *key == SortKey::default());
    fields.push(key.values(default.map(|(name, ..)| *name)));
    Form::new(FormKind::Form, ns::CHANNEL_SEARCH_PARAMS).with(fields)
}

impl Query {
    /// What somebody has filled in. Fields that nobody here knows are ignored
    /// (XEP-0433 §5).
    ///
    /// # Errors
    /// Those of [`SearchFault`], or `not-acceptable` for a value that is none.
    pub fn read(form: &Submission) -> Result<Self, StanzaError> {
        let words = form.text(WORDS)?;
        let is_for_words = words.is_some_and(|words| !words.trim().is_empty());
        let words = match (words, form.boolean(ALL)?.unwrap_or(false)) {
            (Some(_), true) if is_for_words => {
                let fields = &[ALL, WORDS];
                return Err(SearchFault::Conflict { fields }.into());
            }
            (_, true) => None,
            (Some(text), false) => Some(split(text)?),
            (None, false) => return Err(SearchFault::Nothing.into()),
        };
        let mut places = Vec::new();
        for (var, place, _) in PLACES {
            if form.boolean(var)?.unwrap_or(true) {
                places.push(*place);
            }
        }
        if words.is_some() && places.is_empty() {
            let fields = &[WORDS, IN_NAME, IN_DESCRIPTION, IN_ADDRESS];
            return Err(SearchFault::Conflict { fields }.into());
        }
        let key = match form.text(KEY)? {
            None => SortKey::default(),
            Some(name) => {
                let known = KEYS.iter().find(|(known, ..)| *known == name);
                known.ok_or(SearchFault::SortKey)?.1
            }
        };
        let types = form.all(TYPES);
        Ok(Self {
            words,
            places,
            key,
            wants_rooms: types.is_none_or(|types| types.iter().any(|one| one == ROOMS)),
        })
    }
}

/// The words that can be searched for. One letter of an alphabet finds
/// everything; a single sign of other scripts may be a word.
fn split(text: &str) -> Result<Vec<String>, SearchFault> {
    if text.len() > MOST_WORDS_BYTES {
        return Err(SearchFault::Words);
    }
    let words = text.split_whitespace().filter(|word| {
        let is_word = word.chars().any(char::is_alphanumeric);
        is_word && (word.len() > 1)
    });
    let words: Vec<_> = words.map(str::to_lowercase).collect();
    if words.is_empty() || words.len() > MOST_WORDS {
        return Err(SearchFault::Words);
    }
    Ok(words)
}

/// A room that was found (XEP-0433 §6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    /// Its address.
    pub address: &'a str,
    /// Its name for people.
    pub name: &'a str,
    /// What it is about; empty if it does not say.
    pub description: &'a str,
    /// The language that is spoken in it; empty if it does not say.
    pub language: &'a str,
    /// How many are in it.
    pub users: usize,
    /// Whether one can enter without having been let in, or knowing something.
    pub is_open: bool,
    /// Whether everybody sees who everybody is.
    pub shows_addresses: bool,
}

impl Item<'_> {
    fn write(&self, result: &mut Writer<'_>) {
        let mut item = result.open("item").attribute("address", self.address);
        let mut text = |name: &'static str, text: &str| {
            if !text.is_empty() {
                item.open(name).text(text);
            }
        };
        text("name", self.name);
        text("description", self.description);
        text("language", self.language);
        text("nusers", &self.users.to_string());
        text("service-type", ROOMS);
        text("is-open", if self.is_open { "true" } else { "false" });
        let anonymity = if self.shows_addresses {
            "{urn:xmpp:channel-search:0:anonymity}none"
        } else {
            "muc_semianonymous"
        };
        text("anonymity-mode", anonymity);
    }
}

/// Writes the form to be filled in.
pub fn write_form(iq: &mut Writer<'_>) {
    form().write(&mut iq.open("search").namespace(ns::CHANNEL_SEARCH));
}

/// Writes what was found (XEP-0433 §4.2.2), and which page of it this is.
pub fn write_result<'a>(
    iq: &mut Writer<'_>,
    items: impl IntoIterator<Item = Item<'a>>,
    page: &PageAnswer,
) {
    let mut result = iq.open("result").namespace(ns::CHANNEL_SEARCH);
    for item in items {
        item.write(&mut result);
    }
    page.write(&mut result);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{in_iq, written};

    fn read(fields: &[(&str, &str)]) -> Result<Query, StanzaError> {
        let fields = fields
            .iter()
            .map(|(var, value)| Field::new(FieldType::TextSingle, *var).value(*value));
        let form = Form::new(FormKind::Submit, ns::CHANNEL_SEARCH_PARAMS).with(fields);
        Query::read(&Submission::try_from(form).unwrap())
    }

    fn words(text: &str) -> Option<Vec<String>> {
        read(&[("q", text)]).unwrap().words
    }

    /// XEP-0433 §4.2.1, §5
    #[test]
    fn what_is_left_out_is_as_the_form_says() {
        let query = read(&[("q", "Dark  CAVE"), ("x-other", "?")]).unwrap();
        let expected = Query {
            words: Some(vec!["dark".into(), "cave".into()]),
            places: vec![Place::Name, Place::Description, Place::Address],
            key: SortKey::Users,
            wants_rooms: true,
        };
        assert_eq!(query, expected);
        let filled = Form {
            kind: FormKind::Submit,
            ..form()
        };
        let mut filled = Submission::try_from(filled).unwrap();
        assert!(Query::read(&filled).is_err());
        let all = [("all", "true"), ("q", ""), ("types", "xep-0369")];
        let all = read(&all).unwrap();
        assert_eq!((all.words, all.wants_rooms), (None, false));
        filled = Submission::default();
        let error = Query::read(&filled).unwrap_err();
        assert_eq!(error.detail.unwrap().name, "no-search-conditions");
    }

    #[test]
    fn a_word_has_two_letters_or_is_a_sign_of_another_script() {
        assert_eq!(words("a xmpp.org - &"), Some(vec!["xmpp.org".into()]));
        assert_eq!(words("茶"), Some(vec!["茶".into()]));
        let long = "ab".repeat(129);
        let many = "ab ".repeat(9);
        for text in ["", " ", "a", "- &", &long, &many] {
            let error = read(&[("q", text)]).unwrap_err();
            let name = error.detail.unwrap().name;
            assert_eq!(name, "invalid-search-terms", "{text}");
        }
    }

    /// XEP-0433 §4.2.2.2 to §4.2.2.7
    #[test]
    fn every_error_is_the_one_that_is_named() {
        let error = |fault: SearchFault| {
            let error = StanzaError::from(fault);
            written(|output| {
                let mut writer = Writer::new(output);
                let error = StanzaError {
                    text: None,
                    ..error
                };
                error.write(&mut writer.open("iq"));
            })
        };
        let expected = |kind: &str, condition: &str, detail: &str| {
            format!(
                "<iq><error type='{kind}'>\
                 <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>{detail}</error></iq>"
            )
        };
        let xmlns = "xmlns='urn:xmpp:channel-search:0:error'";
        let conflict = SearchFault::Conflict {
            fields: &[ALL, WORDS],
        };
        for (fault, kind, condition, detail) in [
            (
                SearchFault::SortKey,
                "modify",
                "feature-not-implemented",
                format!("<invalid-sort-key {xmlns}/>"),
            ),
            (
                SearchFault::Words,
                "modify",
                "bad-request",
                format!("<invalid-search-terms {xmlns}/>"),
            ),
            (
                SearchFault::RateLimit { seconds: 30 },
                "wait",
                "resource-constraint",
                format!("<rate-limit {xmlns} retry-after='30'/>"),
            ),
            (
                conflict,
                "modify",
                "bad-request",
                format!(
                    "<conflicting-fields {xmlns}><var>all</var><var>q</var></conflicting-fields>"
                ),
            ),
            (
                SearchFault::Nothing,
                "cancel",
                "bad-request",
                format!("<no-search-conditions {xmlns}/>"),
            ),
        ] {
            assert_eq!(error(fault), expected(kind, condition, &detail));
        }
    }

    /// XEP-0433 §6.2
    #[test]
    fn a_room_is_told_with_what_there_is_to_know_of_it() {
        let item = Item {
            address: "a@b.example",
            name: "A & B",
            description: "",
            language: "en",
            users: 3,
            is_open: true,
            shows_addresses: false,
        };
        assert_eq!(
            in_iq(|iq| write_result(iq, [item], &PageAnswer::default())),
            "<result xmlns='urn:xmpp:channel-search:0:search'><item address='a@b.example'>\
             <name>A &amp; B</name><language>en</language><nusers>3</nusers>\
             <service-type>xep-0045</service-type><is-open>true</is-open>\
             <anonymity-mode>muc_semianonymous</anonymity-mode></item>\
             <set xmlns='http://jabber.org/protocol/rsm'/></result>"
        );
    }
}
