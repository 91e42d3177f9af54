//! Searching for rooms (XEP-0433).

use super::{JOIN, coven, field};
use anser_hub::RoomConfig;
use anser_jid::BareJid;
use anser_tests::script::Script;
use anser_xml::Element;
use std::fmt::Write;

const NUSERS: &str = "{urn:xmpp:channel-search:0:order}nusers";
const ADDRESS: &str = "{urn:xmpp:channel-search:0:order}address";

/// Makes rooms that nobody is in, with these names.
fn make(script: &mut Script, rooms: &[(&str, RoomConfig)]) {
    let rooms = rooms.iter().map(|(local, config)| {
        let address = BareJid::parse(&format!("{local}@rooms.example.org")).unwrap();
        (address, config.clone(), Vec::new())
    });
    let rooms: Vec<_> = rooms.collect();
    let (hub, now) = (
        std::sync::Arc::clone(script.world.hub()),
        script.world.now(),
    );
    let made = script
        .world
        .complete(async move { hub.create_rooms(&rooms, now).await });
    made.unwrap();
}

fn called(name: &str) -> RoomConfig {
    RoomConfig {
        name: name.into(),
        ..RoomConfig::default()
    }
}

fn hidden() -> RoomConfig {
    RoomConfig {
        public: false,
        ..called("Dark and hidden")
    }
}

/// What Bob gets for a form, and for a wish for a page.
fn ask(script: &mut Script, fields: &str, page: &str) -> Element {
    let about = field("FORM_TYPE", "urn:xmpp:channel-search:0:search-params");
    script.send(
        "bob",
        &format!(
            "<iq type='get' id='s' to='rooms.example.org'>\
             <search xmlns='urn:xmpp:channel-search:0:search'>\
             <set xmlns='http://jabber.org/protocol/rsm'>{page}</set>\
             <x xmlns='jabber:x:data' type='submit'>{about}{fields}</x></search></iq>"
        ),
    );
    script.receive("bob")
}

/// The addresses of what was found, without their common end.
fn found(answer: &Element) -> Vec<String> {
    assert_eq!(
        answer.attribute("type").as_deref(),
        Some("result"),
        "{answer:?}"
    );
    let result = answer.child("urn:xmpp:channel-search:0:search", "result");
    let result = result.unwrap().open();
    let items = result.children().filter(|child| child.name() == "item");
    let local = |item: anser_xml::Child<'_>| {
        let address = item.attribute("address").unwrap();
        address.split('@').next().unwrap().to_owned()
    };
    items.map(local).collect()
}

/// Where the page ends.
fn last(answer: &Element) -> Option<String> {
    let result = answer.child("urn:xmpp:channel-search:0:search", "result");
    let set = result?.child("http://jabber.org/protocol/rsm", "set")?;
    let last = set.child("http://jabber.org/protocol/rsm", "last")?;
    Some(last.text().into_owned())
}

/// Everything, page for page.
fn all_pages(script: &mut Script, fields: &str, max: usize) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut page = format!("<max>{max}</max>");
    loop {
        let answer = ask(script, fields, &page);
        let Some(last) = last(&answer) else {
            return pages;
        };
        pages.push(found(&answer));
        page = format!("<max>{max}</max><after>{last}</after>");
    }
}

/// XEP-0433 §4.1, §4.2.1
#[test]
fn the_service_has_a_form_to_search_with() {
    let mut script = coven();
    script.play(
        "
        bob C: <iq type='get' id='d' to='rooms.example.org'>
            <query xmlns='http://jabber.org/protocol/disco#info'/></iq>
        bob S: <iq type='result' id='d'><query xmlns='http://jabber.org/protocol/disco#info'>
            <feature var='urn:xmpp:channel-search:0:search'/></query></iq>
        bob C: <iq type='get' id='f' to='rooms.example.org'>
            <search xmlns='urn:xmpp:channel-search:0:search'/></iq>
        bob S: <iq type='result' id='f'><search xmlns='urn:xmpp:channel-search:0:search'>
            <x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE' type='hidden'>
            <value>urn:xmpp:channel-search:0:search-params</value></field>
            <field var='q' type='text-single'/><field var='all' type='boolean'/>
            <field var='sinname' type='boolean'><value>1</value></field>
            <field var='sindescription' type='boolean'><value>1</value></field>
            <field var='sinaddress' type='boolean'><value>1</value></field>
            <field var='types' type='list-multi'><value>xep-0045</value></field>
            <field var='key' type='list-single'>
            <value>{urn:xmpp:channel-search:0:order}nusers</value></field></x></search></iq>
        bob C: <iq type='get' id='n' to='coven@rooms.example.org'>
            <search xmlns='urn:xmpp:channel-search:0:search'/></iq>
        bob S: <iq type='error' id='n'><error type='cancel'>
            <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        ",
    );
}

