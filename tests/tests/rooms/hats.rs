//! Titles of occupants (XEP-0317), and the commands that give them (XEP-0050).

use super::{COVEN, JOIN, admin, coven, join, refused, three_in_a_room};
use anser_tests::script::Script;
use std::time::Duration;

const HOST: &str = "http://schemas.example.com/hats#host";
const SCRIBE: &str = "http://schemas.example.com/hats#scribe";

/// A stage of a command.
fn command(name: &str, attributes: &str, content: &str) -> String {
    format!(
        "<iq type='set' id='hat' to='{COVEN}'>\
         <command xmlns='http://jabber.org/protocol/commands' \
         node='urn:xmpp:hats:commands:{name}' {attributes}>{content}</command></iq>"
    )
}

fn form(fields: &[(&str, &str)]) -> String {
    let fields = fields
        .iter()
        .map(|(var, value)| format!("<field var='hats#{var}'><value>{value}</value></field>"));
    let fields: String = fields.collect();
    format!(
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'>\
         <value>urn:xmpp:hats:commands</value></field>{fields}</x>"
    )
}

/// A command that has to go well; what else happens is left to be read, except
/// by whoever gives it.
fn run(script: &mut Script, actor: &str, name: &str, fields: &[(&str, &str)]) {
    script.send(actor, &command(name, "", &form(fields)));
    loop {
        let answer = script.receive(actor);
        if answer.attribute("id").as_deref() == Some("hat") {
            assert!(
                format!("{answer:?}").contains("status='completed'"),
                "{answer:?}"
            );
            break;
        }
    }
    script.forget(actor);
}

/// An error of XEP-0050 §5.4.
fn bad(detail: &str) -> String {
    format!(
        "<iq type='error' id='hat'><error type='modify'>\
         <bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
         <{detail} xmlns='http://jabber.org/protocol/commands'/></error></iq>"
    )
}

/// The presence of Bob with what he wears.
fn bob(hats: &str) -> String {
    format!(
        "<presence from='{COVEN}/bob'><x xmlns='http://jabber.org/protocol/muc#user'>\
         <item affiliation='none' role='participant'/></x>\
         <hats xmlns='urn:xmpp:hats:0'>{hats}</hats></presence>"
    )
}

const CHANGED: &str = "<message from='coven@rooms.example.org' type='groupchat'>\
     <x xmlns='http://jabber.org/protocol/muc#user'><status code='104'/></x></message>";

/// Alice, Bob and Carol are in the room, which has two hats.
fn room_with_hats() -> Script {
    let mut script = three_in_a_room();
    for (uri, title) in [(HOST, "Host"), (SCRIBE, "Scribe")] {
        let fields = [("uri", uri), ("title", title), ("hue", "327.255249")];
        run(&mut script, "alice", "create", &fields);
    }
    for actor in ["alice", "bob", "carol"] {
        script.forget(actor);
    }
    script
}

