//! Questions for a page (XEP-0059) that no client would ask: each is answered, with
//! an error or with what there is, and nothing comes of it (CVE-2011-4320, and the
//! statements that paging took into its own in ejabberd before 26.07).

use crate::leaks::server;
use anser_tests::client::{Client, error_of};
use anser_tests::program::Anser;
use anser_xml::{Child, Element};
use tempfile::TempDir;

const MAM: &str = "urn:xmpp:mam:2";

/// What somebody hopes will be part of a statement.
const HOSTILE: [&str; 12] = [
    "'",
    "' OR '1'='1",
    "'; DELETE FROM log; --",
    "\" OR \"\"=\"",
    "%",
    "%@rooms.localhost",
    "_@rooms.localhost",
    "--@rooms.localhost",
    "/* */",
    "x' UNION SELECT * FROM record --",
    "0 OR 1=1",
    "\\",
];

/// Wishes for a page, `ID` being one of these.
const SETS: [&str; 18] = [
    "<after>ID</after>",
    "<before>ID</before>",
    "<max>ID</max>",
    "<index>ID</index>",
    "<max>2</max><after>ID</after>",
    "<max>2</max><before>ID</before>",
    "<max>0</max><after>ID</after>",
    "<before/><after>ID</after>",
    "<max>1</max><max>ID</max>",
    "<after/>",
    "<before/>",
    "<after/><before/>",
    "<max/>",
    "<max>-1</max>",
    "<max>1.5</max>",
    "<max>99999999999999999999</max>",
    "<index>0</index>",
    "<set xmlns='http://jabber.org/protocol/rsm'><max>1</max></set>",
];

/// Somewhere that is read a page at a time: its address, and the question, with
/// `PAGE` where the page is named.
type List = (&'static str, String);

fn archives() -> [List; 2] {
    let archive = format!("<query xmlns='{MAM}'>PAGE</query>");
    [
        ("alice@localhost", archive.clone()),
        ("a@rooms.localhost", archive),
    ]
}

fn lists_of_rooms() -> [List; 2] {
    let items = "<query xmlns='http://jabber.org/protocol/disco#items'>PAGE</query>";
    let fields = "<field var='FORM_TYPE'><value>urn:xmpp:channel-search:0:search-params</value>\
         </field><field var='all'><value>1</value></field>";
    let search = format!(
        "<search xmlns='urn:xmpp:channel-search:0:search'>PAGE\
         <x xmlns='jabber:x:data' type='submit'>{fields}</x></search>"
    );
    [
        ("rooms.localhost", items.to_owned()),
        ("rooms.localhost", search),
    ]
}

/// Alice asks for a page; gives the texts of the messages or the addresses of the
/// rooms on it, or the name of the error.
fn ask(alice: &mut Client, (to, question): &List, page: &str) -> Result<Vec<String>, String> {
    let kind = if question.contains(MAM) { "set" } else { "get" };
    let question = question.replace("PAGE", page);
    let question = format!("<iq type='{kind}' id='q' to='{to}'>{question}</iq>");
    alice.send(&question).unwrap();
    let mut found = Vec::new();
    loop {
        let stanza = alice.next().unwrap();
        if stanza.name() == "iq" {
            assert_eq!(stanza.attribute("id").as_deref(), Some("q"));
            found.extend(rooms(&stanza));
            return error_of(&stanza).map_or(Ok(found), Err);
        }
        let text = String::from_utf8(stanza.raw().to_vec()).unwrap();
        let (_, body) = text.split_once("<body>").unwrap();
        found.push(body.split('<').next().unwrap().to_owned());
    }
}

fn rooms(answer: &Element) -> Vec<String> {
    let Some(list) = answer.children().next() else {
        return Vec::new();
    };
    let list = list.open();
    let items = list.children().filter(|child| child.name() == "item");
    let address = |item: Child<'_>| {
        let address = item.attribute("jid").or(item.attribute("address"));
        address.unwrap().into_owned()
    };
    items.map(address).collect()
}

