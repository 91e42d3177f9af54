//! Message archives (XEP-0313), and what goes into them (XEP-0441).

use super::delay::{moment, stamp};
use super::form::{FieldType, Filled, Form, FormFault, FormKind, Submission, Validation};
use super::rsm::{PageAnswer, PageRequest};
use super::{form, forward};
use crate::{DefinedCondition, StanzaError, ns};
use anser_jid::Jid;
use anser_xml::{Child, Element, Writer};
use std::collections::BTreeSet;

/// The longest name of a question, in bytes: every message of the answer has it.
const MOST_QUERY_ID_BYTES: usize = 1023;

const WITH: &str = "with";
const START: &str = "start";
const END: &str = "end";
const BEFORE_ID: &str = "before-id";
const AFTER_ID: &str = "after-id";
const IDS: &str = "ids";
const INCLUDE_GROUPCHAT: &str = "include-groupchat";

/// The fields of a question, and what each of them is (XEP-0313 §4.1.5).
type Fields = [(&'static str, FieldType)];

/// The fields of questions after archives of accounts.
const FIELDS: &Fields = &[
    (WITH, FieldType::JidSingle),
    (START, FieldType::TextSingle),
    (END, FieldType::TextSingle),
    (BEFORE_ID, FieldType::TextSingle),
    (AFTER_ID, FieldType::TextSingle),
    (IDS, FieldType::ListMulti),
    (INCLUDE_GROUPCHAT, FieldType::Boolean),
];

/// In the archive of a room there is nothing to include, and nothing left
/// without it: the last field is one of accounts (XEP-0313 §4.1.4).
const FIELDS_OF_ROOMS: &Fields = FIELDS.split_last().expect("there are fields").1;

/// What somebody wants to read again (XEP-0313 §4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Their name for the question.
    pub query_id: Option<String>,
    /// With whom.
    pub with: Option<Jid>,
    /// Not before this moment, in milliseconds since 1970.
    pub start_millis: Option<u64>,
    /// Not after this moment, in milliseconds since 1970.
    pub end_millis: Option<u64>,
    /// Only what precedes this message.
    pub before_id: Option<String>,
    /// Only what follows this message.
    pub after_id: Option<String>,
    /// Only these messages, if there are any.
    pub ids: Vec<String>,
    /// Which page of that.
    pub page: PageRequest,
    /// The last message of a page comes first (XEP-0313 §4.5).
    pub is_flipped: bool,
}

impl Query {
    /// Reads a question after the archive of an account.
    ///
    /// # Errors
    /// `bad-request`, or `feature-not-implemented` for a field that there is
    /// not (XEP-0313 §4.1.5) and for a node, as archives of other kinds have
    /// them.
    pub fn read(query: Child<'_>) -> Result<Self, StanzaError> {
        Self::read_with(FIELDS, query)
    }

    /// Reads a question after the archive of a room.
    ///
    /// # Errors
    /// As for that of an account.
    pub fn read_of_room(query: Child<'_>) -> Result<Self, StanzaError> {
        Self::read_with(FIELDS_OF_ROOMS, query)
    }

    fn read_with(fields: &Fields, query: Child<'_>) -> Result<Self, StanzaError> {
        let query = query.open();
        if query.attribute("node").is_some() {
            let reason = "this archive has no nodes";
            return Err(DefinedCondition::FeatureNotImplemented.because(reason));
        }
        let query_id = query.attribute("queryid");
        if query_id
            .as_ref()
            .is_some_and(|id| id.len() > MOST_QUERY_ID_BYTES)
        {
            let reason = format_args!("queryid has more than {MOST_QUERY_ID_BYTES} bytes");
            return Err(DefinedCondition::BadRequest.because(reason));
        }
        let filter = match query.child(ns::FORM, "x") {
            None => Submission::default(),
            Some(form) => match Filled::read(form, ns::MAM).map_err(refusal)? {
                Filled::Submitted(filter) => filter,
                Filled::Cancelled => return Err(refusal(FormFault::Kind)),
            },
        };
        let read = Self {
            query_id: query_id.map(Into::into),
            page: PageRequest::read(&query)?,
            is_flipped: query.child(ns::MAM, "flip-page").is_some(),
            ..Self::default()
        };
        read.filtered(fields, &filter).map_err(refusal)
    }

    fn filtered(self, fields: &Fields, filter: &Submission) -> Result<Self, FormFault> {
        let known: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
        filter.check_known(&known)?;
        let time = |field| filter.one(field, "a time as XEP-0082 has it", moment);
        let id = |field| filter.text(field).map(|id| id.map(Into::into));
        // Archives of accounts have nothing of rooms either way.
        filter.boolean(INCLUDE_GROUPCHAT)?;
        Ok(Self {
            with: filter.jid(WITH)?,
            start_millis: time(START)?,
            end_millis: time(END)?,
            before_id: id(BEFORE_ID)?,
            after_id: id(AFTER_ID)?,
            ids: filter.all(IDS).unwrap_or_default().to_vec(),
            ..self
        })
    }
}

/// XEP-0313 §4.1.5: a field that is not known is not ignored.
fn refusal(fault: FormFault) -> StanzaError {
    let condition = match fault {
        FormFault::Unknown { .. } => DefinedCondition::FeatureNotImplemented,
        FormFault::NoForm
        | FormFault::Kind
        | FormFault::About { .. }
        | FormFault::Nameless
        | FormFault::Twice { .. }
        | FormFault::Missing { .. }
        | FormFault::Values { .. }
        | FormFault::Value { .. }
        | FormFault::Number { .. } => DefinedCondition::BadRequest,
    };
    condition.because(fault)
}

/// Says what the archive of an account can be asked for (XEP-0313 §4.1.5).
pub fn write_form(iq: &mut Writer<'_>) {
    write_form_with(FIELDS, iq);
}

/// Says what the archive of a room can be asked for.
pub fn write_form_of_room(iq: &mut Writer<'_>) {
    write_form_with(FIELDS_OF_ROOMS, iq);
}

fn write_form_with(fields: &Fields, iq: &mut Writer<'_>) {
    let fields = fields.iter().map(|(name, kind)| {
        let field = form::Field::new(*kind, *name);
        match kind {
            FieldType::ListMulti => field.valid(Validation::Open),
            FieldType::Boolean
            | FieldType::Fixed
            | FieldType::Hidden
            | FieldType::JidMulti
            | FieldType::JidSingle
            | FieldType::ListSingle
            | FieldType::TextMulti
            | FieldType::TextPrivate
            | FieldType::TextSingle => field,
        }
    });
    let mut query = iq.open("query").namespace(ns::MAM);
    Form::new(FormKind::Form, ns::MAM)
        .with(fields)
        .write(&mut query);
}

/// Writes what one message of an answer has beside its addresses; `write_stanza`
/// writes the message of the archive, which has to declare its namespace
/// (XEP-0313 §4.2).
pub fn write_result(
    message: &mut Writer<'_>,
    query_id: Option<&str>,
    id: impl std::fmt::Display,
    sent_at_millis: u64,
    write_stanza: impl FnOnce(&mut Writer<'_>),
) {
    let mut result = message
        .open("result")
        .namespace(ns::MAM)
        .attribute_opt("queryid", query_id)
        .attribute_display("id", id);
    write_stanza(&mut forward::open(&mut result, Some(sent_at_millis)));
}

/// Whether an answer has all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// It has.
    Complete,
    /// There are more pages.
    Partial,
}

/// Writes the end of an answer (XEP-0313 §4, §4.3). What was read stays as it is.
pub fn write_fin(iq: &mut Writer<'_>, completeness: Completeness, page: &PageAnswer) {
    let complete = match completeness {
        Completeness::Complete => Some("true"),
        Completeness::Partial => None,
    };
    let mut fin = iq
        .open("fin")
        .namespace(ns::MAM)
        .attribute_opt("complete", complete);
    page.write(&mut fin);
}

/// Writes where an archive begins and ends: ids, and milliseconds since 1970
/// (XEP-0313 §5). Nothing for one that is empty.
pub fn write_metadata(iq: &mut Writer<'_>, ends: Option<[(&str, u64); 2]>) {
    let mut metadata = iq.open("metadata").namespace(ns::MAM);
    let Some(ends) = ends else {
        return;
    };
    for (name, (id, millis)) in ["start", "end"].into_iter().zip(ends) {
        metadata
            .open(name)
            .attribute("id", id)
            .attribute("timestamp", &stamp(millis))
            .close();
    }
}

/// What goes into an archive (XEP-0441 §2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    /// What holds for whoever is not named.
    pub default: DefaultPreference,
    /// Who is always archived.
    pub always: BTreeSet<Jid>,
    /// Who never is.
    pub never: BTreeSet<Jid>,
}

