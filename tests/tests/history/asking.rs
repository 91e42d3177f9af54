//! What an archive says of itself and is asked for: filters, and questions that
//! are refused.

use super::{MAM, ask, condition, form, set, tell, three, told, two};

/// XEP-0313 §4.1.1, §4.1.2, §4.1.3
#[test]
fn an_archive_is_filtered_by_address_time_and_id() {
    let mut script = told(4);
    script.appear("carol", "bob@example.org/laptop");
    script.send(
        "carol",
        "<message to='alice@example.org' type='chat'><body>laptop</body></message>\
         <message to='bob@example.org' type='chat'><body>note</body></message>",
    );
    for actor in ["alice", "bob", "carol"] {
        script.forget(actor);
    }
    let all = ask(&mut script, "bob", "");
    let (second, fourth) = (all.id(1), all.id(3));
    for (fields, texts) in [
        (
            [("with", "alice@example.org")].as_slice(),
            ["0", "1", "2", "3", "laptop"].as_slice(),
        ),
        (
            &[("with", "alice@example.org/phone")],
            &["0", "1", "2", "3"],
        ),
        (&[("with", "alice@example.org/laptop")], &[]),
        (&[("with", "bob@example.org")], &["note"]),
        (&[("with", "bob@example.org/laptop")], &["laptop", "note"]),
        (&[("with", "carol@example.org")], &[]),
        (
            &[("start", "2026-11-20T00:00:03Z")],
            &["2", "3", "laptop", "note"],
        ),
        (&[("end", "2026-11-20T01:00:02+01:00")], &["0", "1"]),
        (
            &[
                ("start", "2026-11-20T00:00:02Z"),
                ("end", "2026-11-20T00:00:03.000Z"),
            ],
            &["1", "2"],
        ),
        (&[("after-id", second), ("before-id", fourth)], &["2"]),
        (
            &[("after-id", second), ("with", "bob@example.org")],
            &["note"],
        ),
        (&[("ids", second)], &["1"]),
        (
            &[("include-groupchat", "true"), ("before-id", second)],
            &["0"],
        ),
    ] {
        let answer = ask(&mut script, "bob", &form(fields));
        assert_eq!(answer.texts(), texts, "{fields:?}");
        assert!(answer.is_complete());
    }
    let many = format!(
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>{MAM}</value></field>\
         <field var='ids'><value>{fourth}</value><value>{second}</value></field></x>"
    );
    assert_eq!(ask(&mut script, "bob", &many).texts(), ["1", "3"]);
}

/// XEP-0313 §4.1.3, §4.3: also an id that somebody else's archive has.
#[test]
fn an_id_that_is_not_in_the_archive_is_not_found() {
    let mut script = three();
    tell(&mut script, 0..2);
    let id = ask(&mut script, "bob", "").id(0).to_owned();
    let never = "06f5a1b2c3d4e5f6";
    for (actor, id) in [("bob", never), ("bob", "09af3-cc343-b409f"), ("carol", &id)] {
        for content in [
            form(&[("after-id", id)]),
            form(&[("before-id", id)]),
            form(&[("ids", id)]),
            set(&format!("<after>{id}</after>")),
            set(&format!("<before>{id}</before>")),
        ] {
            let answer = ask(&mut script, actor, &content);
            assert_eq!(condition(&answer), "item-not-found", "{content}");
        }
    }
}

/// XEP-0313 §4.1.5
#[test]
fn a_question_that_is_not_understood_is_not_guessed() {
    let mut script = told(1);
    for (content, expected) in [
        (form(&[("{urn:x}text", "x")]), "feature-not-implemented"),
        (form(&[("with", "@")]), "bad-request"),
        (form(&[("start", "yesterday")]), "bad-request"),
        (form(&[("end", "")]), "bad-request"),
        (set("<max>many</max>"), "bad-request"),
        (set("<before/><after>x</after>"), "bad-request"),
        (set("<index>3</index>"), "feature-not-implemented"),
    ] {
        let answer = ask(&mut script, "bob", &content);
        assert_eq!(condition(&answer), expected, "{content}");
    }
    let too_many: String = (0..251)
        .map(|number| format!("<value>{number:016x}</value>"))
        .collect();
    let answer = ask(
        &mut script,
        "bob",
        &form(&[]).replace("</x>", &format!("<field var='ids'>{too_many}</field></x>")),
    );
    assert_eq!(condition(&answer), "policy-violation");
}

/// XEP-0313 §4.1.5, §5, §7
#[test]
fn an_archive_says_what_it_can_do_and_where_it_begins_and_ends() {
    let mut script = two();
    script.play(&format!(
        "
        bob C: <iq type='get' id='d' to='bob@example.org'>
            <query xmlns='http://jabber.org/protocol/disco#info'/></iq>
        bob S: <iq type='result' id='d'><query xmlns='http://jabber.org/protocol/disco#info'>
            <feature var='urn:xmpp:mam:2'/><feature var='urn:xmpp:mam:2#extended'/>
            <feature var='urn:xmpp:mam:2#groupchat-field'/>
            <feature var='http://jabber.org/protocol/rsm'/>
            <feature var='urn:xmpp:message-retract:1'/>
            <feature var='urn:xmpp:message-retract:1#tombstone'/></query></iq>
        bob C: <iq type='get' id='f'><query xmlns='{MAM}'/></iq>
        bob S: <iq type='result' id='f'><query xmlns='{MAM}'><x xmlns='jabber:x:data' type='form'>
            <field var='FORM_TYPE' type='hidden'><value>{MAM}</value></field>
            <field var='with' type='jid-single'/><field var='ids' type='list-multi'>
            <validate xmlns='http://jabber.org/protocol/xdata-validate'><open/></validate>
            </field></x></query></iq>
        bob C: <iq type='get' id='m'><metadata xmlns='{MAM}'/></iq>
        "
    ));
    let empty = script.receive("bob");
    let metadata = empty.child(MAM, "metadata").unwrap();
    assert_eq!(metadata.children().count(), 0);
    tell(&mut script, 0..3);
    let all = ask(&mut script, "bob", "");
    script.play(&format!(
        "
        bob C: <iq type='get' id='m' to='bob@example.org'><metadata xmlns='{MAM}'/></iq>
        bob S: <iq type='result' id='m'><metadata xmlns='{MAM}'>
            <start id='{}' timestamp='2026-11-20T00:00:01.000Z'/>
            <end id='{}' timestamp='2026-11-20T00:00:03.000Z'/></metadata></iq>
        ",
        all.id(0),
        all.id(2)
    ));
}

/// XEP-0313 §8.1: and nobody learns whether there is such an account.
#[test]
fn an_archive_is_its_owners_alone() {
    let mut script = told(1);
    for (to, expected) in [
        ("alice@example.org", "forbidden"),
        ("nobody@example.org", "forbidden"),
        ("example.org", "service-unavailable"),
    ] {
        for (kind, question) in [
            ("set", "query"),
            ("get", "query"),
            ("get", "metadata"),
            ("get", "prefs"),
            ("set", "prefs"),
        ] {
            script.play(&format!(
                "
                bob C: <iq type='{kind}' id='q' to='{to}'><{question} xmlns='{MAM}' default='always'/></iq>
                bob S: <iq type='error' id='q' from='{to}'><error>
                    <{expected} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
                bob S: nothing
                "
            ));
        }
    }
}
