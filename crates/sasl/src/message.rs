//! The messages of SCRAM, read (RFC 5802 §7).
//!
//! A comma separates fields and never stands inside of one, so a message is a
//! list of fields `<letter>=<value>`.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::fault::MessageFault;
use crate::nonce::is_nonce;

/// Longest message accepted: three parts of an address and two long nonces.
const MAX_MESSAGE_BYTES: usize = 8192;

/// Checks the length of a message and makes it text.
pub(crate) fn text(input: &[u8]) -> Result<&str, MessageFault> {
    if input.len() > MAX_MESSAGE_BYTES {
        return Err(MessageFault::TooLong {
            got: input.len(),
            limit: MAX_MESSAGE_BYTES,
        });
    }
    str::from_utf8(input).map_err(|error| MessageFault::Encoding {
        at: error.valid_up_to(),
    })
}

/// What the client says about channel binding (`gs2-cbind-flag`).
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flag<'a> {
    /// `n`: it does not support any.
    Unsupported,
    /// `y`: it does, and believes that the server does not.
    NotOffered,
    /// `p`: it uses the type of this name.
    Used(&'a str),
}

/// `client-first-message`.
pub(crate) struct ClientFirst<'a> {
    /// `gs2-header`, with the comma at its end.
    pub(crate) header: &'a str,
    pub(crate) flag: Flag<'a>,
    pub(crate) authzid: Option<String>,
    /// `client-first-message-bare`.
    pub(crate) bare: &'a str,
    pub(crate) username: String,
    pub(crate) nonce: &'a str,
}

impl<'a> ClientFirst<'a> {
    pub(crate) fn parse(input: &'a [u8]) -> Result<Self, MessageFault> {
        let message = text(input)?;
        let mut fields = Fields::of(message);
        let flag = fields.flag()?;
        let authzid = fields.authzid()?;
        let (header, bare) = message.split_at(fields.start_of_next()?);
        let username = fields.value('n')?.saslname()?;
        let nonce = fields.value('r')?.nonce()?;
        fields.extensions()?;
        Ok(Self {
            header,
            flag,
            authzid,
            bare,
            username,
            nonce,
        })
    }
}

/// `server-first-message`.
pub(crate) struct ServerFirst<'a> {
    pub(crate) nonce: &'a str,
    pub(crate) salt: Vec<u8>,
    pub(crate) iterations: u32,
    /// Attribute `h` (XEP-0474 §6.1).
    pub(crate) downgrade_hash: Option<&'a str>,
}

impl<'a> ServerFirst<'a> {
    pub(crate) fn parse(message: &'a str) -> Result<Self, MessageFault> {
        let mut fields = Fields::of(message);
        Ok(Self {
            nonce: fields.value('r')?.nonce()?,
            salt: fields.value('s')?.base64()?,
            iterations: fields.value('i')?.number()?,
            downgrade_hash: fields.extensions()?,
        })
    }
}

/// `client-final-message`.
pub(crate) struct ClientFinal<'a> {
    /// `client-final-message-without-proof`.
    pub(crate) without_proof: &'a str,
    /// `cbind-input`: the `gs2-header` again, and the binding data.
    pub(crate) binding: Vec<u8>,
    pub(crate) nonce: &'a str,
    pub(crate) proof: Vec<u8>,
}

impl<'a> ClientFinal<'a> {
    pub(crate) fn parse(input: &'a [u8]) -> Result<Self, MessageFault> {
        let message = text(input)?;
        let end = message.rfind(',').unwrap_or(message.len());
        let without_proof = &message[..end];
        let mut fields = Fields::of(without_proof);
        let binding = fields.value('c')?.base64()?;
        let nonce = fields.value('r')?.nonce()?;
        fields.extensions()?;
        let mut last = Fields {
            message,
            next: (end < message.len()).then_some(end + 1),
        };
        let proof = last.value('p')?.base64()?;
        Ok(Self {
            without_proof,
            binding,
            nonce,
            proof,
        })
    }
}

/// `server-final-message`.
pub(crate) enum ServerFinal<'a> {
    /// `verifier`: the server's signature.
    Signature(Vec<u8>),
    /// `server-error`.
    Error(&'a str),
}

impl<'a> ServerFinal<'a> {
    pub(crate) fn parse(message: &'a str) -> Result<Self, MessageFault> {
        let mut fields = Fields::of(message);
        let outcome = if message.starts_with("e=") {
            Self::Error(fields.value('e')?.text)
        } else {
            Self::Signature(fields.value('v')?.base64()?)
        };
        fields.extensions()?;
        Ok(outcome)
    }
}

/// Writes a name so that it has no comma and no equals sign (`saslname`).
pub(crate) fn escape(name: &str) -> Cow<'_, str> {
    if name.contains([',', '=']) {
        Cow::Owned(name.replace('=', "=3D").replace(',', "=2C"))
    } else {
        Cow::Borrowed(name)
    }
}

/// The fields of a message that are still to be read.
struct Fields<'a> {
    message: &'a str,
    /// Where the next one starts.
    next: Option<usize>,
}

