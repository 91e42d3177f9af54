//! What XMPP does without in XML (RFC 6120 §11.1): entity expansion took servers
//! down with a few hundred bytes.

use crate::expect_stream_error;
use anser_tests::script::{PLAINTEXT, Script};

/// A stream on which so much has happened.
#[derive(Debug, Clone, Copy)]
enum Stage {
    Opened,
    Authenticated,
    Bound,
}

impl Stage {
    const ALL: [Self; 3] = [Self::Opened, Self::Authenticated, Self::Bound];

    /// Alice at this stage, and Bob, who sees it if she gets any further.
    fn script(self) -> Script {
        let mut script = Script::new(&["alice", "bob"]);
        script.appear("bob", "bob@example.org/phone");
        match self {
            Self::Opened => {
                script.connect("alice", PLAINTEXT);
                script.restart("alice");
                let _features = script.receive("alice");
            }
            Self::Authenticated => {
                let _features = script.authenticate("alice", "alice");
            }
            Self::Bound => script.appear("alice", "alice@example.org/phone"),
        }
        script
    }
}

/// CVE-2011-1753 and kin, at every stage of a stream. RFC 6120 §11.1: comments,
/// processing instructions, DTDs and references to other entities than the five.
#[test]
fn what_xmpp_does_without_ends_the_stream_wherever_it_stands() {
    for stage in Stage::ALL {
        for sent in [
            "<!DOCTYPE message>",
            "<!DOCTYPE message SYSTEM 'http://127.0.0.1/message.dtd'>",
            "<!ENTITY a 'b'>",
            "<!-- between stanzas -->",
            "<?target between stanzas?>",
            "<?xml version='1.0'?>",
            "<message><!-- in a stanza --></message>",
            "<message><body>x<!-- in a text --></body></message>",
            "<message><?target in a stanza?></message>",
            "<message><!DOCTYPE body></message>",
            "<message to='bob@example.org'><body>&undeclared;</body></message>",
            "<message to='bob@example.org' id='&undeclared;'/>",
            "<message xmlns:x='&undeclared;'/>",
        ] {
            let mut script = stage.script();
            script.send("alice", sent);
            expect_stream_error(&mut script, "alice", "restricted-xml");
            script.expect_nothing("bob");
        }
    }
}

/// CVE-2022-0217, CVE-2011-2205: the bomb is refused before its fuse is read,
/// so that nothing is there that could expand.
#[test]
fn a_bomb_of_entities_is_refused_at_its_first_declaration() {
    let mut declarations = String::from("<!ENTITY a0 'lol'>");
    for level in 1..30 {
        let below = level - 1;
        declarations += &format!("<!ENTITY a{level} '&a{below};&a{below};'>");
    }
    let bomb = format!("<!DOCTYPE lolz [{declarations}]><message><body>&a29;</body></message>");
    for stage in Stage::ALL {
        let mut script = stage.script();
        let (head, rest) = bomb.split_at("<!DOCTYPE".len());
        script.send("alice", head);
        expect_stream_error(&mut script, "alice", "restricted-xml");
        script.send("alice", rest);
        script.expect_closed("alice");
    }
}

/// RFC 6120 §4.9.3.13: what is no XML is told apart from what XMPP does without.
#[test]
fn what_is_no_xml_ends_the_stream_as_not_well_formed() {
    for stage in Stage::ALL {
        for sent in [
            "<message><body></message>",
            "<message><body>a & b</body></message>",
            "<message><body>&lt</body></message>",
            "<message><body>&;</body></message>",
            "<message id=1/>",
            "<message id='<'/>",
            "<message><body>]]></body></message>",
            "<![CDATA[between stanzas]]>",
            "between stanzas",
            "</message>",
        ] {
            let mut script = stage.script();
            script.send("alice", sent);
            expect_stream_error(&mut script, "alice", "not-well-formed");
            script.expect_nothing("bob");
        }
    }
}
