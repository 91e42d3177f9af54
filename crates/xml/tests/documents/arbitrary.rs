//! Bytes of all kinds under small limits.

use anser_xml::{Element, Event, Limits, Scanner};
use bytes::BytesMut;

use crate::generator;
use crate::random::Random;

const INPUTS: usize = 60_000;

fn limits(random: &mut Random) -> Limits {
    Limits {
        stanza_bytes: 60 + random.below(400) as u32,
        depth: 1 + random.below(6) as u32,
        elements: 1 + random.below(12) as u32,
        attributes: 4 + random.below(2) as u32,
        namespaces: 3 + random.below(3) as u32,
        namespace_bytes: 36 + random.below(4) as u32,
    }
}

/// A stream, or a header that is accepted, so that what follows is looked at, and then anything.
fn input(random: &mut Random) -> Vec<u8> {
    #[rustfmt::skip] // a table reads as a table
    const PARTS: &[&str] = &[
        "<", ">", "/", "/>", "</", "'", "\"", "=", " ", "\n", "a", "b", ":", "&", ";", "#",
        "&amp;", "&#", "x41", "]]>", "<![CDATA[", "<!--", "<?", "xmlns", "xmlns:p='u'", "p:",
        "\u{FFFE}", "é", "<a>", "</a>", "<a b='c'", "<p:a xmlns:p='u'>", "</p:a>", "\0", "\r",
    ];
    if random.one_in(2) {
        let mut document = generator::stream(random);
        if random.one_in(2) {
            generator::mutate(random, &mut document);
        }
        return document;
    }
    let mut input = b"<s xmlns='jabber:client' xmlns:q='urn:q'>".to_vec();
    for _ in 0..random.below(60) {
        if random.one_in(10) {
            input.push(random.below(256) as u8);
        } else {
            input.extend_from_slice(random.pick(PARTS).as_bytes());
        }
    }
    input
}

/// Nothing that a client can send may panic, and every input has a limit
#[test]
fn arbitrary_bytes_neither_panic_nor_pass_a_limit() {
    let random = &mut Random::new(3);
    let (mut elements, mut faults) = (0, 0);
    for _ in 0..INPUTS {
        let limits = limits(random);
        let bytes = input(random);
        let mut scanner = Scanner::new(limits);
        let mut buffer = BytesMut::new();
        let mut rest = &bytes[..];
        let mut is_sound = true;
        while is_sound && !rest.is_empty() {
            let (piece, later) = rest.split_at((1 + random.below(50)).min(rest.len()));
            buffer.extend_from_slice(piece);
            rest = later;
            is_sound = loop {
                match scanner.next(&mut buffer) {
                    Ok(Some(Event::Element(element))) => {
                        elements += 1;
                        assert_within(&element, &limits);
                    }
                    Ok(Some(Event::Open(_) | Event::Close)) => {}
                    Ok(None) => break true,
                    Err(_) => break false,
                }
            };
            assert!(!is_sound || buffer.len() <= limits.stanza_bytes as usize);
        }
        faults += usize::from(!is_sound);
    }
    crate::record(&format!(
        "{INPUTS} inputs: {elements} stanzas, {faults} faults"
    ));
}

fn assert_within(stanza: &Element, limits: &Limits) {
    assert!(stanza.raw().len() <= limits.stanza_bytes as usize);
    let mut count = 0;
    visit(stanza, 1, &mut |element, depth| {
        count += 1;
        assert!(depth <= limits.depth);
        assert!(element.attributes().count() <= limits.attributes as usize);
        assert!(element.namespace().len() <= limits.namespace_bytes as usize);
        // Each child can borrow all the declarations there are, those of the header included.
        let declarations = 2 * limits.namespaces as usize;
        let most = declarations * (limits.namespace_bytes as usize * 6 + element.raw().len());
        let content = element.content();
        assert!(content.len() <= element.raw().len() + element.children().count() * most);
    });
    assert!(count <= limits.elements);
}

fn visit(element: &Element, depth: u32, look: &mut impl FnMut(&Element, u32)) {
    look(element, depth);
    for child in element.children() {
        visit(&child.open(), depth + 1, look);
    }
}
