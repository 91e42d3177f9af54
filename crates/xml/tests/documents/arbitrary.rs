//! Bytes of all kinds under small limits.

use anser_xml::Limits;

use crate::generator;
use crate::oracle::bounds;
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
        let outcome = bounds::check(&bytes, limits, || 1 + random.below(50));
        elements += outcome.elements;
        faults += usize::from(outcome.fault.is_some());
    }
    crate::record(&format!(
        "{INPUTS} inputs: {elements} stanzas, {faults} faults"
    ));
}
