//! Changes to an input that keep it mostly well-formed: what clients say comes in where it can
//! stand. Whoever wants it malformed has libFuzzer's own changes.

use crate::ESCAPE;
use crate::play::Command;
use anser_tests::world::Dice;
use std::ops::Range;

/// What can stand between tags: in a stream as well as in a stanza, where most of it means nothing.
#[rustfmt::skip] // a table reads as a table
const ELEMENTS: &[&[u8]] = &[
    b"<message to='bob@example.org' type='chat' id='m'><body>x</body></message>",
    b"<message to='alice@example.org/laptop'><body>x</body></message>",
    b"<message to='bob@example.org/phone' type='headline'><subject>x</subject></message>",
    b"<message to='alice@example.org' type='normal'><body>x</body></message>",
    b"<presence/>",
    b"<presence type='unavailable'/>",
    b"<presence><show>dnd</show><status>x</status><priority>1</priority></presence>",
    b"<presence><priority>-1</priority></presence>",
    b"<presence to='bob@example.org' type='subscribe'/>",
    b"<presence to='bob@example.org' type='subscribed'/>",
    b"<presence to='bob@example.org' type='unsubscribe'/>",
    b"<presence to='bob@example.org' type='unsubscribed'/>",
    b"<presence to='alice@example.org/laptop'/>",
    b"<presence to='bob@example.org' type='probe'/>",
    b"<iq type='get' id='a'><query xmlns='jabber:iq:roster' ver='1'/></iq>",
    b"<iq type='set' id='b'><query xmlns='jabber:iq:roster'><item jid='bob@example.org' name='x'><group>x</group></item></query></iq>",
    b"<iq type='set' id='c'><query xmlns='jabber:iq:roster'><item jid='bob@example.org' subscription='remove'/></query></iq>",
    b"<iq type='get' id='d' to='example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
    b"<iq type='get' id='e' to='bob@example.org'><query xmlns='http://jabber.org/protocol/disco#items' node='x'/></iq>",
    b"<iq type='get' id='f' to='bob@example.org/phone'><ping xmlns='urn:xmpp:ping'/></iq>",
    b"<iq type='result' id='f' to='alice@example.org/phone'/>",
    b"<iq type='get' id='g' to='example.org'><time xmlns='urn:xmpp:time'/></iq>",
    b"<iq type='get' id='h' to='example.org'><query xmlns='jabber:iq:version'/></iq>",
    b"<iq type='set' id='i'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
    b"<iq type='set' id='j'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>laptop</resource></bind></iq>",
    b"<iq type='set' id='k'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
    b"<enable xmlns='urn:xmpp:sm:3' resume='true'/>",
    b"<enable xmlns='urn:xmpp:sm:3'/>",
    b"<resume xmlns='urn:xmpp:sm:3' h='0' previd='\xFFi'/>",
    b"<r xmlns='urn:xmpp:sm:3'/>",
    b"<a xmlns='urn:xmpp:sm:3' h='1'/>",
    b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='example.org'>",
    b"</stream:stream>",
    b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFsaWNlAHBlbmNpbA==</auth>",
    b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>biwsbj1hbGljZSxyPWFiYw==</auth>",
    b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1-PLUS'/>",
    b"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</response>",
    b"<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    b"<body>x</body>",
    b"<thread>x</thread>",
    b"<error type='cancel'/>",
    b"<item jid='alice@example.org'/>",
    b"<group>x</group>",
    b"<stanza-id xmlns='urn:xmpp:sid:0' by='bob@example.org' id='1'/>",
    b"<stanza-id xmlns='urn:xmpp:sid:0' by='ALICE@example.org' id='1'/>",
    b"<delay xmlns='urn:xmpp:delay' from='example.org' stamp='2000-01-01T00:00:00Z'/>",
    b"<store xmlns='urn:xmpp:hints'/>",
    b"<no-store xmlns='urn:xmpp:hints'/>",
    b"<no-permanent-store xmlns='urn:xmpp:hints'/>",
    b"<composing xmlns='http://jabber.org/protocol/chatstates'/>",
    b"<p:x xmlns:p='urn:p' xmlns='urn:q' p:y='1'><z/></p:x>",
    b"<presence to='coven@rooms.example.org/alice'><x xmlns='http://jabber.org/protocol/muc'/></presence>",
    b"<presence to='coven@rooms.example.org/hecate'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='3'/><password>x</password></x></presence>",
    b"<presence to='coven@rooms.example.org/hecate'><show>away</show></presence>",
    b"<presence to='coven@rooms.example.org/alice' type='unavailable'/>",
    b"<message to='coven@rooms.example.org' type='groupchat' id='n'><body>x</body></message>",
    b"<message to='coven@rooms.example.org' type='groupchat'><subject>x</subject></message>",
    b"<message to='coven@rooms.example.org/alice' type='chat'><body>x</body><x xmlns='http://jabber.org/protocol/muc#user'/></message>",
    b"<message to='coven@rooms.example.org'><x xmlns='http://jabber.org/protocol/muc#user'><invite to='bob@example.org'><reason>x</reason></invite></x></message>",
    b"<message to='coven@rooms.example.org'><x xmlns='http://jabber.org/protocol/muc#user'><decline to='bob@example.org'/></x></message>",
    b"<message to='coven@rooms.example.org'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#request</value></field><field var='muc#role'><value>participant</value></field></x></message>",
    b"<iq type='get' id='l' to='coven@rooms.example.org'><query xmlns='http://jabber.org/protocol/muc#owner'/></iq>",
    b"<iq type='set' id='m' to='coven@rooms.example.org'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>",
    b"<iq type='set' id='n' to='coven@rooms.example.org'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field><field var='muc#roomconfig_persistentroom'><value>1</value></field><field var='muc#roomconfig_moderatedroom'><value>1</value></field><field var='muc#roomconfig_whois'><value>anyone</value></field></x></query></iq>",
    b"<iq type='set' id='o' to='coven@rooms.example.org'><query xmlns='http://jabber.org/protocol/muc#owner'><destroy jid='den@rooms.example.org'><reason>x</reason></destroy></query></iq>",
    b"<iq type='set' id='p' to='coven@rooms.example.org'><query xmlns='http://jabber.org/protocol/muc#admin'><item nick='alice' role='visitor'/><item jid='bob@example.org' affiliation='member' nick='bob'/></query></iq>",
    b"<iq type='get' id='q' to='coven@rooms.example.org'><query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='member'/></query></iq>",
    b"<iq type='get' id='r' to='coven@rooms.example.org'><query xmlns='jabber:iq:register'/></iq>",
    b"<iq type='get' id='s' to='rooms.example.org'><query xmlns='http://jabber.org/protocol/disco#items'><set xmlns='http://jabber.org/protocol/rsm'><max>1</max><before/></set></query></iq>",
    b"<iq type='get' id='t' to='coven@rooms.example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
    b"<iq type='get' id='u' to='rooms.example.org'><search xmlns='urn:xmpp:channel-search:0:search'><x xmlns='jabber:x:data' type='submit'><field var='q'><value>x</value></field></x></search></iq>",
    b"<iq type='set' id='v' to='coven@rooms.example.org'><command xmlns='http://jabber.org/protocol/commands' node='urn:xmpp:hats:commands:list' action='execute'/></iq>",
    b"<iq type='set' id='w' to='coven@rooms.example.org'><moderate xmlns='urn:xmpp:message-moderate:1' id='1'><retract xmlns='urn:xmpp:message-retract:1'/><reason>x</reason></moderate></iq>",
    b"<iq type='set' id='x' to='coven@rooms.example.org'><query xmlns='urn:xmpp:mam:2' queryid='x'><set xmlns='http://jabber.org/protocol/rsm'><max>5</max><before/></set></query></iq>",
    b"<iq type='set' id='y'><query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field><field var='with'><value>bob@example.org</value></field><field var='start'><value>2026-01-01T00:00:00Z</value></field></x><flip-page/></query></iq>",
    b"<iq type='get' id='z'><metadata xmlns='urn:xmpp:mam:2'/></iq>",
    b"<iq type='set' id='A'><prefs xmlns='urn:xmpp:mam:2' default='never'><always><jid>bob@example.org</jid></always><never/></prefs></iq>",
    b"<iq type='set' id='B'><enable xmlns='urn:xmpp:carbons:2'/></iq>",
    b"<iq type='set' id='C'><block xmlns='urn:xmpp:blocking'><item jid='bob@example.org'/></block></iq>",
    b"<iq type='set' id='D'><unblock xmlns='urn:xmpp:blocking'/></iq>",
    b"<iq type='get' id='E'><blocklist xmlns='urn:xmpp:blocking'/></iq>",
    b"<iq type='set' id='F'><query xmlns='jabber:iq:private'><x xmlns='urn:x'>x</x></query></iq>",
    b"<iq type='get' id='G'><query xmlns='jabber:iq:private'><x xmlns='urn:x'/></query></iq>",
    b"<iq type='set' id='H' to='coven@rooms.example.org'><vCard xmlns='vcard-temp'><PHOTO><TYPE>image/png</TYPE><BINVAL>AAAA</BINVAL></PHOTO></vCard></iq>",
    b"<inactive xmlns='urn:xmpp:csi:0'/>",
    b"<active xmlns='urn:xmpp:csi:0'/>",
    b"<retract xmlns='urn:xmpp:message-retract:1' id='n'/>",
    b"<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>",
    b"<private xmlns='urn:xmpp:carbons:2'/>",
    b"<x xmlns='jabber:x:conference' jid='coven@rooms.example.org'/>",
    b"<occupant-id xmlns='urn:xmpp:occupant-id:0' id='x'/>",
    b"<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='bob@example.org'><body>x</body></message></forwarded>",
    b"<field var='muc#roomconfig_membersonly'><value>1</value></field>",
    b"<item nick='alice' affiliation='owner' role='moderator'/>",
    b"<stream:error><bad-format xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
    b"<![CDATA[<x>]]>",
    b"&lt;",
];