impl<'a> Fields<'a> {
    fn of(message: &'a str) -> Self {
        Self {
            message,
            next: Some(0),
        }
    }

    fn start_of_next(&self) -> Result<usize, MessageFault> {
        self.next.ok_or(MessageFault::Malformed {
            at: self.message.len(),
        })
    }

    fn take(&mut self) -> Result<Value<'a>, MessageFault> {
        let at = self.start_of_next()?;
        let rest = &self.message[at..];
        let text = rest.split_once(',').map_or(rest, |(text, _)| text);
        let end = at + text.len();
        self.next = (end < self.message.len()).then_some(end + 1);
        match text.find('\0') {
            Some(offset) => Err(MessageFault::Malformed { at: at + offset }),
            None => Ok(Value { text, at }),
        }
    }

    /// The field of that name, which must come next and have a value.
    fn value(&mut self, name: char) -> Result<Value<'a>, MessageFault> {
        let Value { text, at } = self.take()?;
        match text
            .strip_prefix(name)
            .and_then(|text| text.strip_prefix('='))
        {
            Some(text) if !text.is_empty() => Ok(Value { text, at: at + 2 }),
            _ if text.starts_with("m=") => Err(MessageFault::MandatoryExtension { at }),
            _ => Err(MessageFault::Malformed { at }),
        }
    }

    /// `gs2-cbind-flag`
    fn flag(&mut self) -> Result<Flag<'a>, MessageFault> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let Value { text, at } = self.take()?;
        match (text, text.strip_prefix("p=")) {
            ("n", _) => Ok(Flag::Unsupported),
            ("y", _) => Ok(Flag::NotOffered),
            (_, Some(name)) if !name.is_empty() && name.chars().all(is_name) => {
                Ok(Flag::Used(name))
            }
            _ => Err(MessageFault::Malformed { at }),
        }
    }

    /// `[authzid]`
    fn authzid(&mut self) -> Result<Option<String>, MessageFault> {
        let Value { text, at } = self.take()?;
        match text.strip_prefix("a=") {
            Some(text) if !text.is_empty() => Value { text, at: at + 2 }.saslname().map(Some),
            None if text.is_empty() => Ok(None),
            Some(_) | None => Err(MessageFault::Malformed { at }),
        }
    }

    /// All that is left: `extensions`. They are optional and none concerns us
    /// but `h`, which is returned.
    fn extensions(mut self) -> Result<Option<&'a str>, MessageFault> {
        let mut hash = None;
        while self.next.is_some() {
            let Value { text, at } = self.take()?;
            match text.split_once('=') {
                Some((_, "")) | None => return Err(MessageFault::Malformed { at }),
                Some(("m", _)) => return Err(MessageFault::MandatoryExtension { at }),
                Some(("h", value)) => hash = Some(value),
                Some((name, _)) if is_letter(name) => {}
                Some(_) => return Err(MessageFault::Malformed { at }),
            }
        }
        Ok(hash)
    }
}

