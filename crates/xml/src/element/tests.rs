//! What an element and its children show.

use std::borrow::Cow;

use bytes::Bytes;

use crate::{Child, Element, Limits};

fn parse(document: &str) -> Element {
    Element::parse(
        Bytes::copy_from_slice(document.as_bytes()),
        &Limits::DEFAULT,
    )
    .unwrap()
}

const MESSAGE: &str = "<message xmlns='jabber:client' to='b@example' id='&#x31;\t2' xml:lang='en'>\
    a<body xml:lang='de' type='x'>Wherefore &amp; <![CDATA[<why>]]></body>&lt;\
    <x:html xmlns:x='urn:html' x:class='c'><x:p>1<x:b>2</x:b>3</x:p></x:html>\
    <empty xmlns=''/>c</message>";

/// RFC 6120 §8.1
#[test]
fn an_element_shows_its_name_attributes_and_text() {
    let message = parse(MESSAGE);
    assert_eq!(
        (message.namespace(), message.name()),
        ("jabber:client", "message")
    );
    assert!(message.is("jabber:client", "message"));
    assert!(!message.is("jabber:server", "message") && !message.is("jabber:client", "iq"));
    assert_eq!(message.attribute("to").as_deref(), Some("b@example"));
    assert_eq!(message.attribute("id").as_deref(), Some("1 2"));
    assert_eq!(message.attribute("from"), None);
    assert_eq!(message.lang().as_deref(), Some("en"));
    assert_eq!(message.text(), "a<c");
    assert_eq!(message.raw(), MESSAGE);
}

/// XML-NAMES §2.1, §6.2
#[test]
fn a_prefix_is_no_part_of_a_name_and_a_declaration_is_no_attribute() {
    let element = parse("<p:a xmlns='u' xmlns:p='v' xmlns:q='w' b='1' p:b='2' q:b='3' xml:b='4'/>");
    assert!(element.is("v", "a"));
    assert_eq!(element.attribute("b").as_deref(), Some("1"));
    assert_eq!(element.attribute("xmlns"), None);
    assert_eq!(element.attribute("p:b"), None);
    for (namespace, value) in [("", "1"), ("v", "2"), ("w", "3")] {
        assert_eq!(element.attribute_ns(namespace, "b").as_deref(), Some(value));
    }
    // The default namespace is not that of attributes.
    assert_eq!(element.attribute_ns("u", "b"), None);
    let all: Vec<_> = element
        .attributes()
        .map(|attribute| format!("{{{}}}{}", attribute.namespace(), attribute.name()))
        .collect();
    assert_eq!(
        all,
        [
            "{}b",
            "{v}b",
            "{w}b",
            "{http://www.w3.org/XML/1998/namespace}b"
        ]
    );
}

/// XML-NAMES §6.1, §6.2
#[test]
fn children_are_found_by_name_and_namespace() {
    let message = parse(MESSAGE);
    let names: Vec<_> = message
        .children()
        .map(|child| (child.namespace(), child.name()))
        .collect();
    assert_eq!(
        names,
        [
            ("jabber:client", "body"),
            ("urn:html", "html"),
            ("", "empty")
        ]
    );

    let body = message.child("jabber:client", "body").expect("it is there");
    assert_eq!(body.attribute("type").as_deref(), Some("x"));
    assert_eq!(body.attribute("lang"), None);
    assert_eq!(body.text(), "Wherefore & <why>");
    assert_eq!(body.open().lang().as_deref(), Some("de"));
    assert!(message.child("urn:html", "body").is_none());
    assert!(message.child("", "empty").is_some());
}