/// What holds for whoever is not named (XEP-0441 §2.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultPreference {
    /// All messages are archived.
    Always,
    /// None are.
    Never,
    /// Those with contacts are.
    Roster,
}

impl DefaultPreference {
    const ALL: [Self; 3] = [Self::Always, Self::Never, Self::Roster];

    /// The value of the attribute.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Never => "never",
            Self::Roster => "roster",
        }
    }
}

impl Preferences {
    /// Reads the element `prefs`. A list that is not there is empty.
    ///
    /// # Errors
    /// `bad-request` if it does not say what the default is, `jid-malformed` for
    /// what is no address.
    pub fn read(preferences: Child<'_>) -> Result<Self, StanzaError> {
        let preferences = preferences.open();
        let default = preferences.attribute("default");
        let mut known = DefaultPreference::ALL.into_iter();
        let default = known.find(|known| default.as_deref() == Some(known.name()));
        let reason = "'default' is always, never or roster";
        Ok(Self {
            default: default.ok_or_else(|| DefinedCondition::BadRequest.because(reason))?,
            always: read_addresses(&preferences, "always")?,
            never: read_addresses(&preferences, "never")?,
        })
    }

    /// Writes the element `prefs`.
    pub fn write(&self, iq: &mut Writer<'_>) {
        let mut preferences = iq
            .open("prefs")
            .namespace(ns::MAM)
            .attribute("default", self.default.name());
        for (name, addresses) in [("always", &self.always), ("never", &self.never)] {
            let mut list = preferences.open(name);
            for address in addresses {
                list.open("jid").text(address.as_str());
            }
        }
    }
}

