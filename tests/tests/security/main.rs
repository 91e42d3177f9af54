//! What has gone wrong in other servers must not go wrong here: one file for
//! each class of failure, and the advisories in the doc lines of its tests.
//!
//! | class | file |
//! |---|---|
//! | entities, comments and instructions of XML | `restricted_xml` |
//! | size limits that are missing or come late | `limits` |
//! | memory and connections that are never given back | `leaks` |
//! | ways around TLS | `before_tls` |
//! | one identity taken for another, weaker mechanisms, enumeration | `login` |
//! | stanzas that two parsers read differently | `smuggling`, `reflection` |
//! | messages that look like copies, or out of an archive | `forgery` |
//! | queues without end | `queues` |
//! | names that can be guessed | `identifiers` |
//! | pages that no client would ask for | `paging` |
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

mod before_tls;
mod forgery;
mod identifiers;
mod leaks;
mod limits;
mod login;
mod oracle;
mod paging;
mod queues;
mod reflection;
mod restricted_xml;
mod smuggling;

use anser_sasl::Mechanism;
use anser_tests::script::Script;

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

fn mechanism(name: &str) -> Mechanism {
    Mechanism::from_name(name).unwrap()
}

/// Alice after TLS, with what the server offers received.
fn secured() -> Script {
    let mut script = Script::new(&["alice"]);
    script.secure("alice");
    let _features = script.receive("alice");
    script
}

/// The server ends the client's stream with this condition, and the connection
/// with it (RFC 6120 §4.9.1.1).
fn expect_stream_error(script: &mut Script, actor: &str, condition: &str) {
    script.expect(
        actor,
        &format!(
            "<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>\
             </stream:error>"
        ),
    );
    script.expect(actor, "</stream:stream>");
    script.expect_closed(actor);
}

/// The server refuses to log the client in, with this condition.
fn expect_failure(script: &mut Script, actor: &str, condition: &str) {
    let expected = format!("<failure xmlns='{SASL}'><{condition}/></failure>");
    script.expect(actor, &expected);
}
