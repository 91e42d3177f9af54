//! PLAIN (RFC 4616): `[authzid] NUL authcid NUL passwd`.

use crate::fault::MessageFault;
use crate::message;

/// The one message of the mechanism.
pub(crate) struct Plain<'a> {
    pub(crate) authzid: Option<&'a str>,
    pub(crate) username: &'a str,
    pub(crate) password: &'a str,
}

impl<'a> Plain<'a> {
    pub(crate) fn parse(input: &'a [u8]) -> Result<Self, MessageFault> {
        let text = message::text(input)?;
        let mut fields = text.split('\0');
        let (Some(authzid), Some(username), Some(password), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(MessageFault::Malformed { at: text.len() });
        };
        let at_username = authzid.len() + 1;
        let at_password = at_username + username.len() + 1;
        for (field, at) in [(username, at_username), (password, at_password)] {
            if field.is_empty() {
                return Err(MessageFault::Malformed { at });
            }
        }
        let authzid = (!authzid.is_empty()).then_some(authzid);
        Ok(Self {
            authzid,
            username,
            password,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4616 §4
    #[test]
    fn the_examples_are_taken_apart() {
        let plain = Plain::parse(b"\0tim\0tanstaaftanstaaf").unwrap();
        let parts = (plain.authzid, plain.username, plain.password);
        assert_eq!(parts, (None, "tim", "tanstaaftanstaaf"));
        let plain = Plain::parse(b"Ursel\0Kurt\0xipj3plmq").unwrap();
        assert_eq!((plain.authzid, plain.username), (Some("Ursel"), "Kurt"));
    }

    /// RFC 4616 §2
    #[test]
    fn other_texts_are_refused() {
        for (input, at) in [
            (b"".as_slice(), 0),
            (b"tim", 3),
            (b"\0tim", 4),
            (b"\0tim\0", 5),
            (b"\0\0password", 1),
            (b"\0tim\0pass\0word", 14),
        ] {
            let fault = Plain::parse(input).err();
            assert_eq!(fault, Some(MessageFault::Malformed { at }), "{input:?}");
        }
        let fault = Plain::parse(b"\0t\xffm\0p").err();
        assert_eq!(fault, Some(MessageFault::Encoding { at: 2 }));
    }
}
