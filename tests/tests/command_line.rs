//! The command line, a stable contract: what scripts may rely on.
#![allow(
    clippy::unwrap_used,
    reason = "whatever does not unwrap here has failed the test"
)]

use anser_tests::program::Anser;

#[test]
fn accounts_are_made_listed_and_removed_beside_a_running_server() {
    let anser = Anser::start();
    anser.add_user("alice@localhost", "secret");
    anser.add_user("bob@localhost", "secret");
    let listed = anser.command(&["user", "list", "--json"], "");
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let both = ["alice@localhost", "bob@localhost"];
    assert_eq!(listed["accounts"], serde_json::json!(both));
    let deleted = anser.command(&["user", "delete", "bob@localhost"], "");
    assert_eq!(deleted.status.code(), Some(0));
    let again = anser.command(&["user", "delete", "bob@localhost"], "");
    assert_eq!(again.status.code(), Some(1));
    let text = String::from_utf8(again.stderr).unwrap();
    assert_eq!(text, "anser: there is no account bob@localhost\n");
}
