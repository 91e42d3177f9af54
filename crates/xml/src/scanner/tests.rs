//! Streams, whole and in pieces.

use bytes::{Bytes, BytesMut};

use super::{Event, Scanner, Stage};
use crate::Limits;
use crate::fault::{Construct, Fault};
use crate::index::Record;
use crate::scope::Scope;

const HEADER: &str = "<stream:stream to='a.example' version='1.0' xmlns='jabber:client' \
                      xmlns:stream='http://etherx.jabber.org/streams'>";

/// Stanzas that are one long token: what is before it, what it consists of, what is after it.
const LONG_TOKENS: [(&str, &str, &str); 16] = [
    ("<a>", "x", "</a>"),
    ("<a>", "鸿", "</a>"),
    ("<a>", "]", "</a>"),
    ("<a>", "&amp;", "</a>"),
    ("<a>", "<b/>", "</a>"),
    ("<a>&#", "0", "65;</a>"),
    ("<a>&#x", "0", "41;</a>"),
    ("<a><![CDATA[", "]", "]]></a>"),
    ("<a b='", "x", "'/>"),
    ("<a b='", "é", "'/>"),
    ("<a b='", "\r", "'/>"),
    ("<a", " ", "/>"),
    ("<a b", " ", "=''/>"),
    ("<a ", "b", "=''/>"),
    ("<", "鸿", "/>"),
    ("<a></a", " ", ">"),
];

/// What a scanner told of a stream, and the fault that ended it.
#[derive(Debug, PartialEq, Eq)]
struct Transcript {
    events: Vec<(&'static str, Bytes)>,
    fault: Option<Fault>,
}

fn read_with(scanner: &mut Scanner, pieces: &[&[u8]]) -> Transcript {
    let mut transcript = Transcript {
        events: Vec::new(),
        fault: None,
    };
    let mut input = BytesMut::new();
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            match scanner.next(&mut input) {
                Ok(Some(Event::Open(header))) => {
                    transcript.events.push(("open", header.raw().clone()));
                }
                Ok(Some(Event::Element(element))) => {
                    transcript.events.push(("element", element.raw().clone()));
                }
                Ok(Some(Event::Close)) => transcript.events.push(("close", Bytes::new())),
                Ok(None) => break,
                Err(fault) => {
                    return Transcript {
                        fault: Some(fault),
                        ..transcript
                    };
                }
            }
        }
    }
    transcript
}

/// Reads a stream whole, cut in two everywhere, and byte by byte, which must not matter.
#[track_caller]
fn read_under(limits: Limits, stream: impl AsRef<[u8]>) -> Transcript {
    let stream = stream.as_ref();
    let whole = read_with(&mut Scanner::new(limits), &[stream]);
    for cut in 1..stream.len() {
        let (start, end) = stream.split_at(cut);
        let in_two = read_with(&mut Scanner::new(limits), &[start, end]);
        assert_eq!(in_two, whole, "cut at {cut}: {}", stream.escape_ascii());
    }
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    let in_bytes = read_with(&mut Scanner::new(limits), &bytes);
    assert_eq!(in_bytes, whole, "{}", stream.escape_ascii());
    whole
}

#[track_caller]
fn read(stream: impl AsRef<[u8]>) -> Transcript {
    read_under(Limits::DEFAULT, stream)
}

/// The fault of a stream after its header.
#[track_caller]
fn fault_in_stream(limits: Limits, rest: impl AsRef<[u8]>) -> Option<Fault> {
    read_under(limits, [HEADER.as_bytes(), rest.as_ref()].concat()).fault
}

fn element(raw: &'static str) -> (&'static str, Bytes) {
    ("element", Bytes::from_static(raw.as_bytes()))
}

