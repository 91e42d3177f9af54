//! Which documents are elements, and what is wrong with the others.

use bytes::Bytes;

use crate::fault::{Condition, Construct, Fault};
use crate::{Element, Limits};

fn parse(document: impl AsRef<[u8]>) -> Result<Element, Fault> {
    Element::parse(Bytes::copy_from_slice(document.as_ref()), &Limits::DEFAULT)
}

#[track_caller]
fn accepted(documents: &[&str]) {
    for document in documents {
        let result = parse(document);
        assert!(result.is_ok(), "{document:?}: {:?}", result.err());
    }
}

/// Asserts what is wrong with each document, and that it stays so whatever follows.
#[track_caller]
fn refused(cases: &[(&str, Fault)]) {
    for (document, expected) in cases {
        assert_eq!(parse(document).err(), Some(*expected), "{document:?}");
        let faults = (1..document.len()).map(|end| parse(&document.as_bytes()[..end]).err());
        let mut faults = faults.skip_while(|fault| fault != &Some(*expected));
        assert!(faults.all(|fault| fault == Some(*expected)), "{document:?}");
    }
}

fn restricted(construct: Construct, at: u32) -> Fault {
    Fault::Restricted { construct, at }
}

fn unexpected(byte: u8, at: u32) -> Fault {
    Fault::Unexpected { byte, at }
}

fn forbidden(code: u32, at: u32) -> Fault {
    Fault::ForbiddenCharacter { code, at }
}

/// RFC 6120 §11.1
#[test]
fn comments_instructions_declarations_and_entities_are_restricted() {
    let entity = Construct::EntityReference;
    refused(&[
        (
            "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
            restricted(Construct::MarkupDeclaration, 0),
        ),
        (
            "<a><!DOCTYPE a></a>",
            restricted(Construct::MarkupDeclaration, 3),
        ),
        (
            "<a><!ENTITY x 'y'></a>",
            restricted(Construct::MarkupDeclaration, 3),
        ),
        ("<!-- c --><a/>", restricted(Construct::Comment, 0)),
        ("<a><!-- c --></a>", restricted(Construct::Comment, 3)),
        (
            "<?php echo?><a/>",
            restricted(Construct::ProcessingInstruction, 0),
        ),
        (
            "<a><?php echo?></a>",
            restricted(Construct::ProcessingInstruction, 3),
        ),
        (
            "<a><?xml version='1.0'?></a>",
            restricted(Construct::ProcessingInstruction, 3),
        ),
        ("<a>&nbsp;</a>", restricted(entity, 3)),
        ("<a b='&lol9;'/>", restricted(entity, 6)),
        ("<a>&ampere;</a>", restricted(entity, 3)),
        ("<a>&AMP;</a>", restricted(entity, 3)),
        ("<a>&é;</a>", restricted(entity, 3)),
    ]);
}

/// RFC 7395 §3.3.3: a message is a document, though a declaration is not recommended
#[test]
fn a_standalone_element_may_have_an_xml_declaration_before_it() {
    accepted(&[
        "<?xml version='1.0'?><a/>",
        "<?xml version='1.0' encoding='UTF-8'?>\n<a/>\n",
    ]);
    refused(&[
        ("<?xml version='1.1'?><a/>", Fault::MalformedDeclaration),
        (
            "<?xml version='1.0' encoding='latin1'?><a/>",
            Fault::UnsupportedEncoding,
        ),
        (
            " <?xml version='1.0'?><a/>",
            restricted(Construct::ProcessingInstruction, 0),
        ),
        ("<?xml version='1.0'?", Fault::Incomplete { got: 20 }),
        ("<?xml version='1.0'?>", Fault::Incomplete { got: 21 }),
    ]);
}

/// XML 1.0 §2.7
#[test]
fn cdata_sections_are_character_data() {
    accepted(&[
        "<a><![CDATA[]]></a>",
        "<a><![CDATA[<b>&nbsp;</c>]]></a>",
        "<a><![CDATA[]]]]></a>",
        "<a><![CDATA[]]]></a>",
        "<a><![CDATA[]>]]></a>",
        "<a><![CDATA[<![CDATA[]]></a>",
        "<a><![CDATA[é\u{10FFFF}]]><![CDATA[x]]>y</a>",
    ]);
    refused(&[
        ("<![CDATA[x]]><a/>", unexpected(b'[', 2)),
        ("<a><![cdata[x]]></a>", unexpected(b'c', 6)),
        ("<a><![CDATA [x]]></a>", unexpected(b' ', 11)),
        ("<a><![CDATA[\u{1}]]></a>", forbidden(1, 12)),
        ("<a><![CDATA[\u{FFFE}]]></a>", forbidden(0xFFFE, 12)),
        ("<a><![CDATA[]] ></a>", Fault::Incomplete { got: 20 }),
    ]);
}