#[rustfmt::skip] // a table reads as a table
const ATTRIBUTES: &[&str] = &[
    "to", "from", "id", "type", "xml:lang", "xmlns", "xmlns:p", "p:x", "jid", "by", "h", "previd",
    "resume", "ver", "node", "subscription", "name", "version", "mechanism", "nick", "role",
    "affiliation", "var", "queryid", "maxchars", "maxstanzas", "seconds", "since", "action",
];

#[rustfmt::skip] // a table reads as a table
const VALUES: &[&str] = &[
    "", LONG, "0", "1", "4294967295", "true", "en", "x&amp;&apos;&#13;<",
    "alice@example.org", "alice@example.org/phone", "alice@example.org/laptop", "ALICE@Example.Org",
    "bob@example.org", "bob@example.org/phone", "BOB@example.org.", "nobody@example.org",
    "example.org", "EXAMPLE.ORG", "example.com", "a@example.com/b", "@", "é@ß.example",
    "coven@rooms.example.org", "coven@rooms.example.org/alice", "den@rooms.example.org/bob",
    "rooms.example.org", "owner", "admin", "member", "outcast", "none", "moderator", "participant",
    "visitor", "submit", "form", "cancel", "execute", "complete", "muc#roomconfig_whois",
    "http://jabber.org/protocol/muc#user", "2026-11-20T00:00:00Z",
    "get", "set", "result", "error", "chat", "groupchat", "headline", "normal", "probe",
    "subscribe", "subscribed", "unsubscribe", "unsubscribed", "unavailable", "remove", "both",
    "jabber:client", "jabber:server", "jabber:iq:roster", "urn:xmpp:sm:3", "urn:p", "1.0",
];