/// XML-NAMES §6.1: a declaration holds for all that is inside
#[test]
fn what_lies_deeper_is_read_with_the_declarations_around_it() {
    let message = parse(MESSAGE);
    let html = message.child("urn:html", "html").expect("it is there");
    assert_eq!(
        html.open().attribute_ns("urn:html", "class").as_deref(),
        Some("c")
    );
    let p = html.child("urn:html", "p").expect("it is there");
    assert_eq!(p.text(), "13");
    assert_eq!(p.child("urn:html", "b").expect("it is there").text(), "2");
    let names: Vec<_> = html
        .children()
        .map(|child| child.name().to_owned())
        .collect();
    assert_eq!(names, ["p"]);
    assert_eq!(html.text(), "");
}

/// XML-NAMES §2.1: a namespace name is the attribute's value, however it is written
#[test]
fn namespace_names_are_compared_as_they_are_meant() {
    let element =
        parse("<a xmlns='u&amp;&#x76;'><b/><c xmlns='w\t&lt;'><p:d xmlns:p='&#120;'/></c></a>");
    assert_eq!(element.namespace(), "u&v");
    let child = element.child("u&v", "b").expect("it is there");
    assert_eq!(child.open().namespace(), "u&v");
    let child = element.child("w <", "c").expect("it is there").open();
    assert_eq!(child.namespace(), "w <");
    let grandchild = child.child("x", "d").expect("it is there").open();
    assert_eq!(grandchild.namespace(), "x");
}

/// Stored payloads are children of `jabber:client` stanzas
#[test]
fn a_payload_is_read_in_the_default_namespace_it_was_stored_under() {
    for namespace in ["", "jabber:client", "urn:other"] {
        let payload = Bytes::from_static(b"<body><b xmlns='u'/><c/></body>");
        let payload = Element::parse_in(payload, namespace, &Limits::DEFAULT).unwrap();
        assert!(payload.is(namespace, "body"));
        assert_eq!(
            payload
                .children()
                .map(|child| child.namespace())
                .collect::<Vec<_>>(),
            ["u", namespace]
        );
    }
}

/// Nothing is copied for a stanza that is only forwarded
#[test]
fn values_and_bytes_are_borrowed_where_they_mean_what_is_written() {
    let document = Bytes::from_static(MESSAGE.as_bytes());
    let message = Element::parse(document.clone(), &Limits::DEFAULT).unwrap();
    assert!(matches!(message.attribute("to"), Some(Cow::Borrowed(_))));
    assert!(matches!(message.attribute("id"), Some(Cow::Owned(_))));
    assert!(matches!(parse("<a>x &gt; y</a>").text(), Cow::Owned(_)));
    assert!(matches!(
        parse("<a><b/>x > y<b/></a>").text(),
        Cow::Borrowed("x > y")
    ));
    let is_shared = |part: &[u8]| document.as_ptr_range().contains(&part.as_ptr());
    assert!(is_shared(message.raw()));
    assert!(is_shared(&message.content()));
    assert!(
        message
            .children()
            .all(|child| is_shared(child.raw()) && is_shared(child.open().raw()))
    );
}

/// XML 1.0 §3.1: the parts of a tag may be far apart
#[test]
fn a_childs_attributes_are_found_however_they_are_spaced_and_quoted() {
    let parent = parse("<a><b\n\tc = \"'>/\" \r d='\"='\te=''/><f g='1'>g='2'</f><h/></a>");
    let children: Vec<Child<'_>> = parent.children().collect();
    assert_eq!(children[0].attribute("c").as_deref(), Some("'>/"));
    assert_eq!(children[0].attribute("d").as_deref(), Some("\"="));
    assert_eq!(children[0].attribute("e").as_deref(), Some(""));
    assert_eq!(children[0].attribute("g"), None);
    assert_eq!(children[1].attribute("g").as_deref(), Some("1"));
    assert_eq!(children[2].attribute("g"), None);
}

/// Elements go to other tasks
#[test]
fn an_element_can_be_sent_and_shared_and_is_small() {
    fn is_sendable<T: Send + Sync + Clone + 'static>() {}
    is_sendable::<Element>();
    assert!(size_of::<Element>() <= 64, "{}", size_of::<Element>());
}