/// RFC 6120 §4.2, §11.7
#[test]
fn a_stream_is_a_header_stanzas_and_an_end_tag_with_white_space_between() {
    const BODY: &str = "<message><body>a &amp; 鸿雁 <![CDATA[<b>]]></body></message>";
    let stream = format!(
        "<?xml version='1.0'?>\n{HEADER} {BODY}\r\n\t<presence/> <a:b xmlns:a='u'>\r</a:b > \
         </stream:stream >\n"
    );
    assert_eq!(
        read(stream),
        Transcript {
            events: vec![
                ("open", Bytes::from_static(HEADER.as_bytes())),
                element(BODY),
                element("<presence/>"),
                element("<a:b xmlns:a='u'>\r</a:b >"),
                ("close", Bytes::new()),
            ],
            fault: None,
        }
    );
}

/// RFC 6120 §4.7, §4.8
#[test]
fn the_header_tells_its_attributes_and_binds_the_prefixes_of_stanzas() {
    let mut scanner = Scanner::new(Limits::DEFAULT);
    let stream = HEADER.replace("xmlns:stream", "xmlns:x='urn:x' xml:lang='de' xmlns:stream");
    let mut input = BytesMut::from(&*stream);
    input.extend_from_slice(b"<message><x:a x:b='1'/></message>");

    let Ok(Some(Event::Open(header))) = scanner.next(&mut input) else {
        panic!("no header")
    };
    assert!(header.is("http://etherx.jabber.org/streams", "stream"));
    assert_eq!(header.attribute("to").as_deref(), Some("a.example"));
    assert_eq!(header.lang().as_deref(), Some("de"));
    assert_eq!(header.children().count(), 0);
    assert_eq!(header.content(), "");

    let Ok(Some(Event::Element(message))) = scanner.next(&mut input) else {
        panic!("no stanza")
    };
    assert!(message.is("jabber:client", "message"));
    let child = message
        .child("urn:x", "a")
        .expect("its prefix is that of the header");
    assert_eq!(
        child.open().attribute_ns("urn:x", "b").as_deref(),
        Some("1")
    );
}

/// RFC 6120 §4.4: both sides close a stream, even one that was empty from the start
#[test]
fn an_empty_element_tag_opens_and_closes_a_stream() {
    let events = read("<stream/>").events;
    assert_eq!(
        events,
        [
            ("open", Bytes::from_static(b"<stream/>")),
            ("close", Bytes::new())
        ]
    );
}

/// RFC 6120 §11.5, XML 1.0 §2.8
#[test]
fn an_xml_declaration_may_only_be_the_very_first_thing() {
    let instruction = |at| {
        Some(Fault::Restricted {
            construct: Construct::ProcessingInstruction,
            at,
        })
    };
    assert_eq!(read(format!("<?xml version='1.0'?>{HEADER}")).fault, None);
    assert_eq!(read(format!(" {HEADER}")).fault, None);
    assert_eq!(
        read(format!(" <?xml version='1.0'?>{HEADER}")).fault,
        instruction(0)
    );
    let twice = format!("<?xml version='1.0'?><?xml version='1.0'?>{HEADER}");
    assert_eq!(read(twice).fault, instruction(0));
    assert_eq!(
        read(format!("<?xml-stylesheet?>{HEADER}")).fault,
        instruction(0)
    );
    assert_eq!(
        read(format!("<?xmlx version='1.0'?>{HEADER}")).fault,
        instruction(0)
    );
    assert_eq!(
        fault_in_stream(Limits::DEFAULT, "<?xml version='1.0'?>"),
        instruction(0)
    );
}

/// RFC 6120 §11.6
#[test]
fn an_encoding_other_than_utf8_and_a_byte_order_mark_are_refused() {
    let declared = |encoding| format!("<?xml version='1.0' encoding='{encoding}'?>{HEADER}");
    assert_eq!(read(declared("UTF-8")).fault, None);
    assert_eq!(read(declared("utf-8")).fault, None);
    for encoding in ["UTF-16", "ISO-8859-1", "utf8"] {
        assert_eq!(
            read(declared(encoding)).fault,
            Some(Fault::UnsupportedEncoding)
        );
    }
    let with_mark = read(format!("\u{FEFF}{HEADER}"));
    assert_eq!(
        with_mark.fault,
        Some(Fault::TextBetweenStanzas { byte: 0xEF })
    );
}

