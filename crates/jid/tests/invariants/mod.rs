//! What holds for every text, whoever comes up with it.

use anser_jid::{BareJid, FullJid, Jid, MAX_PART_BYTES};

/// Checks that a text is refused at one of its characters, or read as an
/// address that stays as it is.
///
/// # Panics
/// It is not.
pub(crate) fn check(text: &str) {
    match Jid::parse(text) {
        Ok(jid) => {
            assert_stable(&jid);
            assert_eq!(BareJid::parse(text).is_ok(), jid.is_bare());
            assert_eq!(FullJid::parse(text).is_err(), jid.is_bare());
        }
        Err(error) => {
            assert!(text.is_char_boundary(error.at), "{error}");
            assert_eq!(BareJid::parse(text), Err(error));
            assert_eq!(FullJid::parse(text), Err(error));
        }
    }
}

/// Every part keeps to its limits, can be read again by itself and stays as it
/// is (RFC 8266 §2.1).
fn assert_stable(jid: &Jid) {
    assert_eq!(Jid::parse(&jid.to_string()).as_ref(), Ok(jid));
    let parts = [jid.local(), Some(jid.domain()), jid.resource()];
    for part in parts.into_iter().flatten() {
        assert!((1..=MAX_PART_BYTES).contains(&part.len()));
    }
    let bare = BareJid::new(jid.local(), jid.domain()).expect("prepared parts are valid");
    assert_eq!(bare.as_str(), jid.bare_str());
    assert_eq!(bare, jid.to_bare());
    let domain = BareJid::new(None, jid.domain()).expect("a prepared domain is valid");
    assert_eq!(domain, jid.to_domain());
    if let Some(resource) = jid.resource() {
        let full = bare
            .with_resource(resource)
            .expect("a prepared resource is valid");
        assert_eq!(full.as_str(), jid.as_str());
        assert_eq!(FullJid::parse(jid.as_str()), Ok(full));
    }
    assert_domain_has_an_ascii_form(&domain);
}

/// A U-label and its A-label are one domain (RFC 5890 §2.3.2.1).
fn assert_domain_has_an_ascii_form(jid: &BareJid) {
    if !jid.domain().starts_with('[') {
        let ascii = idna::domain_to_ascii(jid.domain()).expect("a prepared domain has one");
        assert_eq!(BareJid::new(None, &ascii).as_ref(), Ok(jid));
    }
}
