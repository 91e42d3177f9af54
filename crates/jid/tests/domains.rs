//! Domain parts (RFC 7622 §3.2).

use anser_jid::{Flaw, Jid, JidError, Part};

fn prepared(text: &str) -> String {
    Jid::parse(text)
        .unwrap_or_else(|error| panic!("{text:?}: {error}"))
        .to_string()
}

/// RFC 7622 §3.2
#[test]
fn a_domain_has_one_form_whatever_its_case_encoding_or_final_dot() {
    for (given, form) in [
        ("EXAMPLE.com", "example.com"),
        ("example.com.", "example.com"),
        ("example.com。", "example.com"),
        ("ＥＸＡＭＰＬＥ。com", "example.com"),
        ("BÜCHER.example", "bücher.example"),
        ("bu\u{308}cher.example", "bücher.example"),
        ("xn--bcher-kva.example", "bücher.example"),
        ("XN--BCHER-KVA.example.", "bücher.example"),
        ("faß.example", "faß.example"),
        ("xn--fa-hia.example", "faß.example"),
        ("xn--e1afmkfd.xn--p1ai", "пример.рф"),
        ("ПРИМЕР.РФ", "пример.рф"),
        ("例え。テスト", "例え.テスト"),
        ("localhost", "localhost"),
        ("a", "a"),
        ("3com.example", "3com.example"),
    ] {
        assert_eq!(prepared(given), form);
        let [given, form] = [given, form].map(|domain| Jid::parse(&format!("a@{domain}/c")));
        assert_eq!(given, form);
        assert!(given.is_ok());
    }
}

/// RFC 7622 §3.2, RFC 5952 §4
#[test]
fn a_domain_may_be_an_ip_address() {
    assert_eq!(prepared("a@192.0.2.1/c"), "a@192.0.2.1/c");
    assert_eq!(prepared("a@[::1]/c"), "a@[::1]/c");
    assert_eq!(prepared("[2001:0DB8:0:0:0:0:0:1]"), "[2001:db8::1]");
    assert_eq!(prepared("[::ffff:192.0.2.1]"), "[::ffff:192.0.2.1]");
    for text in [
        "[",
        "[]",
        "[::1",
        "[::1]x",
        "[::gg]",
        "[::1%eth0]",
        "[192.0.2.1]",
        "[v1.a]",
    ] {
        let error = JidError {
            part: Part::Domain,
            at: 0,
            flaw: Flaw::Address,
        };
        assert_eq!(Jid::parse(text), Err(error), "{text}");
    }
    assert!(Jid::parse("::1").is_err());
}

/// RFC 5890 §2.3.1, RFC 5891 §§4.2.3, 5.4
#[test]
fn every_label_is_checked_and_named_by_its_position() {
    for (text, at) in [
        ("a@.", 2),
        ("a@b..c", 4),
        ("a@.b", 2),
        ("a@b..", 4),
        ("b.-a", 2),
        ("b.a-", 2),
        ("b.ab--cd.c", 2),
        ("b.a_b", 2),
        ("b.a b", 2),
        ("b.c:5222", 2),
        ("b.xn--", 2),
        ("b.xn--a", 2),
        ("b.xn--a-.c", 2),
        ("b.xn--zzzzzzzz99999999", 2),
        ("ü.a_b", 3),
        ("ü。a_b", 5),
        ("b.\u{301}a", 2),
        ("b.a\u{200d}b", 2),
        ("b.אבa", 2),
        ("a@b.c*d/e", 4),
    ] {
        let error = JidError {
            part: Part::Domain,
            at,
            flaw: Flaw::Label,
        };
        assert_eq!(Jid::parse(text), Err(error), "{text}");
    }
}

/// RFC 5893 §2: one right-to-left label puts all labels under the rule
#[test]
fn a_domain_keeps_to_the_bidi_rule_as_a_whole() {
    assert!(Jid::parse("123.אב").is_err());
    assert_eq!(prepared("a123.אב"), "a123.אב");
}

/// RFC 5890 §2.3.2.1: it is the A-label that has 63 bytes
#[test]
fn a_label_has_at_most_63_bytes_in_ascii() {
    for label in ["a".repeat(63), "é".repeat(57)] {
        assert_eq!(
            prepared(&format!("{label}.example")),
            format!("{label}.example")
        );
    }
    for label in [
        "a".repeat(64),
        "A".repeat(64),
        "é".repeat(58),
        "ﷺ".repeat(1000),
    ] {
        let error = JidError {
            part: Part::Domain,
            at: 2,
            flaw: Flaw::Label,
        };
        assert_eq!(Jid::parse(&format!("b.{label}")), Err(error));
    }
}

/// UTS #46 §4, where it is wider than IDNA2008
#[test]
fn symbols_in_a_domain_are_let_pass() {
    assert_eq!(prepared("xn--n3h.example"), "☃.example");
    assert_eq!(prepared("☃.example"), "☃.example");
}
