//! What messages carry, by the examples of the specifications: what is kept,
//! what is copied, what is new to read.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_jid::BareJid;
use anser_store::Page;
use anser_tests::script::{Script, address};

/// What becomes of a message: whether it goes into logs and waits for whoever is
/// away, and whether the sender's other devices get a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fate {
    is_kept: bool,
    is_copied: bool,
}

const KEPT_AND_COPIED: Fate = Fate {
    is_kept: true,
    is_copied: true,
};
const COPIED: Fate = Fate {
    is_kept: false,
    is_copied: true,
};
const KEPT: Fate = Fate {
    is_kept: true,
    is_copied: false,
};
const PASSED_ON: Fate = Fate {
    is_kept: false,
    is_copied: false,
};

/// The specification, the type of its example, what that carries, and what
/// becomes of it. Chat and normal messages of the same content are both here if
/// the type makes a difference.
const EXAMPLES: &[(&str, &str, &str, Fate)] = &[
    (
        "XEP-0085 §6, example 3",
        "chat",
        "<body>Who's there?</body><active xmlns='http://jabber.org/protocol/chatstates'/>",
        KEPT_AND_COPIED,
    ),
    (
        "XEP-0085 §6, example 5",
        "chat",
        "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
        COPIED,
    ),
    (
        "XEP-0085 §7, with a thread",
        "chat",
        "<thread>act2scene2chat1</thread><gone xmlns='http://jabber.org/protocol/chatstates'/>",
        COPIED,
    ),
    (
        "XEP-0334 §4.4: typing that its sender wants kept",
        "chat",
        "<paused xmlns='http://jabber.org/protocol/chatstates'/><store xmlns='urn:xmpp:hints'/>",
        KEPT_AND_COPIED,
    ),
    (
        "XEP-0085 in a message of no type",
        "normal",
        "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
        COPIED,
    ),
    (
        "XEP-0184 §7, example 3",
        "normal",
        "<body>My lord, dispatch; read o'er these articles.</body>\
         <request xmlns='urn:xmpp:receipts'/>",
        KEPT_AND_COPIED,
    ),
    (
        "XEP-0184 §7, example 4",
        "normal",
        "<received xmlns='urn:xmpp:receipts' id='richard2-4.1.247'/>",
        KEPT_AND_COPIED,
    ),
    (
        "XEP-0184 with nothing to receive",
        "chat",
        "<composing xmlns='http://jabber.org/protocol/chatstates'/>\
         <request xmlns='urn:xmpp:receipts'/>",
        COPIED,
    ),
    (
        "XEP-0308 §3, example 3",
        "normal",
        "<body>But soft, what light through yonder airlock breaks?</body>",
        KEPT_AND_COPIED,
    ),
    (
        "XEP-0308 §3, example 4",
        "normal",
        "<body>But soft, what light through yonder window breaks?</body>\
         <replace id='bad1' xmlns='urn:xmpp:message-correct:0'/>",
        KEPT_AND_COPIED,
    ),
    (
        "XEP-0333 §4.1, example 3",
        "normal",
        "<body>Hi. How are you?</body><markable xmlns='urn:xmpp:chat-markers:0'/>\
         <request xmlns='urn:xmpp:receipts'/>",
        KEPT_AND_COPIED,
    ),
    (
        "XEP-0333 §4.2, example 4",
        "normal",
        "<displayed xmlns='urn:xmpp:chat-markers:0' id='the-msg-1'/>",
        KEPT_AND_COPIED,
    ),
    (
        "XEP-0334 §3.1, example 1",
        "normal",
        "<body>V unir avtug'f pybnx gb uvqr zr sebz gurve fvtug</body>\
         <no-copy xmlns=\"urn:xmpp:hints\"/><no-store xmlns=\"urn:xmpp:hints\"/>",
        PASSED_ON,
    ),
    (
        "XEP-0280 §9, example 14",
        "chat",
        "<body>Neither, fair saint, if either thee dislike.</body>\
         <thread>0e3141cd80894871a68e6fe6b1ec56fa</thread>\
         <private xmlns='urn:xmpp:carbons:2'/><no-copy xmlns='urn:xmpp:hints'/>",
        KEPT,
    ),
    (
        "XEP-0384 §5.5.3",
        "normal",
        "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='27183'>\
         <keys jid='juliet@capulet.lit'><key rid='31415'>b64/encoded/data</key></keys>\
         <keys jid='romeo@montague.lit'><key rid='1337'>b64/encoded/data</key>\
         <key kex='true' rid='12321'>b64/encoded/data</key></keys></header>\
         <payload>base64/encoded/message/key/encrypted/envelope/element</payload></encrypted>\
         <store xmlns='urn:xmpp:hints'/>",
        KEPT_AND_COPIED,
    ),
    (
        "XEP-0384 §5.5.3 without a hint",
        "normal",
        "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='27183'/><payload>x</payload></encrypted>",
        KEPT_AND_COPIED,
    ),
    (
        "XEP-0384 §5.5.3, an empty message",
        "normal",
        "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='27183'><keys jid='juliet@capulet.lit'>\
         <key rid='31415'>b64/encoded/data</key></keys></header></encrypted>\
         <store xmlns='urn:xmpp:hints'/>",
        KEPT_AND_COPIED,
    ),
    (
        "XEP-0384 §5.5.3, an empty message without a hint",
        "normal",
        "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='27183'/></encrypted>",
        KEPT_AND_COPIED,
    ),
    (
        "XEP-0384 0.3 with XEP-0380",
        "chat",
        "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='27183'>\
         <key rid='31415'>BASE64ENCODED...</key><iv>BASE64ENCODED...</iv></header>\
         <payload>BASE64ENCODED</payload></encrypted>\
         <encryption xmlns='urn:xmpp:eme:0' namespace='eu.siacs.conversations.axolotl'/>\
         <body>You received a message encrypted with OMEMO</body>\
         <store xmlns='urn:xmpp:hints'/>",
        KEPT_AND_COPIED,
    ),
    (
        "XEP-0424 §3, example 4",
        "chat",
        "<retract id=\"wrong-recipient-1\" xmlns='urn:xmpp:message-retract:1'/>\
         <fallback xmlns=\"urn:xmpp:fallback:0\" for='urn:xmpp:message-retract:1'/>\
         <body>/me retracted a previous message, but it's unsupported by your client.</body>\
         <store xmlns=\"urn:xmpp:hints\"/>",
        KEPT_AND_COPIED,
    ),
    (
        "XEP-0444 §3.1, example 5",
        "chat",
        "<reactions id='744f6e18-a57a-11e9-a656-4889e7820c76' xmlns='urn:xmpp:reactions:0'>\
         <reaction>👋</reaction></reactions><store xmlns=\"urn:xmpp:hints\"/>",
        KEPT_AND_COPIED,
    ),
    (
        "XEP-0444 §3.2, example 6 without a hint and a type",
        "normal",
        "<reactions id='744f6e18-a57a-11e9-a656-4889e7820c76' xmlns='urn:xmpp:reactions:0'>\
         <reaction>👋</reaction><reaction>🐢</reaction></reactions>",
        KEPT_AND_COPIED,
    ),
    (
        "XEP-0444 §3.2, example 7",
        "chat",
        "<reactions id='744f6e18-a57a-11e9-a656-4889e7820c76' xmlns='urn:xmpp:reactions:0'/>\
         <store xmlns=\"urn:xmpp:hints\"/>",
        KEPT_AND_COPIED,
    ),
    (
        "XEP-0461 §3, example 3",
        "chat",
        "<body>Great idea!</body>\
         <reply to='anna@example.com/tablet' id='message-id1' xmlns='urn:xmpp:reply:0' />",
        KEPT_AND_COPIED,
    ),
    (
        "XEP-0461 §3.1, example 4",
        "chat",
        "<body>\n    > Anna wrote:\n    > We should bake a cake\n    Great idea!\n  </body>\
         <reply to='anna@example.com/laptop' id='message-id1' xmlns='urn:xmpp:reply:0' />\
         <fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'>\
         <body start=\"0\" end=\"38\" /></fallback>",
        KEPT_AND_COPIED,
    ),
    (
        "XEP-0353 §3.1, example 1",
        "chat",
        "<propose xmlns='urn:xmpp:jingle-message:0' id='ca3cf894-5325-482f-a412-a6e9f832298d'>\
         <description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>\
         <store xmlns=\"urn:xmpp:hints\"/>",
        KEPT_AND_COPIED,
    ),
    (
        "XEP-0249 §2, example 1",
        "normal",
        "<x xmlns='jabber:x:conference' jid='darkcave@macbeth.shakespeare.lit' \
         password='cauldronburn' reason='Hey Hecate, this is the place for all good witches!'/>",
        KEPT_AND_COPIED,
    ),
    (
        "whatever nobody knows",
        "normal",
        "<x xmlns='urn:x'/>",
        KEPT,
    ),
];

