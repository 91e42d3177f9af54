//! The examples of RFC 7622 §3.5, and what its §3 says of each part.

use anser_jid::{BareJid, Flaw, Jid, JidError, MAX_PART_BYTES, Part};

fn prepared(text: &str) -> String {
    Jid::parse(text)
        .unwrap_or_else(|error| panic!("{text:?}: {error}"))
        .to_string()
}

fn fault(text: &str) -> JidError {
    Jid::parse(text).expect_err(text)
}

/// RFC 7622 §3.5 table 1
#[test]
fn the_examples_of_addresses_are_addresses() {
    let examples: [(&str, Option<&str>, &str, Option<&str>); 15] = [
        ("juliet@example.com", Some("juliet"), "example.com", None),
        (
            "juliet@example.com/foo",
            Some("juliet"),
            "example.com",
            Some("foo"),
        ),
        (
            "juliet@example.com/foo bar",
            Some("juliet"),
            "example.com",
            Some("foo bar"),
        ),
        (
            "juliet@example.com/foo@bar",
            Some("juliet"),
            "example.com",
            Some("foo@bar"),
        ),
        (
            r"foo\20bar@example.com",
            Some(r"foo\20bar"),
            "example.com",
            None,
        ),
        (
            "fussball@example.com",
            Some("fussball"),
            "example.com",
            None,
        ),
        ("fußball@example.com", Some("fußball"), "example.com", None),
        ("π@example.com", Some("π"), "example.com", None),
        ("Σ@example.com/foo", Some("σ"), "example.com", Some("foo")),
        ("σ@example.com/foo", Some("σ"), "example.com", Some("foo")),
        ("ς@example.com/foo", Some("ς"), "example.com", Some("foo")),
        ("king@example.com/♚", Some("king"), "example.com", Some("♚")),
        ("example.com", None, "example.com", None),
        ("example.com/foobar", None, "example.com", Some("foobar")),
        (
            "a.example.com/b@example.net",
            None,
            "a.example.com",
            Some("b@example.net"),
        ),
    ];
    for (text, local, domain, resource) in examples {
        let jid: Jid = text.parse().expect(text);
        assert_eq!(
            (jid.local(), jid.domain(), jid.resource()),
            (local, domain, resource)
        );
    }
}

/// RFC 7622 §3.5 table 2, without example 18, which erratum 4560 withdraws
#[test]
fn the_examples_of_other_texts_are_refused_where_they_are_wrong() {
    for (text, part, at, flaw) in [
        (
            r#""juliet"@example.com"#,
            Part::Local,
            0,
            Flaw::Forbidden('"'),
        ),
        ("foo bar@example.com", Part::Local, 3, Flaw::Forbidden(' ')),
        ("@example.com/", Part::Local, 0, Flaw::Empty),
        ("henryⅣ@example.com", Part::Local, 5, Flaw::Forbidden('Ⅳ')),
        ("♚@example.com", Part::Local, 0, Flaw::Forbidden('♚')),
        ("juliet@", Part::Domain, 7, Flaw::Empty),
        ("/foobar", Part::Domain, 0, Flaw::Empty),
    ] {
        assert_eq!(fault(text), JidError { part, at, flaw }, "{text}");
    }
}

/// RFC 8265 §4.2 has no rule about them; RFC 7622 erratum 4560
#[test]
fn spaces_around_a_resource_are_part_of_it() {
    assert_eq!(
        Jid::parse("juliet@example.com/ foo ").unwrap().resource(),
        Some(" foo ")
    );
}

/// RFC 7622 §3.2
#[test]
fn the_first_slash_and_the_first_at_sign_before_it_divide_an_address() {
    let jid = Jid::parse("a@b/c/d@e/f").unwrap();
    assert_eq!(
        (jid.local(), jid.domain(), jid.resource()),
        (Some("a"), "b", Some("c/d@e/f"))
    );
    let two_at_signs = JidError {
        part: Part::Domain,
        at: 2,
        flaw: Flaw::Label,
    };
    assert_eq!(fault("a@b@c"), two_at_signs);
}

/// RFC 7622 §§3.2-3.4
#[test]
fn a_part_that_is_marked_but_empty_is_refused() {
    for (text, part, at) in [
        ("", Part::Domain, 0),
        ("@", Part::Local, 0),
        ("@b", Part::Local, 0),
        ("a@", Part::Domain, 2),
        ("a@/c", Part::Domain, 2),
        ("/", Part::Domain, 0),
        ("b/", Part::Resource, 2),
        ("a@b/", Part::Resource, 4),
    ] {
        assert_eq!(
            fault(text),
            JidError {
                part,
                at,
                flaw: Flaw::Empty
            },
            "{text:?}"
        );
    }
}