/// Alice in the rooms `a` to `e`, with five messages in her archive and in that of
/// `a`: what the program makes of it, with its database.
fn five_of_everything() -> (Anser, TempDir, Client) {
    let (anser, folder) = server("[log]\nlevel = \"warn\"\n[rooms]\nburst_messages = 0\n");
    let mut alice = Client::log_in(&anser.plain(), "alice@localhost", "secret").unwrap();
    let muc = "http://jabber.org/protocol/muc";
    for name in ["a", "b", "c", "d", "e"] {
        let room = format!("{name}@rooms.localhost");
        let body = format!("<body>{name}</body>");
        let stanzas = format!(
            "<presence to='{room}/alice'><x xmlns='{muc}'/></presence>\
             <iq type='set' id='c' to='{room}'><query xmlns='{muc}#owner'>\
             <x xmlns='jabber:x:data' type='submit'/></query></iq>\
             <message to='a@rooms.localhost' type='groupchat'>{body}</message>\
             <message to='alice@localhost' type='chat'>{body}</message>"
        );
        alice.send(&stanzas).unwrap();
    }
    let own = alice.address().to_owned();
    let passing = "<no-store xmlns='urn:xmpp:hints'/>";
    alice
        .send(&format!("<message to='{own}' id='end'>{passing}</message>"))
        .unwrap();
    alice
        .wait_for(|stanza| stanza.attribute("id").as_deref() == Some("end"))
        .unwrap();
    (anser, folder, alice)
}

#[test]
fn a_page_that_no_client_would_ask_for_is_an_error_or_a_page() {
    let (_anser, _folder, mut alice) = five_of_everything();
    for list in archives().into_iter().chain(lists_of_rooms()) {
        let all = ask(&mut alice, &list, "").unwrap();
        assert_eq!(all.len(), 5, "{all:?}");
        for (set, id) in SETS.iter().flat_map(|set| HOSTILE.map(|id| (set, id))) {
            let set = set.replace("ID", id);
            let page = format!("<set xmlns='http://jabber.org/protocol/rsm'>{set}</set>");
            match ask(&mut alice, &list, &page) {
                Ok(page) => {
                    let mut rest = all.iter();
                    let is_part = page.iter().all(|found| rest.any(|one| one == found));
                    assert!(is_part, "{list:?} {set}: {page:?}");
                }
                Err(condition) => assert!(
                    ["bad-request", "item-not-found", "feature-not-implemented"]
                        .contains(&&*condition),
                    "{list:?} {set}: {condition}"
                ),
            }
        }
        assert_eq!(ask(&mut alice, &list, "").unwrap(), all);
    }
}

/// XEP-0313 §4.1: the same in the fields of a form.
#[test]
fn what_no_id_no_address_and_no_time_looks_like_is_not_looked_for() {
    let (_anser, _folder, mut alice) = five_of_everything();
    for list in archives() {
        for value in HOSTILE {
            for (var, expected) in [
                ("after-id", "item-not-found"),
                ("before-id", "item-not-found"),
                ("ids", "item-not-found"),
                ("with", "bad-request"),
                ("start", "bad-request"),
                ("end", "bad-request"),
            ] {
                let form = format!(
                    "<x xmlns='jabber:x:data' type='submit'>\
                     <field var='FORM_TYPE'><value>{MAM}</value></field>\
                     <field var='{var}'><value>{value}</value></field></x>"
                );
                let answer = ask(&mut alice, &list, &form);
                let is_address = var == "with" && value.contains('@');
                match is_address {
                    true => assert_eq!(answer, Ok(Vec::new()), "{value}"),
                    false => assert_eq!(answer, Err(expected.to_owned()), "{var} {value}"),
                }
            }
        }
        assert_eq!(ask(&mut alice, &list, "").unwrap().len(), 5);
    }
}