/// How many messages are in a log.
fn kept(script: &mut Script, owner: &str) -> usize {
    let owner: BareJid = owner.parse().unwrap();
    let store = script.world.store().clone();
    let read = async move {
        store
            .read(move |view| view.places(&owner, &Page::oldest(99)))
            .await
    };
    script.world.complete(read).unwrap().len()
}

fn message(to: &str, kind: &str, payload: &str) -> String {
    format!("<message to='{to}' type='{kind}' id='m'>{payload}</message>")
}

/// Alice, who has a laptop with copies, writes to Bob, who is away.
#[test]
fn the_examples_of_the_specifications_are_kept_and_copied_by_their_rules() {
    for (name, kind, payload, fate) in EXAMPLES {
        let mut script = Script::new(&["alice", "bob"]);
        script.appear("alice", "alice@example.org/phone");
        script.appear("laptop", "alice@example.org/laptop");
        script.send(
            "laptop",
            "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>",
        );
        script.forget("laptop");
        script.send("alice", &message("bob@example.org", kind, payload));
        let copy = String::from_utf8(script.receive_bytes("laptop").to_vec()).unwrap();
        assert_eq!(copy.contains(payload), fate.is_copied, "{name}: {copy}");
        assert_eq!(copy.is_empty(), !fate.is_copied, "{name}: {copy}");
        let places = ["alice", "bob"].map(|user| kept(&mut script, &address(user)));
        assert_eq!(places, [usize::from(fate.is_kept); 2], "{name}");
        script.log_in("bob", "bob@example.org/phone");
        script.send("bob", "<presence/>");
        let late = String::from_utf8(script.receive_bytes("bob").to_vec()).unwrap();
        assert_eq!(late.contains(payload), fate.is_kept, "{name}: {late}");
    }
}