/// RFC 6120 §4.2: the children of a stream are elements
#[test]
fn text_between_stanzas_is_refused() {
    let fault = |rest: &str| fault_in_stream(Limits::DEFAULT, rest);
    assert_eq!(
        fault("<a/> x"),
        Some(Fault::TextBetweenStanzas { byte: b'x' })
    );
    assert_eq!(
        fault("&#32;"),
        Some(Fault::TextBetweenStanzas { byte: b'&' })
    );
    assert_eq!(fault("\0"), Some(Fault::TextBetweenStanzas { byte: 0 }));
    assert_eq!(
        fault("\x0C"),
        Some(Fault::TextBetweenStanzas { byte: 0x0C })
    );
    assert_eq!(
        fault("<![CDATA[ ]]>"),
        Some(Fault::Unexpected { byte: b'[', at: 2 })
    );
}

/// XML 1.0 §3 (Element Type Match)
#[test]
fn the_stream_ends_with_the_name_it_began_with() {
    assert_eq!(fault_in_stream(Limits::DEFAULT, "</stream:stream>"), None);
    for end in ["</stream>", "</stream:streams>", "</x:stream>", "</>"] {
        let fault = fault_in_stream(Limits::DEFAULT, end);
        assert_eq!(fault, Some(Fault::EndTagMismatch { at: 2 }), "{end}");
    }
    let odd = "<s:stream xmlns:s='http://etherx.jabber.org/streams'><a/></s:stream>";
    assert_eq!(read(odd).events.len(), 3);
    let before_header = read("</stream:stream>");
    assert_eq!(
        before_header.fault,
        Some(Fault::Unexpected { byte: b'/', at: 1 })
    );
}

/// RFC 6120 §4.4, §4.9.1.1
#[test]
fn nothing_but_white_space_follows_the_end_or_a_fault() {
    let fault = fault_in_stream(Limits::DEFAULT, "</stream:stream> \n<a/>");
    assert_eq!(fault, Some(Fault::AfterEnd { byte: b'<' }));

    let mut scanner = Scanner::new(Limits::DEFAULT);
    let mut input = BytesMut::from("<a><!-- -->");
    assert!(matches!(scanner.next(&mut input), Ok(Some(Event::Open(_)))));
    assert!(matches!(
        scanner.next(&mut input),
        Err(Fault::Restricted { .. })
    ));
    assert!(matches!(
        scanner.next(&mut input),
        Err(Fault::AfterEnd { byte: b'<' })
    ));
}

/// RFC 6120 §4.3.3
#[test]
fn a_restart_begins_a_stream_with_nothing_of_the_old_one() {
    let mut scanner = Scanner::new(Limits::DEFAULT);
    let with_prefix = HEADER.replace("xmlns:stream", "xmlns:x='urn:x' xmlns:stream");
    assert_eq!(
        read_with(&mut scanner, &[with_prefix.as_bytes(), b"<x:a/><b"]).fault,
        None
    );
    scanner.restart();
    let again = format!("<?xml version='1.0'?>{HEADER}<x:a/>");
    let transcript = read_with(&mut scanner, &[again.as_bytes()]);
    assert_eq!(transcript.events.len(), 1);
    assert_eq!(transcript.fault, Some(Fault::UnboundPrefix { at: 1 }));
}