/// XML 1.0 §2.4
#[test]
fn the_end_of_a_section_may_not_stand_in_text() {
    let fault = |at| Fault::SectionEndInText { at };
    refused(&[
        ("<a>]]></a>", fault(3)),
        ("<a>x]]]></a>", fault(5)),
        ("<a><![CDATA[]]>]]></a>", fault(15)),
        ("<a><b/>]]></a>", fault(7)),
    ]);
    accepted(&[
        "<a>]] ></a>",
        "<a>]]&gt;</a>",
        "<a>]&#93;></a>",
        "<a b=']]>'/>",
        "<a>]><b/>]></a>",
    ]);
}

/// XML 1.0 §2.2
#[test]
fn characters_outside_of_char_are_refused_raw_and_referenced() {
    for code in (0..0x20)
        .chain([0xFFFE, 0xFFFF])
        .filter(|code| ![9, 10, 13].contains(code))
    {
        let char = char::from_u32(code).expect("none of these is a surrogate");
        let hex = format!("<a>&#x{code:X};</a>");
        let end = hex.find(';').expect("it is there") as u32;
        refused(&[
            (&format!("<a>é{char}</a>"), forbidden(code, 5)),
            (&format!("<a b='{char}'/>"), forbidden(code, 6)),
            (&hex, forbidden(code, end)),
        ]);
    }
    refused(&[
        ("<a>&#0;</a>", forbidden(0, 6)),
        ("<a>&#xD800;</a>", forbidden(0xD800, 10)),
        ("<a>&#xDFFF;</a>", forbidden(0xDFFF, 10)),
        ("<a>&#1114112;</a>", forbidden(0x11_0000, 12)),
        ("<a>&#4294967361;</a>", forbidden(u32::MAX, 15)),
    ]);
    accepted(&["<a>\t\n\r\u{7F}\u{85}\u{FEFF}\u{FFFD}\u{E000}\u{1FFFE}\u{10FFFF}</a>"]);
}

/// XML 1.0 §4.1
#[test]
fn references_are_complete_and_have_digits() {
    refused(&[
        ("<a>&;</a>", unexpected(b';', 4)),
        ("<a>& </a>", unexpected(b' ', 4)),
        ("<a>&amp</a>", unexpected(b'<', 7)),
        ("<a>&amp ;</a>", unexpected(b' ', 7)),
        ("<a>&#;</a>", unexpected(b';', 5)),
        ("<a>&#x;</a>", unexpected(b';', 6)),
        ("<a>&#X41;</a>", unexpected(b'X', 5)),
        ("<a>&#4A;</a>", unexpected(b'A', 6)),
        ("<a>&#-1;</a>", unexpected(b'-', 5)),
        ("<a b='&'/>", unexpected(b'\'', 7)),
    ]);
    accepted(&["<a b='&amp;&lt;&gt;&quot;&apos;'>&amp;&lt;&gt;&quot;&apos;</a>"]);
    accepted(&["<a>&#65;&#x41;&#0000000000000000065;&#x0000000000000010FFFF;</a>"]);
}

/// RFC 3629 §3
#[test]
fn invalid_utf8_is_refused_everywhere() {
    let malformed: [&[u8]; 12] = [
        b"\x80",
        b"\xC0\x80",
        b"\xC1\xBF",
        b"\xC3",
        b"\xE0\x9F\xBF",
        b"\xE9\xB8",
        b"\xED\xA0\x80",
        b"\xF0\x8F\xBF\xBF",
        b"\xF0\x9F\x98",
        b"\xF4\x90\x80\x80",
        b"\xF5\x80\x80\x80",
        b"\xFF",
    ];
    for bytes in malformed {
        for (before, after) in [
            ("<a>", "</a>"),
            ("<a>é", "</a>"),
            ("<a>&#65;", "é</a>"),
            ("<a><![CDATA[", "]]></a>"),
            ("<a b='", "'/>"),
            ("<a b='' c", "=''/>"),
            ("<a", "/>"),
            ("<", "/>"),
        ] {
            let document = [before.as_bytes(), bytes, after.as_bytes()].concat();
            let at = before.len() as u32;
            assert_eq!(
                parse(&document).err(),
                Some(Fault::InvalidUtf8 { at }),
                "{bytes:X?}"
            );
        }
    }
}

