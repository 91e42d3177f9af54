//! Cards with a picture (XEP-0054), as rooms have them (XEP-0486).

use crate::{DefinedCondition, StanzaError, ns};
use anser_xml::{Child, Writer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ring::digest;

/// So many pictures may be in a card: all of them show the same in another form
/// (XEP-0486 §5.1).
pub const MOST_PHOTOS: usize = 8;

/// A card as somebody has sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// The element, which needs no declaration from outside but that of the
    /// default namespace `jabber:client`.
    pub content: Bytes,
    /// The SHA-1 hash of each picture, in hexadecimal digits (XEP-0153 §3.1).
    pub hashes: Vec<String>,
}

/// Why a card is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardFault {
    /// A picture is not what it says.
    #[error("the BINVAL of a PHOTO is not base64")]
    NotBase64,
    /// There are too many of them.
    #[error("{got} pictures exceed the limit of {MOST_PHOTOS}")]
    TooMany {
        /// How many there are.
        got: usize,
    },
}

impl From<CardFault> for StanzaError {
    fn from(fault: CardFault) -> Self {
        let condition = match fault {
            CardFault::NotBase64 => DefinedCondition::BadRequest,
            CardFault::TooMany { .. } => DefinedCondition::NotAcceptable,
        };
        condition.because(fault)
    }
}

impl Card {
    /// Reads the element `vCard`; `None` for one with nothing in it, which takes
    /// away what was there (XEP-0486 §4.2).
    ///
    /// # Errors
    /// [`CardFault`]
    pub fn read(card: Child<'_>) -> Result<Option<Self>, CardFault> {
        let card = card.open();
        if card.children().next().is_none() {
            return Ok(None);
        }
        let photos = card.children().filter(|child| child.is(ns::VCARD, "PHOTO"));
        let pictures = photos.filter_map(|photo| photo.child(ns::VCARD, "BINVAL"));
        let pictures: Vec<_> = pictures.collect();
        if pictures.len() > MOST_PHOTOS {
            let got = pictures.len();
            return Err(CardFault::TooMany { got });
        }
        let hashes = pictures.iter().map(|picture| hash(&picture.text()));
        let hashes: Result<Vec<_>, _> = hashes.filter_map(Result::transpose).collect();
        Ok(Some(Self {
            content: card.to_bytes(ns::CLIENT),
            hashes: hashes?,
        }))
    }
}

/// The hash of a picture; `None` if there is nothing in it.
fn hash(base64: &str) -> Result<Option<String>, CardFault> {
    // Many clients break the lines.
    let base64: String = base64.split_ascii_whitespace().collect();
    if base64.is_empty() {
        return Ok(None);
    }
    let picture = STANDARD.decode(base64);
    let picture = picture.map_err(|_| CardFault::NotBase64)?;
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &picture);
    let hex = hash.as_ref().iter().map(|byte| format!("{byte:02x}"));
    Ok(Some(hex.collect()))
}

/// Writes a card with nothing in it.
pub fn write_empty(iq: &mut Writer<'_>) {
    iq.open("vCard").namespace(ns::VCARD).close();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{element, in_iq};

    /// The pictures of XEP-0486 §5.1, example 11.
    const SVG: &str = "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHdpZHRoPSIzMiIgaGVpZ2h0PSIzMiI+CiA8cmVjdCB4PSIwIiB5PSIwIiB3aWR0aD0iMzIiIGhlaWdodD0iMzIiIGZpbGw9InJlZCIvPgo8L3N2Zz4K";
    const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgAQMAAABJtOi3AAAAB3RJTUUH4ggVERoVAPsrMgAAAAlwSFlzAAALEgAACxIB0t1+/AAAAARnQU1BAACxjwv8YQUAAAAgY0hSTQAAeiYAAICEAAD6AAAAgOgAAHUwAADqYAAAOpgAABdwnLpRPAAAAAZQTFRF/wAA////QR00EQAAAAFiS0dEAf8CLd4AAAAMSURBVAjXY2AY3AAAAKAAAWElfUcAAAAASUVORK5CYII=";

    fn read(content: &str) -> Result<Option<Card>, CardFault> {
        let iq = element(&format!(
            "<iq><vCard xmlns='vcard-temp'>{content}</vCard></iq>"
        ));
        Card::read(iq.children().next().unwrap())
    }

    fn photo(binval: &str) -> String {
        format!("<PHOTO><TYPE>image/png</TYPE><BINVAL>{binval}</BINVAL></PHOTO>")
    }

    /// XEP-0486 §4.3, §5.1
    #[test]
    fn every_picture_of_a_card_has_a_hash() {
        let (first, second) = SVG.split_at(60);
        let card = read(&(photo(&format!("\n {first}\n {second}\n")) + &photo(PNG)));
        let card = card.unwrap().unwrap();
        assert_eq!(card.hashes[0], "a31c4bd04de69663cfd7f424a8453f4674da37ff");
        assert_eq!(card.hashes.len(), 2);
        assert!(
            card.content
                .starts_with(b"<vCard xmlns='vcard-temp'><PHOTO>")
        );
    }

    #[test]
    fn a_card_may_have_no_picture_and_one_with_nothing_is_none() {
        for content in ["<FN>Coven</FN>", "<PHOTO/>", &photo(""), &photo(" ")] {
            assert_eq!(read(content).unwrap().unwrap().hashes, [""; 0], "{content}");
        }
        assert_eq!(read(""), Ok(None));
        assert_eq!(in_iq(write_empty), "<vCard xmlns='vcard-temp'/>");
    }

    #[test]
    fn what_is_no_picture_is_refused_and_so_are_too_many() {
        assert_eq!(read(&photo("?!")), Err(CardFault::NotBase64));
        let got = MOST_PHOTOS + 1;
        let many = photo(SVG).repeat(got);
        assert_eq!(read(&many), Err(CardFault::TooMany { got }));
    }

    #[test]
    fn a_card_means_the_same_wherever_it_is_given_out() {
        let iq = element("<iq><v:vCard xmlns:v='vcard-temp'><v:FN>x</v:FN></v:vCard></iq>");
        let card = Card::read(iq.children().next().unwrap()).unwrap().unwrap();
        let card = element(&format!(
            "<iq>{}</iq>",
            std::str::from_utf8(&card.content).unwrap()
        ));
        assert!(card.child(ns::VCARD, "vCard").is_some());
    }
}