/// RFC 7622 §§3.2-3.4: the limit holds after preparation
#[test]
fn each_part_has_1_to_1023_bytes_once_prepared() {
    let label = "a".repeat(63);
    let domain = [label.as_str(); 16].join(".");
    assert_eq!(domain.len(), MAX_PART_BYTES);
    let local = "é".repeat(511) + "a";
    let full_width = "Ａ".repeat(1023);
    let resource = "e\u{301}".repeat(511) + "a";
    for part in [&local, &full_width, &"a".repeat(1023)] {
        let jid = Jid::parse(&format!("{part}@{domain}/{resource}")).unwrap();
        assert_eq!(jid.local().map(str::len), Some(MAX_PART_BYTES));
        assert_eq!(jid.domain().len(), MAX_PART_BYTES);
        assert_eq!(jid.resource().map(str::len), Some(MAX_PART_BYTES));
    }
}

/// RFC 7622 §§3.2-3.4
#[test]
fn one_byte_more_is_refused_with_the_numbers() {
    let over = "a".repeat(1024);
    let domain = ["a".repeat(63).as_str(); 15].join(".") + "." + &"a".repeat(62) + ".a";
    let flaw = Flaw::TooLong {
        got: 1024,
        limit: 1023,
    };
    for (text, part, at) in [
        (format!("{over}@b/c"), Part::Local, 0),
        (format!("{}@b/c", "é".repeat(512)), Part::Local, 0),
        (format!("{}@b/c", "Ａ".repeat(1024)), Part::Local, 0),
        (format!("a@{domain}/c"), Part::Domain, 2),
        (format!("a@b/{over}"), Part::Resource, 4),
        (format!("a@b/{}", "é".repeat(512)), Part::Resource, 4),
    ] {
        let got = fault(&text);
        assert_eq!((got.part, got.at), (part, at));
        assert!(
            matches!(
                got.flaw,
                Flaw::TooLong {
                    got: 1024 | 3072,
                    limit: 1023
                }
            ),
            "{got}"
        );
    }
    assert_eq!(
        fault(&over),
        JidError {
            part: Part::Domain,
            at: 0,
            flaw: Flaw::Label
        }
    );
    assert_eq!(flaw.to_string(), "has 1024 bytes and the limit is 1023");
}

/// RFC 7622 §3.3.1
#[test]
fn the_local_part_excludes_eight_characters_that_precis_allows() {
    for excluded in ['"', '&', '\'', ':', '<', '>'] {
        let flaw = Flaw::Forbidden(excluded);
        let text = format!("ab{excluded}c@example.com");
        assert_eq!(
            fault(&text),
            JidError {
                part: Part::Local,
                at: 2,
                flaw
            }
        );
    }
    assert_eq!(
        fault("a\"♚@b").flaw,
        Flaw::Forbidden('"'),
        "the first of two"
    );
    for excluded in ["a/b", "a@b"] {
        assert!(
            BareJid::new(Some(excluded), "example.com").is_err(),
            "{excluded}"
        );
    }
    assert_eq!(
        prepared("!#$%()*+,-.;=?[\\]^_`{|}~@b"),
        "!#$%()*+,-.;=?[\\]^_`{|}~@b"
    );
}

/// RFC 8265 §3.3: the width mapping comes first, so it brings nothing in
#[test]
fn a_full_width_separator_does_not_become_a_separator() {
    for text in ["a＠b@example.com", "a／b@example.com", "a＜b@example.com"] {
        let got = fault(text);
        assert_eq!((got.part, got.at), (Part::Local, 1), "{text}");
    }
    for text in ["a@b／c", "b＠c", "b℀c", "a@b：c"] {
        assert_eq!(fault(text).part, Part::Domain, "{text}");
    }
    assert_eq!(Jid::parse("b/ｃ＠／").unwrap().resource(), Some("ｃ＠／"));
}

/// RFC 8265 §3.3
#[test]
fn local_parts_are_compared_without_case_and_width() {
    for (given, same) in [
        ("Juliet@b", "juliet@b"),
        ("ＪＵＬＩＥＴ@b", "juliet@b"),
        ("ÉMILE@b", "e\u{301}mile@b"),
        ("ЮЛИЯ@b", "юлия@b"),
        ("ΣΟΦΟΣ@b", "σοφοσ@b"),
        ("ẞ@b", "ß@b"),
        ("ｶﾀｶﾅ@b", "カタカナ@b"),
        ("ᎠᎡ@b", "ꭰꭱ@b"),
        ("𞤀@b", "𞤢@b"),
    ] {
        assert_eq!(Jid::parse(given), Jid::parse(same), "{given}");
    }
    assert_ne!(Jid::parse("fußball@b"), Jid::parse("fussball@b"));
    assert_ne!(Jid::parse("ς@b"), Jid::parse("σ@b"));
}

