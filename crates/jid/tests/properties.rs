//! What holds for every text.

use anser_jid::{BareJid, FullJid, Jid};
use proptest::prelude::*;

/// Characters that the rules treat in some special way, beside any others.
fn part() -> impl Strategy<Value = String> {
    let special = "aAzZ09-._~ @/\\\"&'<>:[]ßẞςΣσİıſÅéÉẹ\u{301}\u{307}\u{323}ＡｶﾞⅣﬁ℀㎏♚🤔\
        ٠۰١·lL・カ漢\u{375}α׳אבךب\u{64e}ދި\u{200c}\u{200d}\u{94d}कन\u{ad}\u{fe0f}\u{180f}\u{a0}\u{3000}\
        。．｡\u{1100}\u{1161}각ᎠꭰႠა𞤀𞤢ǅᾈΐ\u{345}\u{378}\u{e000}xn--";
    let special: Vec<char> = special.chars().collect();
    let character = prop_oneof![
        8 => proptest::sample::select(special),
        1 => any::<char>(),
        4 => proptest::char::range('a', 'z'),
    ];
    proptest::collection::vec(character, 0..12).prop_map(String::from_iter)
}

fn text() -> impl Strategy<Value = String> {
    let label = prop_oneof![part(), "xn--[a-z0-9-]{1,12}", "[a-zA-Z0-9-]{1,12}"];
    let domain = proptest::collection::vec(label, 1..4).prop_map(|labels| labels.join("."));
    (
        proptest::option::of(part()),
        domain,
        proptest::option::of(part()),
    )
        .prop_map(|(local, domain, resource)| {
            let local = local.map_or(String::new(), |local| local + "@");
            let resource = resource.map_or(String::new(), |resource| format!("/{resource}"));
            local + &domain + &resource
        })
}

/// Every part can be read again by itself and stays as it is.
fn assert_stable(jid: &Jid) {
    assert_eq!(Jid::parse(jid.as_str()).as_ref(), Ok(jid));
    let bare = BareJid::new(jid.local(), jid.domain()).expect("prepared parts are valid");
    assert_eq!(bare.as_str(), jid.bare_str());
    assert_eq!(bare, jid.to_bare());
    if let Some(resource) = jid.resource() {
        let full = bare
            .with_resource(resource)
            .expect("a prepared resource is valid");
        assert_eq!(full.as_str(), jid.as_str());
        assert_eq!(FullJid::parse(jid.as_str()), Ok(full));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// RFC 8266 §2.1
    #[test]
    fn preparing_a_prepared_address_changes_nothing(text in text()) {
        if let Ok(jid) = Jid::parse(&text) {
            assert_stable(&jid);
        }
    }

    #[test]
    fn any_text_is_read_or_refused_at_a_position_within_it(text in any::<String>()) {
        match Jid::parse(&text) {
            Ok(jid) => assert_stable(&jid),
            Err(error) => prop_assert!(text.is_char_boundary(error.at), "{error}"),
        }
    }

    #[test]
    fn a_refusal_points_at_a_character_of_the_text(text in text()) {
        if let Err(error) = Jid::parse(&text) {
            prop_assert!(text.is_char_boundary(error.at), "{error}");
        }
    }

    #[test]
    fn ascii_addresses_are_lower_cased_and_no_more(
        local in "[a-zA-Z0-9._=+%#!-]{1,20}",
        domain in "[a-zA-Z0-9]([a-zA-Z0-9]{0,5}[a-zA-Z0-9])?(\\.[a-zA-Z]{1,8}){0,3}",
        resource in "[ -~]{1,20}",
    ) {
        let jid = Jid::parse(&format!("{local}@{domain}/{resource}")).expect("all of it is allowed");
        let bare = format!("{local}@{domain}").to_ascii_lowercase();
        prop_assert_eq!(jid.bare_str(), bare);
        prop_assert_eq!(jid.resource(), Some(resource.as_str()));
    }

    /// RFC 5890 §2.3.2.1
    #[test]
    fn a_u_label_and_its_a_label_are_one_domain(label in part()) {
        if let Ok(jid) = BareJid::new(None, &format!("{label}.example")) {
            let ascii = idna::domain_to_ascii(jid.domain()).expect("a prepared domain has one");
            prop_assert_eq!(BareJid::new(None, &ascii), Ok(jid));
        }
    }
}