/// Longer when it is written than it was when it came.
const LONG: &str = match str::from_utf8(&[b'"'; 240]) {
    Ok(text) => text,
    Err(_) => "",
};

/// Changes an input in one place.
pub(crate) fn mutate(input: &mut Vec<u8>, dice: &mut Dice) {
    if input.is_empty() {
        input.push(dice.below(256) as u8);
    }
    match dice.below(8) {
        0..3 => insert_element(input, dice),
        3 => insert_command(input, dice),
        4 => set_attribute(input, dice),
        5 => set_value(input, dice),
        6 => repeat_piece(input, dice),
        _ => drop_piece(input, dice),
    }
}

fn insert_element(input: &mut Vec<u8>, dice: &mut Dice) {
    let at = between_tags(input, dice);
    input.splice(at..at, pick(ELEMENTS, dice).iter().copied());
}

fn insert_command(input: &mut Vec<u8>, dice: &mut Dice) {
    let at = between_tags(input, dice);
    let (name, command) = *pick(Command::ALL, dice);
    let argument = match command {
        Command::Pass => Some(dice.below(256) as u8),
        _ => None,
    };
    input.splice(at..at, [ESCAPE, name].into_iter().chain(argument));
}

/// Gives some tag an attribute, or another value to one that it has.
fn set_attribute(input: &mut Vec<u8>, dice: &mut Dice) {
    let end = between_tags(input, dice) - 1;
    let start = input[..end].iter().rposition(|&byte| byte == b'<');
    let (Some(start), Some(b'>')) = (start, input.get(end)) else {
        return;
    };
    let begin = format!(" {}='", pick(ATTRIBUTES, dice));
    let found = find(&input[start..end], begin.as_bytes());
    let value = pick(VALUES, dice);
    match found {
        Some(at) => replace_value(input, start + at + begin.len(), value),
        None => {
            let end = end - usize::from(input[end - 1] == b'/');
            let attribute = format!("{begin}{value}'");
            input.splice(end..end, attribute.bytes());
        }
    }
}

fn set_value(input: &mut Vec<u8>, dice: &mut Dice) {
    let from = dice.below(input.len());
    if let Some(at) = find(&input[from..], b"='") {
        let value = *pick(VALUES, dice);
        replace_value(input, from + at + 2, value);
    }
}

/// Replaces the rest of a value that has begun at `at`.
fn replace_value(input: &mut Vec<u8>, at: usize, value: &str) {
    if let Some(length) = input[at..].iter().position(|&byte| byte == b'\'') {
        input.splice(at..at + length, value.bytes());
    }
}

fn repeat_piece(input: &mut Vec<u8>, dice: &mut Dice) {
    let piece = input[piece(input, dice)].to_vec();
    let at = between_tags(input, dice);
    input.splice(at..at, piece);
}

fn drop_piece(input: &mut Vec<u8>, dice: &mut Dice) {
    input.drain(piece(input, dice));
}

/// Everything between two tags.
fn piece(input: &[u8], dice: &mut Dice) -> Range<usize> {
    let (one, other) = (between_tags(input, dice), between_tags(input, dice));
    one.min(other)..one.max(other)
}

/// A place behind a tag, or at the end.
fn between_tags(input: &[u8], dice: &mut Dice) -> usize {
    let from = 1 + dice.below(input.len());
    let tag_ends = input[from..].iter().position(|&byte| byte == b'>');
    tag_ends.map_or(input.len(), |offset| from + offset + 1)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|found| found == wanted)
}

fn pick<'a, T>(table: &'a [T], dice: &mut Dice) -> &'a T {
    &table[dice.below(table.len())]
}