/// XEP-0317 §3.1, §3.2, §3.5
#[test]
fn an_admin_makes_a_hat_and_gives_it_to_somebody_and_everybody_sees_it() {
    let mut script = three_in_a_room();
    script.send("alice", &command("create", "action='execute'", ""));
    let stage = script.receive("alice");
    let asked = stage.children().next().unwrap();
    assert_eq!(asked.attribute("status").as_deref(), Some("executing"));
    let session = asked.attribute("sessionid").unwrap();
    let text = format!("{stage:?}");
    for part in [
        "<actions execute='complete'><complete/></actions>",
        "hats#title",
        "hats#uri",
    ] {
        assert!(text.contains(part), "{part}");
    }
    let fields = form(&[("title", "Host"), ("uri", HOST), ("hue", "327.255249")]);
    let attributes = format!("sessionid='{session}'");
    script.send("alice", &command("create", &attributes, &fields));
    script.expect(
        "alice",
        &format!(
            "<iq type='result' id='hat' from='{COVEN}'>\
             <command xmlns='http://jabber.org/protocol/commands' sessionid='{session}' \
             node='urn:xmpp:hats:commands:create' status='completed'/></iq>"
        ),
    );
    script.expect("bob", CHANGED);
    script.send("alice", &command("assign", "", ""));
    script.expect("alice", CHANGED);
    script.expect(
        "alice",
        &format!(
            "<iq type='result'><command xmlns='http://jabber.org/protocol/commands' \
             status='executing'><x xmlns='jabber:x:data' type='form'>\
             <field var='hats#jid' type='jid-single'><required/></field>\
             <field var='hats#uri' type='list-single'>\
             <option label='Host'><value>{HOST}</value></option></field></x></command></iq>"
        ),
    );
    let to_bob = [("jid", "bob@example.org/phone"), ("uri", HOST)];
    run(&mut script, "alice", "assign", &to_bob);
    let hat = format!("<hat title='Host' uri='{HOST}' hue='327.255249'/>");
    for actor in ["bob", "carol"] {
        if actor == "carol" {
            script.expect("carol", CHANGED);
        }
        script.expect(actor, &bob(&hat));
        script.expect_nothing(actor);
    }
    // Whoever comes later sees it too.
    script.appear("dave", "dave@example.org/phone");
    script.send(
        "dave",
        &format!("<presence to='{COVEN}/dave'>{JOIN}</presence>"),
    );
    script.expect("dave", "<presence from='coven@rooms.example.org/alice'/>");
    script.expect("dave", &bob(&hat));
}

/// XEP-0317 §3.2, §3.3, §3.6
#[test]
fn what_becomes_of_a_hat_is_seen_on_the_heads_that_wear_it() {
    let mut script = room_with_hats();
    for uri in [HOST, SCRIBE] {
        run(
            &mut script,
            "alice",
            "assign",
            &[("jid", "bob@example.org"), ("uri", uri)],
        );
    }
    script.forget("bob");
    script.forget("carol");
    let scribe = format!("<hat title='Scribe' uri='{SCRIBE}'/>");
    run(
        &mut script,
        "alice",
        "create",
        &[("title", "Guest"), ("uri", HOST)],
    );
    let renamed = format!("<hat title='Guest' uri='{HOST}'/>{scribe}");
    script.expect("carol", &bob(&renamed));
    script.expect("carol", CHANGED);
    // The same again changes nothing.
    run(
        &mut script,
        "alice",
        "assign",
        &[("jid", "bob@example.org"), ("uri", HOST)],
    );
    script.expect_nothing("carol");
    run(&mut script, "alice", "destroy", &[("uri", HOST)]);
    script.expect("carol", &bob(&scribe));
    script.expect("carol", CHANGED);
    run(
        &mut script,
        "alice",
        "unassign",
        &[("jid", "bob@example.org"), ("uri", SCRIBE)],
    );
    let bare = script.receive("carol");
    assert_eq!(
        bare.attribute("from").as_deref(),
        Some("coven@rooms.example.org/bob")
    );
    assert!(bare.child("urn:xmpp:hats:0", "hats").is_none());
    script.expect_nothing("carol");
}

/// XEP-0317 §3.4, §3.7
#[test]
fn who_is_in_the_room_sees_which_hats_there_are_and_admins_who_wears_them() {
    let mut script = room_with_hats();
    run(
        &mut script,
        "alice",
        "assign",
        &[("jid", "bob@example.org"), ("uri", SCRIBE)],
    );
    script.forget("bob");
    script.send("bob", &command("list", "action='execute'", ""));
    script.expect(
        "bob",
        &format!(
            "<iq type='result' id='hat'><command xmlns='http://jabber.org/protocol/commands' \
             status='completed'><x xmlns='jabber:x:data' type='result'><reported>\
             <field var='hats#title'/><field var='hats#uri'/><field var='hats#hue'/></reported>\
             <item><field var='hats#title'><value>Host</value></field>\
             <field var='hats#uri'><value>{HOST}</value></field>\
             <field var='hats#hue'><value>327.255249</value></field></item>\
             <item><field var='hats#title'><value>Scribe</value></field></item></x></command></iq>"
        ),
    );
    script.send("alice", &command("list-assigned", "", ""));
    let worn = script.receive("alice");
    let text = format!("{worn:?}");
    assert_eq!(text.matches("<item>").count(), 1);
    assert!(text.contains("<value>bob@example.org</value>") && text.contains(SCRIBE));
    let refusal = "<iq type='error' id='hat'><error type='cancel'>\
         <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>";
    for name in ["create", "destroy", "assign", "unassign", "list-assigned"] {
        script.send("bob", &command(name, "", ""));
        script.expect("bob", refusal);
        script.send("bob", &command(name, "", &form(&[("uri", HOST)])));
        script.expect("bob", refusal);
    }
    script.appear("dave", "dave@example.org/phone");
    script.send("dave", &command("list", "", ""));
    script.expect("dave", refusal);
}