/// RFC 8265 §4.2
#[test]
fn resources_keep_case_and_width_but_not_exotic_spaces() {
    assert_eq!(prepared("b/Ｒ"), "b/Ｒ");
    assert_ne!(Jid::parse("b/R"), Jid::parse("b/r"));
    assert_eq!(prepared("b/a\u{a0}b\u{3000}c"), "b/a b c");
    assert_eq!(prepared("b/e\u{301}"), "b/é");
}

/// RFC 8264 §4.3
#[test]
fn resources_may_hold_symbols_of_any_age_but_nothing_invisible() {
    for resource in ["♚", "🤔", "🫠", "👍🏽", "Ⅳ", "ﬁ", "名前", "aאב"] {
        assert_eq!(prepared(&format!("b/{resource}")), format!("b/{resource}"));
    }
    for (resource, found) in [
        ("a\0", '\0'),
        ("a\t", '\t'),
        ("a\n", '\n'),
        ("a\u{7f}", '\u{7f}'),
        ("a\u{85}", '\u{85}'),
        ("a\u{ad}", '\u{ad}'),
        ("❤\u{fe0f}", '\u{fe0f}'),
        ("👩\u{200d}🔧", '\u{200d}'),
        ("a\u{200b}", '\u{200b}'),
        ("a\u{202e}", '\u{202e}'),
        ("a\u{180f}", '\u{180f}'),
        ("a\u{e000}", '\u{e000}'),
        ("a\u{fdd0}", '\u{fdd0}'),
        ("a\u{378}", '\u{378}'),
        ("a\u{2028}", '\u{2028}'),
        ("\u{1100}\u{1161}", '\u{1100}'),
    ] {
        let at = 2 + resource.find(found).unwrap();
        let flaw = Flaw::Forbidden(found);
        assert_eq!(
            fault(&format!("b/{resource}")),
            JidError {
                part: Part::Resource,
                at,
                flaw
            }
        );
    }
}

/// RFC 5892 appendix A
#[test]
fn some_characters_are_allowed_only_in_their_context() {
    for local in [
        "l·l",
        "\u{375}α",
        "א׳",
        "א״ב",
        "カ・a",
        "क्\u{200d}ष",
        "क्\u{200c}ष",
        "ب\u{200c}ب",
        "ب\u{64e}\u{200c}\u{64e}ب",
        "ب\u{64e}\u{64e}\u{64e}\u{200c}\u{64e}ب",
        "ا١٢",
        "ا۱۲",
    ] {
        assert_eq!(prepared(&format!("{local}@b")), format!("{local}@b"));
        assert_eq!(prepared(&format!("b/{local}")), format!("b/{local}"));
    }
    for (local, found) in [
        ("a·b", '·'),
        ("·", '·'),
        ("l·", '·'),
        ("\u{375}a", '\u{375}'),
        ("a׳", '׳'),
        ("a・b", '・'),
        ("a\u{200d}b", '\u{200d}'),
        ("a\u{200c}b", '\u{200c}'),
        ("\u{200c}", '\u{200c}'),
        ("ا١۲", '١'),
        ("ا۲١", '۲'),
    ] {
        let flaw = Flaw::Forbidden(found);
        for text in [format!("{local}@b"), format!("b/{local}")] {
            assert_eq!(fault(&text).flaw, flaw, "{text}");
        }
    }
}

/// RFC 5893 §2, with words of the kind that its §4 is about
#[test]
fn local_parts_have_one_writing_direction() {
    for local in [
        "ދިވެހި",
        "ייִוואָ",
        "שָׁלוֹם",
        "مُحَمَّد",
        "אב1",
        "אב\u{5b0}",
        "1a",
        "юлия",
    ] {
        assert_eq!(prepared(&format!("{local}@b")), format!("{local}@b"));
    }
    for local in ["אבa", "aאב", "1אב", "אב1١", "אב-", "١"] {
        let error = fault(&format!("{local}@b"));
        assert_eq!(
            error,
            JidError {
                part: Part::Local,
                at: 0,
                flaw: Flaw::Direction
            },
            "{local}"
        );
    }
}
