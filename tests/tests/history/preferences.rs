//! Whom an account archives (XEP-0441).

use super::{MAM, ask, tell, three, two};
use std::time::Duration;

/// XEP-0441 §2
#[test]
fn an_account_says_whom_it_archives() {
    let mut script = three();
    script.play(&format!(
        "
        bob C: <iq type='get' id='p'><prefs xmlns='{MAM}'/></iq>
        bob S: <iq type='result' id='p'><prefs xmlns='{MAM}' default='always'><always/><never/>
            </prefs></iq>
        bob C: <iq type='set' id='p'><prefs xmlns='{MAM}' default='never'>
            <always><jid>alice@example.org</jid></always>
            <never><jid>Carol@example.org</jid></never></prefs></iq>
        bob S: <iq type='result' id='p'><prefs xmlns='{MAM}' default='never'>
            <always><jid>alice@example.org</jid></always>
            <never><jid>carol@example.org</jid></never></prefs></iq>
        bob C: <iq type='set' id='p'><prefs xmlns='{MAM}' default='perhaps'/></iq>
        bob S: <iq type='error' id='p'><error type='modify'>
            <bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        "
    ));
    for (from, to) in [
        ("alice", "bob"),
        ("carol", "bob"),
        ("bob", "carol"),
        ("bob", "alice"),
    ] {
        let message = format!(
            "<message to='{to}@example.org' type='chat'><body>{from} to {to}</body></message>"
        );
        script.send(from, &message);
        script.expect(
            to,
            &format!("<message><body>{from} to {to}</body></message>"),
        );
    }
    let bobs = ["alice to bob", "bob to alice"];
    assert_eq!(ask(&mut script, "bob", "").texts(), bobs);
    assert_eq!(ask(&mut script, "alice", "").texts(), bobs);
    let carols = ["carol to bob", "bob to carol"];
    assert_eq!(ask(&mut script, "carol", "").texts(), carols);
    // They are there when everybody has been gone for long.
    script.send("bob", "</stream:stream>");
    script.world.pass(Duration::from_secs(3600));
    script.world.settle();
    script.appear("again", "bob@example.org/phone");
    script.play(&format!(
        "
        again C: <iq type='get' id='p'><prefs xmlns='{MAM}'/></iq>
        again S: <iq type='result' id='p'><prefs xmlns='{MAM}' default='never'>
            <always><jid>alice@example.org</jid></always></prefs></iq>
        "
    ));
}

/// XEP-0441 §2.1.1
#[test]
fn an_account_may_archive_its_contacts_only() {
    let mut script = two();
    script.play(&format!(
        "
        bob C: <iq type='set' id='p'><prefs xmlns='{MAM}' default='roster'/></iq>
        bob S: <iq type='result' id='p'/>
        "
    ));
    tell(&mut script, 0..1);
    script.play(
        "
        bob C: <iq type='set' id='r'><query xmlns='jabber:iq:roster'>
            <item jid='alice@example.org'/></query></iq>
        ",
    );
    tell(&mut script, 1..2);
    assert_eq!(ask(&mut script, "bob", "").texts(), ["1"]);
    assert_eq!(ask(&mut script, "alice", "").texts(), ["0", "1"]);
}

#[test]
fn preferences_have_a_limit() {
    let mut script = two();
    let names: String = (0..1001)
        .map(|number| format!("<jid>user{number}@example.org</jid>"))
        .collect();
    script.play(&format!(
        "
        bob C: <iq type='set' id='p'><prefs xmlns='{MAM}' default='never'><always>{names}</always>
            </prefs></iq>
        bob S: <iq type='error' id='p'><error type='wait'>
            <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        bob C: <iq type='get' id='p'><prefs xmlns='{MAM}'/></iq>
        bob S: <iq type='result' id='p'><prefs xmlns='{MAM}' default='always'/></iq>
        "
    ));
}

/// XEP-0441 §2.1.3, §2.3: "The server SHOULD NOT archive any messages to/from this
/// JID", also if it is to be archived by the other list. With a resource it is that
/// one alone.
#[test]
fn whoever_is_never_archived_is_not_and_one_device_may_be_named() {
    let mut script = three();
    script.appear("laptop", "alice@example.org/laptop");
    script.play(&format!(
        "
        bob C: <iq type='set' id='p'><prefs xmlns='{MAM}' default='never'>
            <always><jid>alice@example.org/phone</jid><jid>carol@example.org</jid></always>
            <never><jid>carol@example.org</jid></never></prefs></iq>
        bob S: <iq type='result' id='p'><prefs xmlns='{MAM}' default='never'>
            <always><jid>alice@example.org/phone</jid><jid>carol@example.org</jid></always>
            <never><jid>carol@example.org</jid></never></prefs></iq>
        "
    ));
    for actor in ["alice", "laptop", "carol"] {
        let message =
            format!("<message to='bob@example.org' type='chat'><body>{actor}</body></message>");
        script.send(actor, &message);
        script.expect("bob", &format!("<message><body>{actor}</body></message>"));
    }
    assert_eq!(ask(&mut script, "bob", "").texts(), ["alice"]);
    script.forget("alice");
    assert_eq!(ask(&mut script, "alice", "").texts(), ["alice", "laptop"]);
}