/// XEP-0433 §4.2.2, §6.2
#[test]
fn words_are_searched_for_in_what_everybody_may_know() {
    let mut script = coven();
    let cave = RoomConfig {
        description: "For witches, and their cats".into(),
        lang: "en".into(),
        ..called("A Dark Cave")
    };
    let moor = RoomConfig {
        members_only: true,
        whois: anser_hub::Whois::Anyone,
        ..called("The DARK moor")
    };
    make(
        &mut script,
        &[("cave", cave), ("moor", moor), ("lair", hidden())],
    );
    let search = |script: &mut Script, fields: &str| found(&ask(script, fields, ""));
    assert_eq!(search(&mut script, &field("q", "dark")), ["cave", "moor"]);
    assert_eq!(search(&mut script, &field("q", "DARK cave")), ["cave"]);
    assert_eq!(search(&mut script, &field("q", "cats moor")), [""; 0]);
    let no_name = field("sinname", "0");
    assert_eq!(
        search(&mut script, &(field("q", "moor") + &no_name)),
        ["moor"]
    );
    let no_address = field("sinaddress", "0");
    let only_texts = field("q", "moor") + &no_name + &no_address;
    assert_eq!(search(&mut script, &only_texts), [""; 0]);
    assert_eq!(
        search(&mut script, &(field("q", "cats") + &no_name)),
        ["cave"]
    );
    let other = field("q", "dark") + &field("types", "xep-0369");
    assert_eq!(search(&mut script, &other), [""; 0]);
    let both = "<field var='types'><value>xep-0369</value><value>xep-0045</value></field>";
    assert_eq!(search(&mut script, &(field("q", "cats") + both)), ["cave"]);
    let answer = ask(&mut script, &field("q", "dark"), "");
    let text = format!("{answer:?}");
    for part in [
        "<item address='cave@rooms.example.org'><name>A Dark Cave</name>\
         <description>For witches, and their cats</description><language>en</language>\
         <nusers>0</nusers><service-type>xep-0045</service-type><is-open>true</is-open>\
         <anonymity-mode>muc_semianonymous</anonymity-mode></item>",
        "<is-open>false</is-open>\
         <anonymity-mode>{urn:xmpp:channel-search:0:anonymity}none</anonymity-mode></item>",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

/// XEP-0433 §6.1, table 2
#[test]
fn rooms_come_by_address_or_those_first_in_which_most_are() {
    let mut script = coven();
    let names = ["amber", "beryl", "coral", "dusk", "ember"];
    let rooms = names.map(|name| match name {
        "dusk" => (name, hidden()),
        name => (name, called(name)),
    });
    make(&mut script, &rooms);
    for (actor, rooms) in [
        ("bob", &["ember"][..]),
        ("carol", &["ember", "beryl", "dusk"]),
    ] {
        for room in rooms {
            script.send(
                actor,
                &format!("<presence to='{room}@rooms.example.org/{actor}'>{JOIN}</presence>"),
            );
        }
    }
    script.forget("bob");
    let by_address = field("all", "1") + &field("key", ADDRESS);
    let expected = ["amber", "beryl", "coral", "coven", "ember"];
    let by_users = field("all", "true") + &field("key", NUSERS);
    let occupied_first = ["ember", "beryl", "coven", "amber", "coral"];
    for max in [1, 2, 3, 5, 50] {
        let pages = all_pages(&mut script, &by_address, max);
        assert!(pages.iter().all(|page| page.len() <= max));
        assert_eq!(pages.concat(), expected, "{max}");
        let pages = all_pages(&mut script, &by_users, max);
        assert_eq!(pages.concat(), occupied_first, "{max}");
    }
    assert_eq!(
        found(&ask(&mut script, &field("all", "1"), "")),
        occupied_first
    );
    // XEP-0059 §2.2: a page on which nothing is has no ends.
    let after = "<max>0</max><after>beryl@rooms.example.org</after>";
    for nothing in ["<max>0</max>", after] {
        let nothing = ask(&mut script, &by_address, nothing);
        assert_eq!(found(&nothing), [""; 0]);
        assert_eq!(last(&nothing), None);
    }
}

/// XEP-0433 §4.2.2.2 to §4.2.2.7
#[test]
fn what_cannot_be_searched_for_is_refused_as_the_specification_says() {
    let mut script = coven();
    let mut nowhere = field("q", "dark");
    for place in ["sinname", "sindescription", "sinaddress"] {
        nowhere += &field(place, "0");
    }
    for (fields, kind, condition, detail) in [
        (
            field("q", "dark") + &field("key", "shoe-size"),
            "modify",
            "feature-not-implemented",
            "<invalid-sort-key xmlns='urn:xmpp:channel-search:0:error'/>",
        ),
        (
            field("q", "-"),
            "modify",
            "bad-request",
            "<invalid-search-terms xmlns='urn:xmpp:channel-search:0:error'/>",
        ),
        (
            field("q", "dark") + &field("all", "1"),
            "modify",
            "bad-request",
            "<conflicting-fields xmlns='urn:xmpp:channel-search:0:error'>\
             <var>all</var><var>q</var></conflicting-fields>",
        ),
        (
            nowhere,
            "modify",
            "bad-request",
            "<conflicting-fields xmlns='urn:xmpp:channel-search:0:error'><var>q</var>\
             <var>sinname</var></conflicting-fields>",
        ),
        (
            field("key", ADDRESS),
            "cancel",
            "bad-request",
            "<no-search-conditions xmlns='urn:xmpp:channel-search:0:error'/>",
        ),
        (field("all", "maybe"), "modify", "not-acceptable", ""),
        (field("FORM_TYPE", "x"), "modify", "bad-request", ""),
    ] {
        let about = field("FORM_TYPE", "urn:xmpp:channel-search:0:search-params");
        let about = if fields.contains("FORM_TYPE") {
            ""
        } else {
            &about
        };
        script.send(
            "bob",
            &format!(
                "<iq type='get' id='s' to='rooms.example.org'>\
                 <search xmlns='urn:xmpp:channel-search:0:search'>\
                 <x xmlns='jabber:x:data' type='submit'>{about}{fields}</x></search></iq>"
            ),
        );
        script.expect(
            "bob",
            &format!(
                "<iq type='error' id='s' from='rooms.example.org'><error type='{kind}'>\
                 <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>{detail}</error></iq>"
            ),
        );
    }
    for (page, condition) in [
        ("<after>@</after>", "item-not-found"),
        ("<max>x</max>", "bad-request"),
        ("<before/>", "feature-not-implemented"),
    ] {
        let refused = format!("{:?}", ask(&mut script, &field("all", "1"), page));
        assert!(refused.contains(condition), "{refused}");
    }
}

/// Not in a specification: a page is found by reading a bounded number of
/// records, and may be empty where more are to come.
#[test]
fn one_page_costs_no_more_than_so_many_records_and_none_is_left_out() {
    let mut script = coven();
    let mut rooms: Vec<(String, RoomConfig)> = Vec::new();
    for number in 0..5000 {
        let mut name = String::new();
        write!(name, "r{number:05}").unwrap();
        let is_found = number == 4500;
        let title = if is_found { "Needle" } else { "Hay" };
        rooms.push((name, called(title)));
    }
    let rooms: Vec<_> = rooms
        .iter()
        .map(|(name, config)| (name.as_str(), config.clone()))
        .collect();
    make(&mut script, &rooms);
    let fields = field("q", "needle") + &field("key", ADDRESS);
    let pages = all_pages(&mut script, &fields, 10);
    assert_eq!(pages[0], [""; 0]);
    assert_eq!(pages[1], ["r04500"]);
    assert_eq!(pages.len(), 2);
}
