//! What holds for every text.

mod invariants;

use anser_jid::Jid;
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn odd_text_is_refused_at_a_character_or_read_as_an_address_that_is_stable(text in text()) {
        invariants::check(&text);
    }

    #[test]
    fn any_text_is_refused_at_a_character_or_read_as_an_address_that_is_stable(
        text in any::<String>(),
    ) {
        invariants::check(&text);
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

    #[test]
    fn odd_labels_are_refused_at_a_character_or_read_as_a_domain_that_is_stable(label in part()) {
        invariants::check(&format!("{label}.example"));
    }
}