fn is_letter(name: &str) -> bool {
    name.len() == 1 && name.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// A part of a message and where in the message it starts.
#[derive(Clone, Copy)]
struct Value<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Value<'a> {
    fn malformed(self) -> MessageFault {
        MessageFault::Malformed { at: self.at }
    }

    /// Undoes [`escape`].
    fn saslname(self) -> Result<String, MessageFault> {
        let mut pieces = self.text.split('=');
        let mut name = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (c, rest) = match (piece.strip_prefix("2C"), piece.strip_prefix("3D")) {
                (Some(rest), _) => (',', rest),
                (_, Some(rest)) => ('=', rest),
                (None, None) => return Err(self.malformed()),
            };
            name.push(c);
            name.push_str(rest);
        }
        Ok(name)
    }

    fn nonce(self) -> Result<&'a str, MessageFault> {
        if is_nonce(self.text) {
            Ok(self.text)
        } else {
            Err(self.malformed())
        }
    }

    /// `posit-number`
    fn number(self) -> Result<u32, MessageFault> {
        let is_number = self.text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if is_number && !self.text.starts_with('0') {
            self.text.parse()
        } else {
            return Err(self.malformed());
        };
        number.map_err(|_| self.malformed())
    }

    /// Base64 in its one canonical form, so that nobody can vary a message
    /// without our noticing.
    fn base64(self) -> Result<Vec<u8>, MessageFault> {
        BASE64
            .decode(self.text)
            .map_err(|_| MessageFault::Encoding { at: self.at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client_first(message: &str) -> Result<ClientFirst<'_>, MessageFault> {
        ClientFirst::parse(message.as_bytes())
    }

    /// RFC 5802 §7
    #[test]
    fn a_first_message_is_taken_apart() {
        let message = "p=tls-exporter,a=a=2Cb=3Dc,n=ü=3D=2C,r=abc,x=1=2,y=z";
        let first = client_first(message).unwrap();
        assert_eq!(first.header, "p=tls-exporter,a=a=2Cb=3Dc,");
        assert_eq!(first.flag, Flag::Used("tls-exporter"));
        assert_eq!(first.authzid.as_deref(), Some("a,b=c"));
        assert_eq!(first.bare, "n=ü=3D=2C,r=abc,x=1=2,y=z");
        assert_eq!((first.username.as_str(), first.nonce), ("ü=,", "abc"));
    }

    /// RFC 5802 §7
    #[test]
    fn a_first_message_must_follow_the_grammar_to_the_byte() {
        for (message, at) in [
            ("", 0),
            ("n", 1),
            ("n,", 2),
            ("n,,", 3),
            ("x,,n=a,r=b", 0),
            ("N,,n=a,r=b", 0),
            ("p=,,n=a,r=b", 0),
            ("p=a b,,n=a,r=b", 0),
            ("p,,n=a,r=b", 0),
            ("n,a=,n=a,r=b", 2),
            ("n,b=a,n=a,r=b", 2),
            ("n,a=x=,n=a,r=b", 4),
            ("n,,r=b,n=a", 3),
            ("n,,n=,r=b", 3),
            ("n,,n=a=2c,r=b", 5),
            ("n,,n=a=", 5),
            ("n,,n=a\0b,r=b", 6),
            ("n,,n=a", 6),
            ("n,,n=a,", 7),
            ("n,,n=a,r=", 7),
            ("n,,n=a,r=b c", 9),
            ("n,,n=a,r=ü", 9),
            ("n,,n=a,r=b,", 11),
            ("n,,n=a,r=b,x", 11),
            ("n,,n=a,r=b,x=", 11),
            ("n,,n=a,r=b,xy=1", 11),
            ("n,,n=a,r=b,1=1", 11),
        ] {
            let fault = client_first(message).err();
            assert_eq!(fault, Some(MessageFault::Malformed { at }), "{message:?}");
        }
    }

    /// RFC 5802 §5.1, attribute `m`
    #[test]
    fn a_mandatory_extension_is_refused_wherever_it_stands() {
        for (message, at) in [
            ("n,,m=x,n=a,r=b", 3),
            ("n,,n=a,m=x,r=b", 7),
            ("n,,n=a,r=b,m=x", 11),
        ] {
            let fault = client_first(message).err();
            assert_eq!(fault, Some(MessageFault::MandatoryExtension { at }));
        }
        let fault = ServerFirst::parse("m=x,r=a,s=QQ==,i=4096").err();
        assert_eq!(fault, Some(MessageFault::MandatoryExtension { at: 0 }));
        let fault = ClientFinal::parse(b"c=biws,r=a,m=x,p=QQ==").err();
        assert_eq!(fault, Some(MessageFault::MandatoryExtension { at: 11 }));
    }

    /// RFC 5802 §7
    #[test]
    fn a_final_message_ends_with_its_proof() {
        let last = ClientFinal::parse(b"c=biws,r=abc,x=1,p=QUI=").unwrap();
        assert_eq!(last.without_proof, "c=biws,r=abc,x=1");
        assert_eq!(
            (last.binding.as_slice(), last.nonce),
            (b"n,,".as_slice(), "abc")
        );
        assert_eq!(last.proof, b"AB");
        for (message, at) in [
            ("", 0),
            ("c=biws", 6),
            ("c=biws,r=abc", 6),
            ("c=biws,p=QUI=", 6),
            ("r=abc,c=biws,p=QUI=", 0),
            ("c=biws,r=abc,p=QUI=,x=1", 20),
            ("c=biws,r=abc,p=", 13),
        ] {
            let fault = ClientFinal::parse(message.as_bytes()).err();
            assert_eq!(fault, Some(MessageFault::Malformed { at }), "{message:?}");
        }
    }

    /// RFC 4648 §3.5
    #[test]
    fn base64_has_one_form() {
        for proof in [
            "QUI", "QUJ=", "QUI==", "QU I=", "QUI=QUI=", "Q*I=", "QUI=\n", "====", "_-==",
        ] {
            let message = format!("c=biws,r=abc,p={proof}");
            let fault = ClientFinal::parse(message.as_bytes()).err();
            assert_eq!(fault, Some(MessageFault::Encoding { at: 15 }), "{proof:?}");
        }
    }

    /// RFC 5802 §7, `posit-number`
    #[test]
    fn an_iteration_count_is_a_positive_number() {
        let count = |text: &str| {
            ServerFirst::parse(&format!("r=a,s=QQ==,i={text}")).map(|first| first.iterations)
        };
        assert_eq!(count("4096"), Ok(4096));
        for text in ["0", "04096", "+4096", "-1", "4096 ", "4294967296", "x"] {
            assert_eq!(
                count(text),
                Err(MessageFault::Malformed { at: 13 }),
                "{text}"
            );
        }
    }

    #[test]
    fn a_message_is_text_of_at_most_8192_bytes() {
        assert_eq!(text(b"n,,\xff"), Err(MessageFault::Encoding { at: 3 }));
        assert!(text(&[b'a'; 8192]).is_ok());
        let fault = MessageFault::TooLong {
            got: 8193,
            limit: 8192,
        };
        assert_eq!(text(&[b'a'; 8193]), Err(fault));
    }
}