/// RFC 6121 §8.5.2: whoever is there gets all of them, as they are.
#[test]
fn the_examples_of_the_specifications_are_carried_as_they_are() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.appear("bob", "bob@example.org/phone");
    for (name, kind, payload, fate) in EXAMPLES {
        script.send("alice", &message("bob@example.org", kind, payload));
        let live = String::from_utf8(script.receive_bytes("bob").to_vec()).unwrap();
        let end = match fate.is_kept {
            true => format!("{payload}<stanza-id xmlns='urn:xmpp:sid:0' by='bob@example.org' "),
            false => format!("{payload}</message>"),
        };
        assert!(live.contains(&end), "{name}: {live}");
    }
}

/// XEP-0045 §7.4, XEP-0313 §6.1.2, XEP-0280 §6.1: all in the room get them as they
/// are, the room keeps them by the same rules, and a device that is not in it gets
/// no copy.
#[test]
fn the_examples_of_the_specifications_are_the_same_in_a_room() {
    const COVEN: &str = "coven@rooms.example.org";
    let mut script = Script::new(&["alice", "bob"]);
    for (actor, address) in [
        ("alice", "alice@example.org/phone"),
        ("bob", "bob@example.org/phone"),
    ] {
        script.appear(actor, address);
        script.send(
            actor,
            &format!(
                "<presence to='{COVEN}/{actor}'><x xmlns='http://jabber.org/protocol/muc'/></presence>\
                 <iq type='set' id='c' to='{COVEN}'><query xmlns='http://jabber.org/protocol/muc#owner'>\
                 <x xmlns='jabber:x:data' type='submit'/></query></iq>"
            ),
        );
    }
    for user in ["alice", "bob"] {
        let laptop = format!("{user}'s laptop");
        script.appear(&laptop, &format!("{user}@example.org/laptop"));
        let enable = "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>";
        script.send(&laptop, enable);
        script.forget(&laptop);
        script.forget(user);
    }
    for (name, _, payload, fate) in EXAMPLES {
        let before = kept(&mut script, COVEN);
        script.send("alice", &message(COVEN, "groupchat", payload));
        let end = match fate.is_kept {
            true => format!("{payload}<stanza-id xmlns='urn:xmpp:sid:0' by='{COVEN}' "),
            false => format!("{payload}<occupant-id "),
        };
        for actor in ["alice", "bob"] {
            let heard = String::from_utf8(script.receive_bytes(actor).to_vec()).unwrap();
            assert!(heard.contains(&end), "{name}: {heard}");
            script.expect_nothing(&format!("{actor}'s laptop"));
        }
        let after = kept(&mut script, COVEN);
        assert_eq!(after - before, usize::from(fate.is_kept), "{name}");
    }
}