/// RFC 6120 §6.3.5 forbids it; go-sendxmpp does it.
#[test]
fn white_space_at_the_end_of_a_stream_is_not_the_beginning_of_the_next() {
    let next = format!("\n<?xml version='1.0'?>{HEADER}");
    for pieces in [
        vec![next.as_bytes()],
        next.as_bytes().chunks(1).collect::<Vec<_>>(),
    ] {
        let mut scanner = Scanner::new(Limits::DEFAULT);
        assert_eq!(read_with(&mut scanner, &[HEADER.as_bytes()]).fault, None);
        scanner.restart();
        let transcript = read_with(&mut scanner, &pieces);
        assert_eq!(transcript.fault, None);
        assert_eq!(transcript.events.len(), 1);
    }
    let at_once = read_with(&mut Scanner::new(Limits::DEFAULT), &[next.as_bytes()]);
    assert!(at_once.fault.is_some());
}

/// RFC 6120 §13.12, XEP-0478
#[test]
fn a_stanza_is_refused_at_the_first_byte_over_the_limit() {
    for (before, filling, after) in LONG_TOKENS {
        let stanza = format!("{before}{}{after}", filling.repeat(150));
        let limit = stanza.len() as u32;
        let limits = Limits {
            stanza_bytes: limit,
            ..Limits::NONE
        };
        assert_eq!(fault_in_stream(limits, &stanza), None, "{before}{filling}");

        let limits = Limits {
            stanza_bytes: limit - 1,
            ..Limits::NONE
        };
        let too_large = Some(Fault::StanzaTooLarge {
            got: limit,
            limit: limit - 1,
        });
        assert_eq!(
            fault_in_stream(limits, &stanza),
            too_large,
            "{before}{filling}"
        );
        let endless = format!("{before}{}", filling.repeat(200));
        let (up_to_limit, rest) = endless.as_bytes().split_at(limit as usize - 1);
        assert_eq!(
            fault_in_stream(limits, up_to_limit),
            None,
            "{before}{filling}"
        );
        let with_one_more = [up_to_limit, &rest[..1]].concat();
        assert_eq!(
            fault_in_stream(limits, with_one_more),
            too_large,
            "{before}{filling}"
        );
    }
}

/// RFC 6120 §13.12: nobody may be allowed less than 10,000 bytes
#[test]
fn ten_thousand_bytes_are_fine_under_every_limit() {
    let stanza = format!("<a>{}</a>", "x".repeat(10_000 - "<a></a>".len()));
    for limits in [Limits::BEFORE_AUTHENTICATION, Limits::DEFAULT, Limits::NONE] {
        let pieces = [HEADER.as_bytes(), stanza.as_bytes()];
        assert_eq!(read_with(&mut Scanner::new(limits), &pieces).fault, None);
    }
}

/// XEP-0478: the limit is on stanzas; the header is held to the same
#[test]
fn headers_and_declarations_are_limited_like_stanzas() {
    let limits = Limits {
        stanza_bytes: 50,
        ..Limits::DEFAULT
    };
    let too_large = Some(Fault::StanzaTooLarge { got: 51, limit: 50 });
    assert_eq!(
        read_under(limits, format!("<a b='{}'>", "x".repeat(50))).fault,
        too_large
    );
    assert_eq!(
        read_under(limits, format!("<?xml {}", " ".repeat(50))).fault,
        too_large
    );
    assert_eq!(
        read_under(limits, format!("<a></a{}", " ".repeat(50))).fault,
        too_large
    );
    // White space between stanzas keeps connections alive (RFC 6120 §4.6.1) and is not kept.
    assert_eq!(
        read_under(limits, format!("{:200}<a>{:200}<b/>", "", "")).fault,
        None
    );
}

