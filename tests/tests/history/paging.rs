//! An archive read a page at a time (XEP-0059).

use super::{ask, condition, form, set, tell, told};

/// XEP-0313 §4, §4.3, XEP-0059 §2.2 and §2.3
#[test]
fn an_archive_is_paged_through_in_both_directions_to_the_end_and_beyond() {
    let mut script = told(7);
    let all = ask(&mut script, "bob", "");
    assert_eq!(all.texts(), ["0", "1", "2", "3", "4", "5", "6"]);
    assert!(all.is_complete());
    let mut page = ask(&mut script, "bob", &set("<max>3</max>"));
    for (texts, is_complete) in [
        (["0", "1", "2"].as_slice(), false),
        (&["3", "4", "5"], false),
        (&["6"], true),
    ] {
        assert_eq!(page.texts(), texts);
        assert_eq!(page.is_complete(), is_complete);
        let (first, last) = page.ends().unwrap();
        assert_eq!(
            (first.as_str(), last.as_str()),
            (page.id(0), page.id(texts.len() - 1))
        );
        page = ask(
            &mut script,
            "bob",
            &set(&format!("<max>3</max><after>{last}</after>")),
        );
    }
    assert!(page.texts().is_empty() && page.is_complete() && page.ends().is_none());
    let mut page = ask(&mut script, "bob", &set("<max>3</max><before/>"));
    for (texts, is_complete) in [
        (["4", "5", "6"].as_slice(), false),
        (&["1", "2", "3"], false),
        (&["0"], true),
    ] {
        assert_eq!(page.texts(), texts);
        assert_eq!(page.is_complete(), is_complete);
        let (first, _) = page.ends().unwrap();
        page = ask(
            &mut script,
            "bob",
            &set(&format!("<max>3</max><before>{first}</before>")),
        );
    }
    assert!(page.texts().is_empty() && page.is_complete() && page.ends().is_none());
    let whole = ask(&mut script, "bob", &set("<max>7</max><before/>"));
    assert_eq!(whole.count().as_deref(), Some("7"));
    // XEP-0059 §2.6
    let counted = ask(&mut script, "bob", &set("<max>0</max>"));
    assert_eq!(counted.count().as_deref(), Some("7"));
    assert!(counted.texts().is_empty() && !counted.is_complete());
    // XEP-0059 §2.2: "the number of items in the full result set", from
    // wherever in it the question comes.
    let (_, last) = whole.ends().unwrap();
    for (neighbour, is_complete) in [("after", true), ("before", false)] {
        let neighbour = format!("<max>0</max><{neighbour}>{last}</{neighbour}>");
        let counted = ask(&mut script, "bob", &set(&neighbour));
        assert_eq!(counted.count().as_deref(), Some("7"));
        assert_eq!(counted.is_complete(), is_complete);
    }
}

/// XEP-0313 §4.5: only the order changes in which they are sent.
#[test]
fn a_flipped_page_is_the_same_page_with_the_last_message_first() {
    let mut script = told(5);
    let content = set("<max>3</max><before/>");
    let page = ask(&mut script, "bob", &content);
    let flipped = ask(&mut script, "bob", &format!("{content}<flip-page/>"));
    assert_eq!(flipped.texts(), ["4", "3", "2"]);
    assert_eq!(flipped.ends(), page.ends());
}

/// The id that any message came with is a place to read on from.
#[test]
fn a_message_that_is_not_in_the_archive_is_a_place_to_read_on_from() {
    let mut script = told(1);
    script.send(
        "alice",
        "<message to='bob@example.org' type='chat'><body>gone</body>\
         <no-permanent-store xmlns='urn:xmpp:hints'/></message>",
    );
    let message = script.receive("bob");
    let id = message.child("urn:xmpp:sid:0", "stanza-id").unwrap();
    let id = id.attribute("id").unwrap().into_owned();
    tell(&mut script, 1..2);
    let after = ask(&mut script, "bob", &set(&format!("<after>{id}</after>")));
    assert_eq!(after.texts(), ["1"]);
    let before = ask(&mut script, "bob", &form(&[("before-id", &id)]));
    assert_eq!(before.texts(), ["0"]);
    let itself = ask(&mut script, "bob", &form(&[("ids", &id)]));
    assert_eq!(condition(&itself), "item-not-found");
}