/// XML 1.0 fifth edition §2.3, XML-NAMES §4
#[test]
fn names_are_qnames() {
    accepted(&[
        "<_/>",
        "<Z9-._/>",
        "<é/>",
        "<名前/>",
        "<a\u{B7}/>",
        "<a\u{301}/>",
        "<\u{10000}/>",
        "<xml:a/>",
        "<xmlns/>",
        "<a xml-b=''/>",
        "<é:ü xmlns:é='x'/>",
    ]);
    let malformed = |at| Fault::MalformedName { at };
    refused(&[
        ("<9a/>", malformed(1)),
        ("<-a/>", malformed(1)),
        ("<.a/>", malformed(1)),
        ("< a/>", malformed(1)),
        ("<>", malformed(1)),
        ("<a><></a>", malformed(4)),
        ("<\u{B7}/>", malformed(1)),
        ("<\u{301}/>", malformed(1)),
        ("<a\u{D7}/>", malformed(2)),
        ("<a\u{37E}/>", malformed(2)),
        ("<a\u{F0000}/>", malformed(2)),
        ("<:a/>", malformed(1)),
        ("<a:/>", malformed(3)),
        ("<a:b:c/>", malformed(4)),
        ("<a:9/>", malformed(3)),
        ("<a 9=''/>", malformed(3)),
        ("<a =''/>", malformed(3)),
        ("<a b:=''/>", malformed(5)),
        ("<a$/>", unexpected(b'$', 2)),
    ]);
}

/// XML 1.0 §3.1
#[test]
fn tags_have_their_parts_in_order() {
    accepted(&[
        "<a\t/>",
        "<a></a\r\n>",
        "<a  b  =\n'x'\r\tc=\"\"  />",
        "<a b='\"' c=\"'>/\"/>",
    ]);
    refused(&[
        ("<a b='x'c='y'/>", unexpected(b'c', 8)),
        ("<a b/>", unexpected(b'/', 4)),
        ("<a b>", unexpected(b'>', 4)),
        ("<a b=x/>", unexpected(b'x', 5)),
        ("<a b='<'/>", unexpected(b'<', 6)),
        ("<a b=''", Fault::Incomplete { got: 7 }),
        ("<a / >", unexpected(b' ', 4)),
        ("<a//>", unexpected(b'/', 3)),
        ("<a'/>", unexpected(b'\'', 2)),
        ("<a></a b>", unexpected(b'b', 7)),
        ("<a></a/>", Fault::EndTagMismatch { at: 5 }),
        ("</a>", unexpected(b'/', 1)),
    ]);
}

/// XML 1.0 §3 (Element Type Match)
#[test]
fn an_end_tag_repeats_the_name_of_its_start_tag() {
    let mismatch = |at| Fault::EndTagMismatch { at };
    refused(&[
        ("<a></b>", mismatch(5)),
        ("<a></ab>", mismatch(5)),
        ("<ab></a>", mismatch(6)),
        ("<a></ a>", mismatch(5)),
        ("<a><b></a></b>", mismatch(8)),
        ("<a></>", mismatch(5)),
        ("<x:a xmlns:x='u' xmlns:y='u'></y:a>", mismatch(31)),
    ]);
}

/// XML 1.0 §3.1 (Unique Att Spec), XML-NAMES §6.3 (Attributes Unique)
#[test]
fn no_two_attributes_have_the_same_name() {
    let duplicate = |at| Fault::DuplicateAttribute { at };
    refused(&[
        ("<a b='' b=''/>", duplicate(8)),
        ("<a b='' c='' b=''/>", duplicate(13)),
        ("<a xmlns='u' xmlns='v'/>", duplicate(13)),
        ("<a xmlns:p='u' xmlns:p='v'/>", duplicate(15)),
        ("<a p:b='' q:b='' xmlns:p='u' xmlns:q='u'/>", duplicate(10)),
        (
            "<a xmlns:p='u&amp;v'><b xmlns:q='u&#38;v' p:c='' q:c=''/></a>",
            duplicate(49),
        ),
    ]);
    accepted(&[
        "<a b='' B=''/>",
        "<a p:b='' q:b='' b='' xmlns:p='u' xmlns:q='v'/>",
        "<p:a b='' p:b='' xmlns:p='u' xmlns='u'/>",
        "<a xml:b='' b=''/>",
    ]);
}

/// XML-NAMES §5 (Prefix Declared)
#[test]
fn a_prefix_is_bound_where_it_is_used() {
    let unbound = |at| Fault::UnboundPrefix { at };
    refused(&[
        ("<p:a/>", unbound(1)),
        ("<a p:b=''/>", unbound(3)),
        ("<a><b xmlns:p='u'/><p:c/></a>", unbound(20)),
        ("<a><b xmlns:p='u'></b><c><p:d/></c></a>", unbound(26)),
        ("<xmlns:a/>", unbound(1)),
        ("<a xmlns:p='u'><P:b/></a>", unbound(16)),
    ]);
    accepted(&[
        "<p:a xmlns:p='u'><b><p:c p:d=''/></b></p:a>",
        "<xml:a xml:b=''/>",
    ]);
}