/// RFC 6120 §13.12
#[test]
fn each_number_in_a_stanza_has_its_limit() {
    let limits = Limits {
        depth: 3,
        elements: 5,
        attributes: 4,
        namespaces: 3,
        ..Limits::DEFAULT
    };
    let fault = |stanza: &str| fault_in_stream(limits, stanza);

    assert_eq!(fault("<a><a><a/><a></a></a></a>"), None);
    let too_deep = Some(Fault::TooDeep { got: 4, limit: 3 });
    assert_eq!(fault("<a><a><a><a>"), too_deep);
    assert_eq!(fault("<a><a><a><a/>"), too_deep);

    assert_eq!(fault("<a><a/><a/><a/><a/></a><a/>"), None);
    let too_many = Some(Fault::TooManyElements { got: 6, limit: 5 });
    assert_eq!(fault("<a><a/><a/><a/><a/><a/>"), too_many);

    assert_eq!(fault("<a b='' c='' d='' e=''/>"), None);
    let too_many = Some(Fault::TooManyAttributes { got: 5, limit: 4 });
    assert_eq!(fault("<a b='' c='' d='' e='' xmlns=''"), too_many);

    assert_eq!(
        fault("<a xmlns:a='u' xmlns:b='u'><a xmlns='u'/><a xmlns='u'/></a>"),
        None
    );
    let too_many = Some(Fault::TooManyNamespaces { got: 4, limit: 3 });
    assert_eq!(
        fault("<a xmlns:a='u' xmlns:b='u'><a xmlns:b='u'><a xmlns=''>"),
        too_many
    );

    let longest = "http://etherx.jabber.org/streams".len() as u32;
    let limits = Limits {
        namespace_bytes: longest,
        ..Limits::DEFAULT
    };
    let name = format!("&amp;{}&#65;", "x".repeat(longest as usize - 2));
    assert_eq!(
        fault_in_stream(limits, format!("<a xmlns='{name}'/>")),
        None
    );
    let too_long = Some(Fault::NamespaceTooLong {
        got: longest + 1,
        limit: longest,
    });
    assert_eq!(
        fault_in_stream(limits, format!("<a xmlns:a='{name}x'/>")),
        too_long
    );
}

/// Before authentication the limits are far tighter
#[test]
fn other_limits_hold_from_the_next_byte_on() {
    let mut scanner = Scanner::new(Limits {
        stanza_bytes: 300,
        ..Limits::DEFAULT
    });
    let mut input = BytesMut::from(HEADER);
    assert!(matches!(scanner.next(&mut input), Ok(Some(Event::Open(_)))));
    scanner.set_limits(Limits {
        stanza_bytes: 400,
        ..Limits::DEFAULT
    });
    let long = format!("<a>{}</a>", "x".repeat(350));
    assert_eq!(read_with(&mut scanner, &[long.as_bytes()]).events.len(), 1);

    let mut input = BytesMut::from("<a>0123456789");
    assert!(matches!(scanner.next(&mut input), Ok(None)));
    scanner.set_limits(Limits {
        stanza_bytes: 10,
        ..Limits::DEFAULT
    });
    let fault = scanner
        .next(&mut input)
        .expect_err("there are more than that already");
    assert_eq!(fault, Fault::StanzaTooLarge { got: 11, limit: 10 });
}

/// An idle session keeps nothing it does not need
#[test]
fn an_idle_scanner_is_sixty_four_bytes_and_nothing_else() {
    const { assert!(size_of::<Scanner>() <= 64) };
    for declarations in [
        "xmlns='jabber:client'",
        "xmlns='jabber:server'",
        "xmlns='jabber:server' xmlns:db='jabber:server:dialback'",
        "xmlns:db='jabber:server:dialback' xmlns='jabber:server'",
        "xmlns='jabber:component:accept'",
    ] {
        let header = format!(
            "<stream:stream {declarations} xml:lang='en' \
             xmlns:stream='http://etherx.jabber.org/streams'>"
        );
        let mut scanner = Scanner::new(Limits::DEFAULT);
        read_with(&mut scanner, &[header.as_bytes(), b"<a>", b"</a> "]);
        assert!(matches!(scanner.scope, Scope::Usual(_)), "{declarations}");
        assert!(scanner.pass.is_some());
        scanner.release();
        assert!(scanner.pass.is_none());
        assert_eq!(scanner.stage, Stage::Stanzas);
    }
}

