//! `anser room create|list|show|destroy|affiliation`.

use crate::{offline, write};
use anser_tests::client::Client;
use anser_tests::program::Anser;
use anser_xml::Element;
use serde_json::{Value, json};

const TEAM: &str = "team@rooms.localhost";

#[test]
fn rooms_are_made_listed_shown_changed_and_destroyed_beside_a_running_server() {
    let anser = Anser::start();
    let run = |arguments: &[&str]| anser.command(arguments, "");
    run(&[
        "room",
        "create",
        TEAM,
        "--name",
        "The Team",
        "--owner",
        "alice@localhost",
    ])
    .succeeded();
    run(&[
        "room",
        "create",
        "den@rooms.localhost",
        "--hidden",
        "--members-only",
    ])
    .succeeded();
    let listed = run(&["room", "list"]);
    assert_eq!(
        listed.succeeded(),
        "den@rooms.localhost\nteam@rooms.localhost  The Team\n"
    );
    run(&[
        "room",
        "affiliation",
        TEAM,
        "bob@localhost",
        "outcast",
        "--reason",
        "noise",
    ])
    .succeeded();
    let shown: Value =
        serde_json::from_str(run(&["room", "show", TEAM, "--json"]).succeeded()).unwrap();
    assert_eq!(shown["config"]["name"], "The Team");
    assert_eq!(shown["affiliations"][0]["account"], "alice@localhost");
    assert_eq!(shown["affiliations"][0]["affiliation"], "owner");
    assert_eq!(shown["affiliations"][1]["account"], "bob@localhost");
    assert_eq!(shown["affiliations"][1]["reason"], "noise");
    run(&["room", "destroy", TEAM]).succeeded();
    let again = run(&["room", "destroy", TEAM]);
    assert_eq!(again.code(), 1);
    assert_eq!(
        again.errors,
        "anser: team@rooms.localhost: there is no such room\n"
    );
}

/// XEP-0045 §9.1: "including status code 301 [...] optionally along with the
/// reason", but no occupant has done it. §10.9: where to go.
#[test]
fn occupants_are_told_what_an_administrator_does_and_why() {
    let anser = Anser::start();
    for user in ["alice", "bob"] {
        anser.add_user(&format!("{user}@localhost"), "secret");
    }
    let run = |arguments: &[&str]| anser.command(arguments, "");
    let batch = write(anser.data(), "rooms.txt", &format!("{TEAM}\n"));
    let created = run(&["room", "create", "--batch", &batch, "--json"]);
    assert_eq!(created.json()[0]["created"], 1);
    let [mut alice, mut bob] = ["alice", "bob"].map(|user| {
        let account = format!("{user}@localhost");
        let mut client = Client::log_in(&anser.starttls(), &account, "secret").unwrap();
        let join = "<x xmlns='http://jabber.org/protocol/muc'/>";
        client
            .send(&format!("<presence to='{TEAM}/{user}'>{join}</presence>"))
            .unwrap();
        client
            .wait_for(|stanza| stanza.name() == "message")
            .unwrap();
        client
    });
    let listed = run(&["room", "list", "--json"]);
    let rooms = json!([{ "address": TEAM, "name": "", "public": true, "occupants": 2 }]);
    assert_eq!(listed.json()[0]["rooms"], rooms);
    let ban = ["room", "affiliation", TEAM, "bob@localhost", "outcast"];
    run(&[&ban[..], &["--reason", "noise"]].concat()).succeeded();
    let is_gone = |stanza: &Element| stanza.attribute("type").as_deref() == Some("unavailable");
    for client in [&mut alice, &mut bob] {
        let banned = client.wait_for(is_gone).unwrap();
        let text = String::from_utf8(banned.raw().to_vec()).unwrap();
        assert!(text.contains("<reason>noise</reason>"), "{text}");
        assert!(text.contains("<status code='301'/>"), "{text}");
        assert!(!text.contains("actor"), "{text}");
    }
    let destroy = ["room", "destroy", TEAM, "--venue", "den@rooms.localhost"];
    run(&[&destroy[..], &["--reason", "We move"]].concat()).succeeded();
    let ended = alice.wait_for(is_gone).unwrap();
    let text = String::from_utf8(ended.raw().to_vec()).unwrap();
    let destroyed = "<destroy jid='den@rooms.localhost'><reason>We move</reason></destroy>";
    assert!(text.contains(destroyed), "{text}");
}

#[test]
fn rooms_are_made_without_a_running_server_and_are_there_when_it_runs() {
    let data = tempfile::tempdir().unwrap();
    let batch = data.path().join("rooms.txt");
    std::fs::write(
        &batch,
        "# rooms\nteam@rooms.localhost alice@localhost bob@localhost\n\nden@rooms.localhost\n",
    )
    .unwrap();
    let folder = data.path().join("data");
    let create = ["room", "create", "--batch", batch.to_str().unwrap()];
    offline(&folder, &create, "").succeeded();
    let again = offline(&folder, &create, "");
    assert_eq!(again.code(), 1);
    assert!(
        again.errors.contains("there is such a room already"),
        "{again:?}"
    );
    let shown = offline(&folder, &["room", "show", TEAM], "");
    let shown = shown.succeeded();
    assert!(shown.contains("owner  bob@localhost"), "{shown}");
}

#[test]
fn a_room_needs_an_address_that_rooms_can_have() {
    let anser = Anser::start();
    for (address, part) in [
        (
            "team@localhost",
            "its domain is not that of this server's rooms",
        ),
        ("rooms.localhost", "it has no name before the @"),
        ("a@@b", "is not an address"),
    ] {
        let refused = anser.command(&["room", "create", address], "");
        assert_eq!(refused.code(), 1, "{address}");
        assert!(refused.errors.contains(part), "{refused:?}");
    }
    let unknown = ["room", "affiliation", TEAM, "bob@localhost", "king"];
    assert_eq!(anser.command(&unknown, "").code(), 2);
}