fn read_addresses(preferences: &Element, list: &str) -> Result<BTreeSet<Jid>, StanzaError> {
    let Some(list) = preferences.child(ns::MAM, list) else {
        return Ok(BTreeSet::new());
    };
    let list = list.open();
    let addresses = list.children().filter(|child| child.is(ns::MAM, "jid"));
    let address = |child: Child<'_>| {
        let reason = "a name in the preferences is no address";
        Jid::parse(child.text().trim()).map_err(|_| DefinedCondition::JidMalformed.because(reason))
    };
    addresses.map(address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{element, in_iq, jid};
    use proptest::collection::btree_set;
    use proptest::prelude::{Strategy, prop_assert_eq, proptest};
    use proptest::sample::select;

    fn read(content: &str) -> Result<Query, StanzaError> {
        let iq = format!("<iq><query xmlns='urn:xmpp:mam:2' {content}</query></iq>");
        Query::read(element(&iq).children().next().unwrap())
    }

    fn with_fields(fields: &[(&str, &[&str])]) -> Result<Query, StanzaError> {
        let field = |(name, values): &(&str, &[&str])| {
            let values = values.iter().map(|value| format!("<value>{value}</value>"));
            format!("<field var='{name}'>{}</field>", values.collect::<String>())
        };
        let fields: String = fields.iter().map(field).collect();
        read(&format!(
            "><x xmlns='jabber:x:data' type='submit'>\
             <field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>{fields}</x>"
        ))
    }

    /// XEP-0313 §4.1
    #[test]
    fn a_question_may_have_filters_a_page_and_a_name() {
        assert_eq!(read(">"), Ok(Query::default()));
        let query = read(
            "queryid='f27'><set xmlns='http://jabber.org/protocol/rsm'><max>10</max><before/></set>\
             <flip-page/>",
        )
        .unwrap();
        assert_eq!(query.query_id.as_deref(), Some("f27"));
        assert_eq!(
            (query.page.max, query.page.before.as_deref()),
            (Some(10), Some(""))
        );
        assert!(query.is_flipped);
        let query = with_fields(&[
            ("with", &["Bob@example.org"]),
            ("start", &["2000-02-29T00:00:00Z"]),
            ("end", &["2000-02-29T01:00:00+01:00"]),
            ("after-id", &["a"]),
            ("before-id", &["b"]),
            ("ids", &["c", "d"]),
            ("include-groupchat", &["false"]),
        ]);
        let expected = Query {
            with: Some(jid("bob@example.org")),
            start_millis: Some(951_782_400_000),
            end_millis: Some(951_782_400_000),
            after_id: Some("a".to_owned()),
            before_id: Some("b".to_owned()),
            ids: vec!["c".to_owned(), "d".to_owned()],
            ..Query::default()
        };
        assert_eq!(query, Ok(expected));
    }

    /// XEP-0313 §4.1.5
    #[test]
    fn a_question_that_is_not_understood_is_refused() {
        use DefinedCondition::{BadRequest, FeatureNotImplemented};
        for (fields, condition) in [
            ([("text", ["hello"].as_slice())], FeatureNotImplemented),
            ([("with", &["@"])], BadRequest),
            ([("with", &["a@b", "c@d"])], BadRequest),
            ([("start", &["yesterday"])], BadRequest),
            ([("end", &["2000-02-30T00:00:00Z"])], BadRequest),
            ([("include-groupchat", &["perhaps"])], BadRequest),
        ] {
            let error = with_fields(&fields).unwrap_err();
            assert_eq!(error.condition, condition, "{fields:?}");
        }
        let long = format!("queryid='{}'>", "q".repeat(1024));
        for (content, condition) in [
            ("node='n'>", FeatureNotImplemented),
            (&long, BadRequest),
            ("><x xmlns='jabber:x:data' type='submit'/>", BadRequest),
            ("><x xmlns='jabber:x:data' type='cancel'/>", BadRequest),
            (
                "><set xmlns='http://jabber.org/protocol/rsm'><max>x</max></set>",
                BadRequest,
            ),
        ] {
            assert_eq!(read(content).unwrap_err().condition, condition, "{content}");
        }
    }

    /// XEP-0313 §4.1.5
    #[test]
    fn the_form_has_all_fields_and_a_list_that_is_open() {
        assert_eq!(
            in_iq(write_form),
            "<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='form'>\
             <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>\
             <field var='with' type='jid-single'/><field var='start' type='text-single'/>\
             <field var='end' type='text-single'/><field var='before-id' type='text-single'/>\
             <field var='after-id' type='text-single'/><field var='ids' type='list-multi'>\
             <validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='xs:string'>\
             <open/></validate></field><field var='include-groupchat' type='boolean'/></x></query>"
        );
    }

    /// XEP-0313 §4.2, §4.3, §5
    #[test]
    fn an_answer_has_messages_and_an_end() {
        assert_eq!(
            in_iq(
                |iq| write_result(iq, Some("f'"), 7, 951_782_400_000, |forwarded| {
                    forwarded.open("message").namespace(ns::CLIENT).close();
                })
            ),
            "<result xmlns='urn:xmpp:mam:2' queryid='f&apos;' id='7'>\
             <forwarded xmlns='urn:xmpp:forward:0'>\
             <delay xmlns='urn:xmpp:delay' stamp='2000-02-29T00:00:00.000Z'/>\
             <message xmlns='jabber:client'/></forwarded></result>"
        );
        let page = PageAnswer::default();
        assert_eq!(
            in_iq(|iq| write_fin(iq, Completeness::Complete, &page)),
            "<fin xmlns='urn:xmpp:mam:2' complete='true'>\
             <set xmlns='http://jabber.org/protocol/rsm'/></fin>"
        );
        assert_eq!(
            in_iq(|iq| write_fin(iq, Completeness::Partial, &page)),
            "<fin xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'/></fin>"
        );
        assert_eq!(
            in_iq(|iq| write_metadata(iq, Some([("a", 0), ("b", 951_782_400_000)]))),
            "<metadata xmlns='urn:xmpp:mam:2'>\
             <start id='a' timestamp='1970-01-01T00:00:00.000Z'/>\
             <end id='b' timestamp='2000-02-29T00:00:00.000Z'/></metadata>"
        );
        assert_eq!(
            in_iq(|iq| write_metadata(iq, None)),
            "<metadata xmlns='urn:xmpp:mam:2'/>"
        );
    }

    fn preferences(content: &str) -> Result<Preferences, StanzaError> {
        let iq = element(&format!("<iq>{content}</iq>"));
        Preferences::read(iq.children().next().unwrap())
    }

    /// XEP-0441 §2.1
    #[test]
    fn preferences_have_a_default_and_addresses() {
        for (content, condition) in [
            (
                "<prefs xmlns='urn:xmpp:mam:2'/>",
                DefinedCondition::BadRequest,
            ),
            (
                "<prefs xmlns='urn:xmpp:mam:2' default='sometimes'/>",
                DefinedCondition::BadRequest,
            ),
            (
                "<prefs xmlns='urn:xmpp:mam:2' default='never'><always><jid>@</jid></always></prefs>",
                DefinedCondition::JidMalformed,
            ),
        ] {
            let error = preferences(content).unwrap_err();
            assert_eq!(error.condition, condition, "{content}");
        }
    }

    fn addresses() -> impl Strategy<Value = BTreeSet<Jid>> {
        let all = ["a@example.org", "a@example.org/x'&", "example.net"];
        btree_set(select(all.map(jid).to_vec()), 0..3)
    }

    proptest! {
        #[test]
        fn preferences_that_were_written_are_read_as_they_were(
            default in select(DefaultPreference::ALL.to_vec()),
            always in addresses(),
            never in addresses(),
        ) {
            let written = Preferences { default, always, never };
            let text = in_iq(|iq| written.write(iq));
            prop_assert_eq!(preferences(&text), Ok(written));
        }
    }
}