/// Memory may only be given back where nothing is lost
#[test]
fn scratch_memory_is_kept_within_a_stanza() {
    let mut scanner = Scanner::new(Limits::DEFAULT);
    let mut input = BytesMut::from(HEADER);
    assert!(scanner.is_between_stanzas());
    assert!(matches!(scanner.next(&mut input), Ok(Some(Event::Open(_)))));
    input.extend_from_slice(b"\n<a><b/>");
    assert!(matches!(scanner.next(&mut input), Ok(None)));
    assert!(!scanner.is_between_stanzas());
    scanner.release();
    assert!(scanner.pass.is_some());
    input.extend_from_slice(b"<c/></a>");
    let Ok(Some(Event::Element(element))) = scanner.next(&mut input) else {
        panic!("no stanza")
    };
    assert_eq!(element.children().count(), 2);
    assert!(scanner.is_between_stanzas());
}

/// The header's buffer must not live as long as the stream
#[test]
fn an_unusual_header_is_remembered_by_a_copy() {
    let mut scanner = Scanner::new(Limits::DEFAULT);
    let mut input = BytesMut::from("<s xmlns='u' xmlns:p='v'>");
    let Ok(Some(Event::Open(header))) = scanner.next(&mut input) else {
        panic!("no header")
    };
    assert!(matches!(scanner.scope, Scope::Other(_)));
    let raw = header.raw().clone();
    drop((header, input));
    assert!(raw.is_unique());
}

/// Counts what the passes over a stream that arrives byte by byte have to do.
fn work_in_bytes(stanza: &str) -> usize {
    let mut scanner = Scanner::new(Limits::NONE);
    let mut input = BytesMut::from(HEADER);
    assert!(matches!(scanner.next(&mut input), Ok(Some(Event::Open(_)))));
    let before = scanner.pass.as_ref().map_or(0, |pass| pass.work);
    for &byte in stanza.as_bytes() {
        input.extend_from_slice(&[byte]);
        let event = scanner
            .next(&mut input)
            .expect("there is nothing wrong with it");
        assert_eq!(event.is_some(), input.is_empty());
    }
    scanner.pass.as_ref().map_or(0, |pass| pass.work) - before
}

/// CVE-2021-32918: a peer that takes its time must not take ours
#[test]
fn a_byte_costs_the_same_however_long_the_token_is_that_it_belongs_to() {
    for (before, filling, after) in LONG_TOKENS {
        for times in [100, 10_000] {
            let stanza = format!("{before}{}{after}", filling.repeat(times));
            let work = work_in_bytes(&stanza);
            assert!(
                work <= 8 * stanza.len(),
                "{work} for {} of {filling:?}",
                stanza.len()
            );
        }
    }
}

/// RFC 6120 §13.12: a peer decides how much it sends, not how much is kept of it
#[test]
fn memory_grows_with_what_is_sent_and_no_faster() {
    const RECORD: usize = size_of::<Record>();
    const { assert!(RECORD <= 40) };
    for (before, filling, after) in [
        ("<a>", "<b/>", "</a>"),
        ("<a>", "<b xmlns='&amp;'/>", "</a>"),
        ("<a>", "<p:b xmlns:p='u' p:c='' p:d=''/>", "</a>"),
        ("<a>", "<![CDATA[]]>&amp;", "</a>"),
        ("<a b='", "&amp;", "'/>"),
    ] {
        let stanza = format!("{before}{}{after}", filling.repeat(8000));
        let mut scanner = Scanner::new(Limits::DEFAULT);
        read_with(&mut scanner, &[HEADER.as_bytes(), stanza.as_bytes()]);
        let memory = scanner.pass.as_ref().map_or(0, |pass| pass.memory());
        assert!(
            memory <= 8000 * 2 * RECORD + 32 * 1024,
            "{memory} for {filling}"
        );
        assert!(
            memory <= 20 * stanza.len() + 32 * 1024,
            "{memory} for {filling}"
        );
    }
}