/// XEP-0050 §3.4.3, §5.4
#[test]
fn a_command_is_given_up_or_refused_with_the_error_that_is_named() {
    let mut script = room_with_hats();
    script.send("alice", &command("create", "", ""));
    let stage = script.receive("alice");
    let session = stage.children().next().unwrap();
    let session = format!("sessionid='{}'", session.attribute("sessionid").unwrap());
    script.send(
        "alice",
        &command("create", &format!("{session} action='cancel'"), ""),
    );
    script.expect(
        "alice",
        "<iq type='result' id='hat'><command xmlns='http://jabber.org/protocol/commands' \
         status='canceled'/></iq>",
    );
    let fields = form(&[("title", "x"), ("uri", "urn:x")]);
    for (name, attributes, content, detail) in [
        ("create", "action='dance'", "", "malformed-action"),
        (
            "create",
            &format!("{session} action='prev'"),
            "",
            "bad-action",
        ),
        ("create", &session, "", "bad-payload"),
        ("create", "sessionid='mine'", &fields, "bad-sessionid"),
        // That is the name of another command's execution.
        ("destroy", &session, &fields, "bad-sessionid"),
        ("create", "", &form(&[("title", "x")]), "bad-payload"),
        (
            "create",
            "",
            &form(&[("title", "x"), ("uri", "x")]),
            "bad-payload",
        ),
        (
            "assign",
            "",
            &form(&[("jid", "@"), ("uri", HOST)]),
            "bad-payload",
        ),
        // Nobody would ever wear it (XEP-0317 §3.5).
        (
            "assign",
            "",
            &form(&[("jid", "example.org"), ("uri", HOST)]),
            "bad-payload",
        ),
        (
            "assign",
            "",
            &form(&[("jid", "coven@rooms.example.org/bob"), ("uri", HOST)]),
            "bad-payload",
        ),
        (
            "create",
            "",
            &fields.replace("commands", "other"),
            "bad-payload",
        ),
    ] {
        script.send("alice", &command(name, attributes, content));
        script.expect("alice", &bad(detail));
    }
    for (name, content) in [
        ("dance", String::new()),
        ("destroy", form(&[("uri", "urn:x")])),
        (
            "assign",
            form(&[("jid", "bob@example.org"), ("uri", "urn:x")]),
        ),
    ] {
        script.send("alice", &command(name, "", &content));
        script.expect("alice", &refused("cancel", "item-not-found"));
    }
    script.expect_nothing("bob");
}

