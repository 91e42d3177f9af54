//! Writing elements.

use std::fmt::{self, Display, Write};

use bytes::BytesMut;

use crate::escape;

/// Writes XML at one place of a document: at its top, or inside an element.
///
/// [`Writer::open`] begins an element and gives the writer for its inside, which writes the end
/// tag when it is closed or goes out of scope. While it lives nothing can be written outside of
/// it, so what is written is always well nested. An element without content becomes `<x/>`.
///
/// ```
/// # use anser_xml::Writer;
/// let mut out = bytes::BytesMut::new();
/// let mut writer = Writer::new(&mut out);
/// let mut query = writer.open("query").namespace("http://jabber.org/protocol/disco#info");
/// for feature in ["urn:xmpp:ping", "a<b"] {
///     query.open("feature").attribute("var", feature).close();
/// }
/// query.close();
/// writer.close();
/// assert_eq!(
///     out,
///     "<query xmlns='http://jabber.org/protocol/disco#info'>\
///      <feature var='urn:xmpp:ping'/><feature var='a&lt;b'/></query>"
/// );
/// ```
///
/// All values are escaped. Characters that XML cannot carry at all become U+FFFD. Names are not
/// checked and therefore have to be part of the program.
///
/// The output is a [`BytesMut`] because what was written can be split off it, frozen and shared
/// between many connections without a copy, while the rest of its memory serves the next writer.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut BytesMut,
    /// The element that is written here; empty at the top of the document.
    name: &'static str,
    /// Whether its start tag still lacks its `>`.
    in_start_tag: bool,
}

impl<'a> Writer<'a> {
    /// Writes at the end of `out`.
    pub fn new(out: &'a mut BytesMut) -> Self {
        Self {
            out,
            name: "",
            in_start_tag: false,
        }
    }

    /// Begins a child element; `name` may have a prefix.
    pub fn open(&mut self, name: &'static str) -> Writer<'_> {
        self.end_start_tag();
        self.out.extend_from_slice(b"<");
        self.out.extend_from_slice(name.as_bytes());
        Writer {
            out: self.out,
            name,
            in_start_tag: true,
        }
    }

    /// Declares the default namespace from this element on.
    pub fn namespace(self, namespace: &str) -> Self {
        self.attribute("xmlns", namespace)
    }

    /// Writes an attribute; all of them must come before the content.
    pub fn attribute(mut self, name: &'static str, value: &str) -> Self {
        self.begin_attribute(name);
        escape::attribute(self.out, value);
        self.out.extend_from_slice(b"'");
        self
    }

    /// Writes an attribute if there is a value for it.
    pub fn attribute_opt(self, name: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.attribute(name, value),
            None => self,
        }
    }

    /// Writes an attribute whose value is a number, an address or whatever else displays itself.
    pub fn attribute_display(mut self, name: &'static str, value: impl Display) -> Self {
        self.begin_attribute(name);
        display(self.out, escape::attribute, value);
        self.out.extend_from_slice(b"'");
        self
    }

    /// Writes character data.
    pub fn text(&mut self, value: &str) {
        if !value.is_empty() {
            self.end_start_tag();
            escape::text(self.out, value);
        }
    }

    /// Writes character data from whatever displays itself.
    pub fn text_display(&mut self, value: impl Display) {
        self.end_start_tag();
        display(self.out, escape::text, value);
    }

    /// Writes markup as it is, such as [`Element::content`](crate::Element::content).
    pub fn raw(&mut self, markup: &[u8]) {
        if !markup.is_empty() {
            self.end_start_tag();
            self.out.extend_from_slice(markup);
        }
    }

    /// Ends the element. So does dropping the writer; this says it aloud.
    pub fn close(self) {}

    /// Ends the start tag and never writes an end tag: for the header of a stream, and for
    /// content that is sent from elsewhere.
    pub fn leave_open(mut self) {
        self.end_start_tag();
        self.name = "";
    }

