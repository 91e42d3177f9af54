//! Messages between accounts of one server (RFC 6121 §5 and §8.5).

use anser_tests::script::Script;

/// RFC 6121 §8.5.2.1.1
#[test]
fn a_chat_message_to_an_account_reaches_every_device_that_takes_messages() {
    let mut script = Script::new(&["alice", "bob"]);
    script.appear("alice", "alice@example.org/phone");
    script.appear("bob", "bob@example.org/phone");
    script.appear("laptop", "bob@example.org/laptop");
    script.play(
        "
        laptop S: <presence from='bob@example.org/phone'/>
        bob    S: <presence from='bob@example.org/laptop'/>
        alice  C: <message to='bob@example.org' type='chat' id='m1'><body>hello</body></message>
        bob    S: <message from='alice@example.org/phone' to='bob@example.org' type='chat' id='m1'>
            <body>hello</body>
            <stanza-id xmlns='urn:xmpp:sid:0' by='bob@example.org' id='*'/></message>
        laptop S: <message from='alice@example.org/phone' to='bob@example.org' type='chat' id='m1'>
            <body>hello</body></message>
        alice  S: nothing
        ",
    );
}