/// XML-NAMES §3 (Reserved Prefixes and Namespace Names), §5 (No Prefix Undeclaring)
#[test]
fn reserved_names_are_bound_to_themselves_only() {
    const XML: &str = "http://www.w3.org/XML/1998/namespace";
    const XMLNS: &str = "http://www.w3.org/2000/xmlns/";
    for document in [
        "<a xmlns:xml='u'/>".to_owned(),
        "<a xmlns:xmlns='u'/>".to_owned(),
        format!("<a xmlns:xmlns='{XMLNS}'/>"),
        format!("<a xmlns:xml='{XMLNS}'/>"),
        format!("<a xmlns:p='{XML}'/>"),
        format!("<a xmlns:p='{XMLNS}'/>"),
        format!("<a xmlns='{XML}'/>"),
        format!("<a xmlns='{XMLNS}'/>"),
        format!("<a xmlns:p='&#104;{}'/>", &XMLNS[1..]),
    ] {
        refused(&[(&document, Fault::ReservedNamespace { at: 3 })]);
    }
    refused(&[("<a xmlns:p=''/>", Fault::EmptyNamespace { at: 3 })]);
    accepted(&[
        &format!("<a xmlns:xml='{XML}' xml:lang='en'/>"),
        "<a xmlns=''/>",
    ]);
}

/// RFC 6120 §4.9.1.1: a stream error ends the stream at once
#[test]
fn a_fault_is_known_with_the_byte_that_makes_it_certain() {
    for (document, expected) in [
        ("<a><!D", restricted(Construct::MarkupDeclaration, 3)),
        ("<a><!-", restricted(Construct::Comment, 3)),
        ("<a><?", restricted(Construct::ProcessingInstruction, 3)),
        ("<a>&n", restricted(Construct::EntityReference, 3)),
        ("<a>&#x1;", forbidden(1, 7)),
        ("<a><b></c", Fault::EndTagMismatch { at: 8 }),
        ("<a><b></bc", Fault::EndTagMismatch { at: 8 }),
        ("<a b='' b=''", Fault::DuplicateAttribute { at: 8 }),
        ("<a p:b=''>", Fault::UnboundPrefix { at: 3 }),
        ("<a>]]>", Fault::SectionEndInText { at: 3 }),
        ("<a b='<", unexpected(b'<', 6)),
        ("<a b='\u{1}", forbidden(1, 6)),
        ("<a:b:", Fault::MalformedName { at: 4 }),
    ] {
        assert_eq!(parse(document).err(), Some(expected), "{document:?}");
        let before = &document[..document.len() - 1];
        let incomplete = Fault::Incomplete {
            got: before.len() as u32,
        };
        assert_eq!(parse(before).err(), Some(incomplete), "{before:?}");
    }
}

/// XML 1.0 §2.1
#[test]
fn an_element_is_alone_but_for_white_space() {
    accepted(&[" \r\n\t<a/> \r\n\t"]);
    refused(&[
        ("", Fault::Incomplete { got: 0 }),
        ("  ", Fault::Incomplete { got: 2 }),
        ("x<a/>", unexpected(b'x', 0)),
        ("\u{FEFF}<a/>", unexpected(0xEF, 0)),
        ("<a/>x", Fault::AfterEnd { byte: b'x' }),
        ("<a/><a/>", Fault::AfterEnd { byte: b'<' }),
        ("<a>", Fault::Incomplete { got: 3 }),
    ]);
}

/// RFC 6120 §4.9.3
#[test]
fn every_kind_of_fault_has_its_stream_error() {
    let condition = |document: &str| parse(document).expect_err("it is at fault").condition();
    assert_eq!(condition("<a></b>"), Condition::NotWellFormed);
    assert_eq!(condition("<a><!-- --></a>"), Condition::RestrictedXml);
    assert_eq!(condition("<p:a/>"), Condition::BadNamespacePrefix);
    assert_eq!(condition("<a xmlns:p=''/>"), Condition::InvalidNamespace);
    let deep = "<a>".repeat(Limits::DEFAULT.depth as usize + 1);
    assert_eq!(condition(&deep), Condition::PolicyViolation);
    assert_eq!(
        Fault::UnsupportedEncoding.condition(),
        Condition::UnsupportedEncoding
    );
}