/// XEP-0050 §3.2
#[test]
fn service_discovery_knows_the_commands_that_one_may_give() {
    let mut script = room_with_hats();
    let ask = |script: &mut Script, actor: &str, about: &str, node: &str| {
        script.send(
            actor,
            &format!(
                "<iq type='get' id='d' to='{COVEN}'>\
                 <query xmlns='http://jabber.org/protocol/disco#{about}' node='{node}'/></iq>"
            ),
        );
        format!("{:?}", script.receive(actor))
    };
    let commands = "http://jabber.org/protocol/commands";
    let all = ask(&mut script, "alice", "items", commands);
    assert_eq!(
        all.matches("node='urn:xmpp:hats:commands:").count(),
        6,
        "{all}"
    );
    let few = ask(&mut script, "bob", "items", commands);
    assert_eq!(
        few.matches("node='urn:xmpp:hats:commands:").count(),
        1,
        "{few}"
    );
    let list = ask(&mut script, "bob", "info", commands);
    assert!(list.contains("type='command-list'"));
    let node = "urn:xmpp:hats:commands:assign";
    let one = ask(&mut script, "alice", "info", node);
    assert!(one.contains("category='automation' type='command-node'") && one.contains(commands));
    assert!(ask(&mut script, "bob", "info", node).contains("<forbidden"));
    assert!(ask(&mut script, "bob", "items", "urn:x").contains("<item-not-found"));
    script.send(
        "bob",
        &format!(
            "<iq type='get' id='d' to='{COVEN}'>\
             <query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
        ),
    );
    let info = format!("{:?}", script.receive("bob"));
    for part in [
        "var='urn:xmpp:hats:0'",
        &format!("var='{commands}'"),
        "var='hats#hash'",
    ] {
        assert!(info.contains(part), "{part}");
    }
}

/// XEP-0317 §3.1: what somebody wears is the room's to say.
#[test]
fn nobody_puts_a_hat_on_their_own_head() {
    let mut script = room_with_hats();
    script.send(
        "bob",
        &format!(
            "<presence to='{COVEN}/bob'><show>away</show><hats xmlns='urn:xmpp:hats:0'>\
             <hat title='Host' uri='{HOST}'/></hats></presence>"
        ),
    );
    let away = script.receive("carol");
    assert!(away.child("jabber:client", "show").is_some());
    assert!(away.child("urn:xmpp:hats:0", "hats").is_none());
}

/// Hats outlast visits and restarts; a ban takes them.
#[test]
fn a_hat_is_kept_until_its_wearer_is_banned() {
    let mut script = coven();
    run(
        &mut script,
        "alice",
        "create",
        &[("title", "Host"), ("uri", HOST)],
    );
    run(
        &mut script,
        "alice",
        "assign",
        &[("jid", "bob@example.org"), ("uri", HOST)],
    );
    script.send(
        "alice",
        &format!("<presence to='{COVEN}/alice' type='unavailable'/>"),
    );
    script.forget("alice");
    script.world.pass(Duration::from_secs(61));
    script.world.settle();
    assert_eq!(script.world.hub().room_count(), 0);
    let hat = format!("<hat title='Host' uri='{HOST}'/>");
    script.send(
        "bob",
        &format!("<presence to='{COVEN}/bob'>{JOIN}</presence>"),
    );
    script.expect("bob", &bob(&hat));
    join(&mut script, "alice", "alice", &["bob"]);
    for (affiliation, wears) in [("member", true), ("outcast", false)] {
        let item = format!("<item affiliation='{affiliation}' jid='bob@example.org'/>");
        script.send("alice", &admin(&item));
        script.expect("alice", "<iq type='result' id='admin'/>");
        let seen = format!("{:?}", script.receive("alice"));
        assert_eq!(seen.contains(HOST), wears, "{seen}");
    }
    script.send(
        "alice",
        &admin("<item affiliation='none' jid='bob@example.org'/>"),
    );
    script.forget("alice");
    join(&mut script, "bob", "bob", &[]);
    let seen = script.receive("alice");
    assert!(seen.child("urn:xmpp:hats:0", "hats").is_none());
    run(
        &mut script,
        "alice",
        "create",
        &[("title", "Host"), ("uri", HOST)],
    );
    script.send(
        "alice",
        &command(
            "assign",
            "",
            &form(&[("jid", "carol@example.org"), ("uri", HOST)]),
        ),
    );
    script.forget("alice");
    script.send(
        "alice",
        &admin("<item affiliation='outcast' jid='carol@example.org'/>"),
    );
    script.forget("alice");
    let again = form(&[("jid", "carol@example.org"), ("uri", HOST)]);
    script.send("alice", &command("assign", "", &again));
    script.expect("alice", &bad("bad-payload"));
}