    fn begin_attribute(&mut self, name: &'static str) {
        assert!(
            self.in_start_tag,
            "the attribute {name} comes after the start tag"
        );
        self.out.extend_from_slice(b" ");
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"='");
    }

    fn end_start_tag(&mut self) {
        if self.in_start_tag {
            self.out.extend_from_slice(b">");
            self.in_start_tag = false;
        }
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        if self.in_start_tag {
            self.out.extend_from_slice(b"/>");
        } else if !self.name.is_empty() {
            self.out.extend_from_slice(b"</");
            self.out.extend_from_slice(self.name.as_bytes());
            self.out.extend_from_slice(b">");
        }
    }
}

fn display(out: &mut BytesMut, escape: fn(&mut BytesMut, &str), value: impl Display) {
    struct Escaped<'a>(&'a mut BytesMut, fn(&mut BytesMut, &str));

    impl Write for Escaped<'_> {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            (self.1)(self.0, part);
            Ok(())
        }
    }

    write!(Escaped(out, escape), "{value}").expect("writing to memory does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Writer<'_>)) -> String {
        let mut out = BytesMut::from("before ");
        write(&mut Writer::new(&mut out));
        String::from_utf8(out.to_vec()).unwrap()
    }

    /// XML 1.0 §3.1
    #[test]
    fn elements_are_nested_as_their_writers_are() {
        let xml = written(|writer| {
            let mut iq = writer
                .open("iq")
                .attribute("type", "result")
                .attribute_opt("to", None);
            let mut query = iq.open("query").namespace("urn:q");
            query
                .open("item")
                .attribute_opt("name", Some("a"))
                .text("x");
            query.open("item").close();
            query.close();
            iq.open("last");
        });
        assert_eq!(
            xml,
            "before <iq type='result'><query xmlns='urn:q'><item name='a'>x</item><item/></query>\
             <last/></iq>"
        );
    }

    /// CVE-2026-113867 was an attribute that was reflected as it came
    #[test]
    fn whatever_is_reflected_is_escaped() {
        let hostile = "'/><evil a=\"&\r\n\0";
        let escaped = "&apos;/&gt;&lt;evil a=&quot;&amp;&#13;&#10;\u{FFFD}";
        let xml = written(|writer| {
            writer
                .open("a")
                .namespace(hostile)
                .attribute_opt("b", Some(hostile))
                .close();
            writer
                .open("a")
                .attribute("b", hostile)
                .attribute_display("c", hostile)
                .close();
        });
        assert_eq!(
            xml,
            format!("before <a xmlns='{escaped}' b='{escaped}'/><a b='{escaped}' c='{escaped}'/>")
        );
        let escaped = "'/&gt;&lt;evil a=\"&amp;&#13;\n\u{FFFD}";
        let xml = written(|writer| {
            writer.text(hostile);
            writer.text_display(hostile);
        });
        assert_eq!(xml, format!("before {escaped}{escaped}"));
    }

    /// Delivery writes a header per session and shares the payload
    #[test]
    fn a_start_tag_can_be_left_to_be_closed_by_others() {
        let xml = written(|writer| {
            writer
                .open("message")
                .attribute_display("h", 7)
                .leave_open();
        });
        assert_eq!(xml, "before <message h='7'>");
    }

    /// XML 1.0 §3.1
    #[test]
    fn markup_is_written_as_it_is_and_nothing_leaves_an_element_empty() {
        let xml = written(|writer| {
            writer.open("a").raw(b"<b/>&amp;");
            writer.open("a").raw(b"");
            writer.open("a").text("");
            writer.open("a").text_display(5);
        });
        assert_eq!(xml, "before <a><b/>&amp;</a><a/><a/><a>5</a>");
    }

    /// XML 1.0 §3.1: an attribute is a part of a start tag
    #[test]
    #[should_panic = "the attribute b comes after the start tag"]
    fn an_attribute_after_content_is_a_mistake_of_the_program() {
        written(|writer| {
            let mut element = writer.open("a");
            element.text("x");
            element.attribute("b", "").close();
        });
    }
}
