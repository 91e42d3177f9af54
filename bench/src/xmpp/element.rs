//! One received element, read where it lies.

use std::fmt;

use bytes::Bytes;
use memchr::{memchr, memmem};

/// A complete element, as it came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Element(Bytes);

impl Element {
    /// `bytes` are one whole element, from `<` to `>`.
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// The name with its prefix.
    pub(crate) fn name(&self) -> &[u8] {
        let rest = &self.0[1..];
        &rest[..name_length(rest)]
    }

    /// The value of an attribute of the element itself, not unescaped.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        attribute_in(&self.0[1 + self.name().len()..], name)
    }

    /// The value of an attribute of the first element of this name, not unescaped.
    pub(crate) fn attribute_of(&self, element: &str, name: &str) -> Option<&str> {
        attribute_in(&self.0[self.find(element)? + element.len()..], name)
    }

    /// The text with which the first element of this name begins, not unescaped.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        let found = self.find(name)?;
        let text = &self.0[found + memchr(b'>', &self.0[found..])? + 1..];
        std::str::from_utf8(&text[..memchr(b'<', text).unwrap_or(0)]).ok()
    }

    /// Everything from the first element of this name on, to look further in there: what is
    /// forwarded has the names of what forwards it (XEP-0297).
    pub(crate) fn after(&self, name: &str) -> Option<Self> {
        Some(Self(self.0.slice(self.find(name)? - 1..)))
    }

    fn find(&self, name: &str) -> Option<usize> {
        memmem::find_iter(&self.0, name).find(|&at| {
            at > 0 && self.0[at - 1] == b'<' && name_length(&self.0[at..]) == name.len()
        })
    }

    /// Whether these bytes occur anywhere in it; good enough for namespaces.
    pub(crate) fn mentions(&self, bytes: &str) -> bool {
        memmem::find(&self.0, bytes.as_bytes()).is_some()
    }
}

/// As it came, for reports of what went wrong.
impl fmt::Display for Element {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&String::from_utf8_lossy(&self.0))
    }
}

/// `tag` is what follows the name in a tag.
fn attribute_in<'a>(tag: &'a [u8], name: &str) -> Option<&'a str> {
    let mut rest = tag;
    loop {
        rest = rest.trim_ascii_start();
        let length = memchr(b'=', &rest[..name_length(rest)])?;
        let quote = *rest.get(length + 1)?;
        let value = &rest[length + 2..];
        let end = memchr(quote, value)?;
        if &rest[..length] == name.as_bytes() {
            return std::str::from_utf8(&value[..end]).ok();
        }
        rest = &value[end + 1..];
    }
}

fn name_length(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| !matches!(byte, b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n'))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(text: &'static str) -> Element {
        Element::new(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn attributes_are_those_of_the_element_itself() {
        let message =
            element("<message id='a id=\"b\"/>'\n to=\"c@d/e='f'\"><x type='error'/></message>");
        assert_eq!(message.name(), b"message");
        assert_eq!(message.attribute("id"), Some("a id=\"b\"/>"));
        assert_eq!(message.attribute("to"), Some("c@d/e='f'"));
        assert_eq!(message.attribute("type"), None);
        assert_eq!(element("<r xmlns='sm'/>").attribute("h"), None);
        assert_eq!(element("<r/>").attribute("h"), None);
    }

    #[test]
    fn text_is_found_by_the_whole_name() {
        let message =
            element("<message><bodyguard>no</bodyguard><x a='body'/><body>yes</body></message>");
        assert_eq!(message.text_of("body"), Some("yes"));
        assert_eq!(message.text_of("message"), Some(""));
        assert_eq!(message.text_of("thread"), None);
        assert_eq!(
            element("<success>dj0=</success>").text_of("success"),
            Some("dj0=")
        );
        assert_eq!(
            element("<success xmlns='sasl'/>").text_of("success"),
            Some("")
        );
    }

    #[test]
    fn what_is_forwarded_is_read_where_it_stands() {
        let result = element(
            "<message from='me'><result id='5'><forwarded><delay stamp='now'/>\
             <message from='you'><body>hi</body></message></forwarded></result></message>",
        );
        assert_eq!(result.attribute_of("result", "id"), Some("5"));
        assert_eq!(result.attribute_of("delay", "stamp"), Some("now"));
        assert_eq!(result.attribute_of("delays", "stamp"), None);
        let forwarded = result.after("forwarded").unwrap();
        assert_eq!(forwarded.attribute_of("message", "from"), Some("you"));
        assert_eq!(result.after("sent"), None);
    }
}
