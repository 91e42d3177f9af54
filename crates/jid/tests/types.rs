//! The three types and the ways between them.

use std::collections::{BTreeSet, HashMap};

use anser_jid::{BareJid, Flaw, FullJid, Jid, JidError, Part};

/// Two words and four offsets
#[test]
fn an_address_takes_24_bytes_with_or_without_option() {
    assert_eq!(size_of::<Jid>(), 24);
    assert_eq!(size_of::<Option<BareJid>>(), 24);
    assert_eq!(size_of::<Option<FullJid>>(), 24);
}

#[test]
fn what_is_made_from_an_address_shares_its_text() {
    let full = FullJid::parse("juliet@example.com/balcony").unwrap();
    let text = full.as_str().as_bytes().as_ptr_range();
    for derived in [
        Jid::from(full.to_bare()),
        full.to_domain().into(),
        full.clone().into(),
    ] {
        assert!(text.contains(&derived.as_str().as_ptr()), "{derived}");
    }
}

#[test]
fn a_derived_address_equals_one_that_was_read() {
    let full = FullJid::parse("juliet@example.com/balcony").unwrap();
    assert_eq!(
        full.to_bare(),
        BareJid::parse("juliet@example.com").unwrap()
    );
    assert_eq!(full.to_domain(), BareJid::parse("example.com").unwrap());
    assert_eq!(full.to_bare().to_domain(), full.to_domain());
    let bare = full.to_bare();
    assert_eq!(
        (bare.local(), bare.domain()),
        (Some("juliet"), "example.com")
    );
    assert_eq!(Jid::from(bare).resource(), None);
    let domain = full.to_domain();
    assert_eq!((domain.local(), domain.domain()), (None, "example.com"));
}

#[test]
fn a_resource_is_prepared_and_replaces_the_one_there_was() {
    let room = BareJid::new(Some("Room"), "Example.com").unwrap();
    let occupant = room.with_resource("nick\u{a0}name").unwrap();
    assert_eq!(occupant.to_string(), "room@example.com/nick name");
    assert_eq!(occupant.resource(), "nick name");
    assert_eq!(
        occupant.with_resource("b").unwrap().to_string(),
        "room@example.com/b"
    );
    let flaw = Flaw::Forbidden('\t');
    assert_eq!(
        room.with_resource("a\t"),
        Err(JidError {
            part: Part::Resource,
            at: 1,
            flaw
        })
    );
}

#[test]
fn parts_make_the_same_address_as_text() {
    for (local, domain) in [(None, "example.com"), (Some("juliet"), "example.com")] {
        let jid = BareJid::new(local, domain).unwrap();
        assert_eq!((jid.local(), jid.domain()), (local, domain));
        assert_eq!(BareJid::parse(jid.as_str()), Ok(jid));
    }
    let flaw = Flaw::Forbidden('@');
    let error = JidError {
        part: Part::Local,
        at: 1,
        flaw,
    };
    assert_eq!(BareJid::new(Some("a@b"), "example.com"), Err(error));
    assert_eq!(
        BareJid::new(Some(""), "b").map_err(|error| error.flaw),
        Err(Flaw::Empty)
    );
    assert_eq!(
        BareJid::new(None, "b/c").map_err(|error| error.flaw),
        Err(Flaw::Label)
    );
}

#[test]
fn a_type_refuses_the_addresses_of_the_other() {
    let unwanted = JidError {
        part: Part::Resource,
        at: 4,
        flaw: Flaw::Unwanted,
    };
    assert_eq!(BareJid::parse("a@b/c"), Err(unwanted));
    let missing = JidError {
        part: Part::Resource,
        at: 3,
        flaw: Flaw::Missing,
    };
    assert_eq!(FullJid::parse("a@b"), Err(missing));
    let full = FullJid::parse("a@b/c").unwrap();
    assert_eq!(
        BareJid::try_from(Jid::from(full.clone())),
        Err(full.clone())
    );
    assert_eq!(
        FullJid::try_from(Jid::from(full.to_bare())),
        Err(full.to_bare())
    );
    assert_eq!(FullJid::try_from(Jid::from(full.clone())), Ok(full));
}

#[test]
fn an_address_says_what_it_is() {
    for (text, is_bare, is_domain) in [
        ("b", true, true),
        ("b/c", false, false),
        ("a@b", true, false),
        ("a@b/c", false, false),
    ] {
        let jid = Jid::parse(text).unwrap();
        assert_eq!(
            (jid.is_bare(), jid.is_domain()),
            (is_bare, is_domain),
            "{text}"
        );
    }
}

#[test]
fn a_map_of_bare_addresses_is_asked_with_the_text_of_any_address() {
    let full = FullJid::parse("juliet@example.com/balcony").unwrap();
    let accounts = HashMap::from([(full.to_bare(), 1), (full.to_domain(), 2)]);
    assert_eq!(accounts.get(full.bare_str()), Some(&1));
    assert_eq!(accounts.get(Jid::from(full.clone()).bare_str()), Some(&1));
    assert_eq!(accounts.get(full.domain()), Some(&2));
    assert_eq!(accounts.get("romeo@example.com"), None);
}

#[test]
fn addresses_are_ordered_as_their_text() {
    let texts = ["a@b", "a@b/c", "b", "b/c"];
    let jids: BTreeSet<Jid> = texts
        .iter()
        .rev()
        .map(|text| text.parse().unwrap())
        .collect();
    assert!(jids.iter().map(Jid::as_str).eq(texts));
}

#[test]
fn an_address_is_shown_as_text() {
    let jid = Jid::parse("a@b/c").unwrap();
    assert_eq!(format!("{jid} {jid:>6} {jid:?}"), r#"a@b/c  a@b/c "a@b/c""#);
    let error = Jid::parse("a&b@c").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the localpart at byte 1 may not contain '&'"
    );
}
