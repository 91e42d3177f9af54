//! Several devices of an account, and entering once more.

use super::three_in_a_room;

/// XEP-0045 §7.2.8: "the service SHOULD allow entry to the user, so that the
/// user has two (or more) in-room sessions with the same roomnick", and "MUST
/// route in-room messages to all of the user's resources".
#[test]
fn several_devices_of_an_account_are_one_occupant() {
    let mut script = three_in_a_room();
    script.log_in("laptop", "bob@example.org/laptop");
    script.play(
        "
        laptop C: <presence to='coven@rooms.example.org/bob'><show>away</show>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        laptop S: <presence from='coven@rooms.example.org/alice'/>
        laptop S: <presence from='coven@rooms.example.org/carol'/>
        laptop S: <presence from='coven@rooms.example.org/bob'><show>away</show>
            <x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>
        laptop S: <message><subject/></message>
        bob    S: <presence from='coven@rooms.example.org/bob'><show>away</show>
            <x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>
        carol  S: <presence from='coven@rooms.example.org/bob'><show>away</show></presence>
        carol  C: <message to='coven@rooms.example.org' type='groupchat'><body>hi</body></message>
        bob    S: <message to='bob@example.org/phone'><body>hi</body></message>
        laptop S: <message to='bob@example.org/laptop'><body>hi</body></message>
        carol  S: <message><body>hi</body></message>
        carol  C: <message to='coven@rooms.example.org/bob' type='chat'><body>psst</body></message>
        bob    S: <message from='coven@rooms.example.org/carol'><body>psst</body></message>
        laptop S: <message from='coven@rooms.example.org/carol'><body>psst</body></message>
        laptop C: <message to='coven@rooms.example.org' type='groupchat'><body>ho</body></message>
        carol  S: <message from='coven@rooms.example.org/bob'><body>ho</body></message>
        bob    S: <message from='coven@rooms.example.org/bob'><body>ho</body></message>
        laptop S: <message from='coven@rooms.example.org/bob'><body>ho</body></message>
        laptop C: <presence to='coven@rooms.example.org/bob' type='unavailable'/>
        laptop S: <presence from='coven@rooms.example.org/bob' type='unavailable'>
            <x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>
        carol  S: <presence from='coven@rooms.example.org/bob'/>
        bob    S: <presence from='coven@rooms.example.org/bob'/>
        carol  S: nothing
        bob    C: <presence to='coven@rooms.example.org/bob' type='unavailable'/>
        carol  S: <presence from='coven@rooms.example.org/bob' type='unavailable'/>
        ",
    );
}

/// XEP-0045 §7.2.2: "modify the nick [...] and include a status code of 210".
#[test]
fn another_device_that_writes_the_nickname_otherwise_is_told_how_it_is() {
    let mut script = three_in_a_room();
    script.log_in("laptop", "bob@example.org/laptop");
    script.play(
        "
        laptop C: <presence to='coven@rooms.example.org/BOB'>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        laptop S: <presence from='coven@rooms.example.org/alice'/>
        laptop S: <presence from='coven@rooms.example.org/carol'/>
        laptop S: <presence from='coven@rooms.example.org/bob'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <status code='110'/><status code='210'/></x></presence>
        ",
    );
}

/// XEP-0045 §17.3: "If a MUC service receives a Basic MUC Protocol join request
/// from a client that is already joined, it MUST treat it as a full
/// synchronization request".
#[test]
fn whoever_enters_again_is_told_everything_again_and_the_others_nothing() {
    let mut script = three_in_a_room();
    script.play(
        "
        bob   C: <presence to='coven@rooms.example.org/bob'><x xmlns='http://jabber.org/protocol/muc'/></presence>
        bob   S: <presence from='coven@rooms.example.org/alice'/>
        bob   S: <presence from='coven@rooms.example.org/carol'/>
        bob   S: <presence from='coven@rooms.example.org/bob'>
            <x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>
        bob   S: <message><subject/></message>
        alice S: nothing
        carol S: nothing
        ",
    );
}

/// XEP-0045 §17.3, §7.6: "send to the client everything that would be sent to it
/// on a normal join".
#[test]
fn whoever_enters_again_under_another_nickname_has_it_and_is_told_everything_again() {
    let mut script = three_in_a_room();
    script.play(
        "
        bob   C: <message to='coven@rooms.example.org' type='groupchat' id='1'><body>x</body></message>
        bob   S: <message id='1'/>
        alice S: <message id='1'/>
        carol S: <message id='1'/>
        bob   C: <presence to='coven@rooms.example.org/robert'>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        bob   S: <presence from='coven@rooms.example.org/bob' type='unavailable'>
            <x xmlns='http://jabber.org/protocol/muc#user'><item nick='robert'/>
            <status code='110'/><status code='303'/></x></presence>
        bob   S: <presence from='coven@rooms.example.org/robert'/>
        bob   S: <presence from='coven@rooms.example.org/alice'/>
        bob   S: <presence from='coven@rooms.example.org/carol'/>
        bob   S: <presence from='coven@rooms.example.org/robert'>
            <x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>
        bob   S: <message id='1'><delay xmlns='urn:xmpp:delay'/></message>
        bob   S: <message><subject/></message>
        bob   S: nothing
        carol S: <presence from='coven@rooms.example.org/bob' type='unavailable'/>
        carol S: <presence from='coven@rooms.example.org/robert'/>
        carol S: nothing
        ",
    );
}

/// XEP-0045 §17.3, §7.2.2: 210 as well.
#[test]
fn whoever_enters_again_and_writes_the_nickname_otherwise_is_told_how_it_is() {
    let mut script = three_in_a_room();
    script.play(
        "
        bob   C: <presence to='coven@rooms.example.org/BOB'>
            <x xmlns='http://jabber.org/protocol/muc'/></presence>
        bob   S: <presence from='coven@rooms.example.org/alice'/>
        bob   S: <presence from='coven@rooms.example.org/carol'/>
        bob   S: <presence from='coven@rooms.example.org/bob'>
            <x xmlns='http://jabber.org/protocol/muc#user'>
            <status code='110'/><status code='210'/></x></presence>
        ",
    );
}
