//! Result set management (XEP-0059): long answers, a page at a time.

use crate::ns;
use crate::{DefinedCondition, StanzaError};
use anser_xml::{Element, Writer};
use std::borrow::Cow;

/// Which page of an answer is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// At most so many items; none is a question after their number
    /// (XEP-0059 §2.6).
    pub max: Option<u32>,
    /// What follows this item (XEP-0059 §2.2).
    pub after: Option<String>,
    /// What precedes this item; empty for the last page (XEP-0059 §2.3, §2.5).
    pub before: Option<String>,
    /// What begins with the item of this number, the first being zero
    /// (XEP-0059 §2.5).
    pub index: Option<u32>,
}

/// Which page was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageAnswer {
    /// Where it begins and ends; `None` if it is empty.
    pub ends: Option<PageEnds>,
    /// How many items there are on all pages.
    pub count: Option<u64>,
}

/// The ends of a page that is not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageEnds {
    /// Its first item.
    pub first: String,
    /// The number of that item, the first of all being zero.
    pub index: Option<u64>,
    /// Its last item.
    pub last: String,
}

impl PageRequest {
    /// Reads the element `set` among the children of a question. Without it, all
    /// is wanted.
    ///
    /// # Errors
    /// `bad-request` if a number is none.
    pub fn read(question: &Element) -> Result<Self, StanzaError> {
        let Some(set) = question.child(ns::RSM, "set") else {
            return Ok(Self::default());
        };
        let set = set.open();
        let text = |name| child_text(&set, name);
        let number = |name| match text(name) {
            None => Ok(None),
            Some(text) => text.trim().parse().map(Some).map_err(|_| {
                let reason = format_args!("{name} is not a number from 0 to {}", u32::MAX);
                DefinedCondition::BadRequest.because(reason)
            }),
        };
        Ok(Self {
            max: number("max")?,
            // Clients ask so for what follows nothing, which is the first page.
            after: text("after").filter(|after| !after.is_empty()),
            before: text("before"),
            index: number("index")?,
        })
    }

    /// Writes the element `set`.
    pub fn write(&self, question: &mut Writer<'_>) {
        let mut set = question.open("set").namespace(ns::RSM);
        if let Some(max) = self.max {
            set.open("max").text_display(max);
        }
        if let Some(after) = &self.after {
            set.open("after").text(after);
        }
        if let Some(before) = &self.before {
            set.open("before").text(before);
        }
        if let Some(index) = self.index {
            set.open("index").text_display(index);
        }
    }
}

impl PageAnswer {
    /// Reads the element `set` among the children of an answer; `None` if there
    /// is none, or it makes no sense.
    #[must_use]
    pub fn read(answer: &Element) -> Option<Self> {
        let set = answer.child(ns::RSM, "set")?.open();
        let number = |text: Cow<'_, str>| text.trim().parse().ok();
        let first = set.child(ns::RSM, "first");
        let ends = match (first, child_text(&set, "last")) {
            (Some(first), Some(last)) => Some(PageEnds {
                first: first.text().into_owned(),
                index: first.attribute("index").and_then(number),
                last,
            }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => return None,
        };
        let count = set.child(ns::RSM, "count");
        let count = count.and_then(|count| number(count.text()));
        Some(Self { ends, count })
    }

    /// Writes the element `set` (XEP-0059 §2.2).
    pub fn write(&self, answer: &mut Writer<'_>) {
        let mut set = answer.open("set").namespace(ns::RSM);
        if let Some(ends) = &self.ends {
            let mut first = set.open("first");
            if let Some(index) = ends.index {
                first = first.attribute_display("index", index);
            }
            first.text(&ends.first);
            first.close();
            set.open("last").text(&ends.last);
        }
        if let Some(count) = self.count {
            set.open("count").text_display(count);
        }
    }
}

fn child_text(set: &Element, name: &str) -> Option<String> {
    let child = set.child(ns::RSM, name)?;
    Some(child.text().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{element, in_iq};
    use proptest::option;
    use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};

    fn question(content: &str) -> Element {
        element(&format!("<query>{content}</query>"))
    }

    fn request(content: &str) -> Result<PageRequest, StanzaError> {
        let set = format!("<set xmlns='http://jabber.org/protocol/rsm'>{content}</set>");
        PageRequest::read(&question(&set))
    }

    /// XEP-0059 §2.1, §2.2, §2.3, §2.5
    #[test]
    fn a_page_is_asked_for_by_its_size_its_neighbour_or_its_number() {
        let nothing = PageRequest::default();
        assert_eq!(PageRequest::read(&question("<x/>")), Ok(nothing.clone()));
        assert_eq!(request(""), Ok(nothing.clone()));
        assert_eq!(request("<after/>"), Ok(nothing.clone()));
        let expected = PageRequest {
            max: Some(10),
            after: Some("a&b".to_owned()),
            ..nothing.clone()
        };
        assert_eq!(request("<max>10</max><after>a&amp;b</after>"), Ok(expected));
        let last = PageRequest {
            before: Some(String::new()),
            ..nothing.clone()
        };
        assert_eq!(request("<before/>"), Ok(last));
        let index = PageRequest {
            index: Some(371),
            ..nothing
        };
        assert_eq!(request("<index>371</index>"), Ok(index));
    }

    #[test]
    fn what_is_no_number_is_a_bad_request() {
        for content in [
            "<max/>",
            "<max>-1</max>",
            "<max>4294967296</max>",
            "<max>ten</max>",
            "<index>1.5</index>",
        ] {
            let error = request(content).unwrap_err();
            assert_eq!(error.condition, DefinedCondition::BadRequest, "{content}");
        }
    }

    /// XEP-0059 §2.2, §2.6
    #[test]
    fn an_answer_says_where_the_page_begins_and_ends_if_there_is_anything_on_it() {
        let page = PageAnswer {
            ends: Some(PageEnds {
                first: "a<".to_owned(),
                index: Some(0),
                last: "b".to_owned(),
            }),
            count: Some(800),
        };
        assert_eq!(
            in_iq(|iq| page.write(iq)),
            "<set xmlns='http://jabber.org/protocol/rsm'><first index='0'>a&lt;</first>\
             <last>b</last><count>800</count></set>"
        );
        assert_eq!(
            in_iq(|iq| PageAnswer::default().write(iq)),
            "<set xmlns='http://jabber.org/protocol/rsm'/>"
        );
    }

    fn id() -> impl Strategy<Value = String> {
        "[!-~ä]{1,12}"
    }

    proptest! {
        #[test]
        fn a_request_that_was_written_is_read_as_it_was(
            max in option::of(any::<u32>()),
            after in option::of(id()),
            before in option::of("[!-~ä]{0,12}"),
            index in option::of(any::<u32>()),
        ) {
            let request = PageRequest { max, after, before, index };
            let written = in_iq(|iq| request.write(iq));
            prop_assert_eq!(PageRequest::read(&question(&written)), Ok(request));
        }

        #[test]
        fn an_answer_that_was_written_is_read_as_it_was(
            ends in option::of((id(), option::of(any::<u64>()), id())),
            count in option::of(any::<u64>()),
        ) {
            let ends = ends.map(|(first, index, last)| PageEnds { first, index, last });
            let answer = PageAnswer { ends, count };
            let written = in_iq(|iq| answer.write(iq));
            prop_assert_eq!(PageAnswer::read(&question(&written)), Some(answer));
        }
    }
}
