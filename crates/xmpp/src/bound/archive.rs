//! Answers out of archives. They are large and their reader may be slow, so they
//! are read and sent a piece at a time, as mail is.

use super::Bound;
use super::mail::{BITE_BYTES, PAGE};
use crate::front::Xmpp;
use crate::outbound::Sent;
use crate::room;
use anser_hub::{Message, NotKept, Room, Sight};
use anser_jid::BareJid;
use anser_store::{MessageId, Timestamp};
use anser_xmpp_proto::{DefinedCondition, Kind, StanzaError};
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::sync::Arc;

/// Questions of one client that are not answered to the end; further ones are
/// refused.
const MOST_UNANSWERED: usize = 32;

/// What the messages of one answer have in common.
#[derive(Debug)]
pub(crate) struct ArchiveHeader {
    /// Whose archive it is.
    pub(crate) archive: BareJid,
    /// The asker's name for the question (XEP-0313 §4).
    pub(crate) query_id: Option<Box<str>>,
    /// The room, if it is one's archive, and what of it the asker may know.
    pub(crate) room: Option<(Arc<Room>, Sight)>,
}

/// Which messages of an archive are the answer, in the order in which they are
/// sent.
#[derive(Debug)]
pub(crate) struct ArchivePage {
    pub(crate) header: Arc<ArchiveHeader>,
    pub(crate) places: VecDeque<MessageId>,
}

/// Reads messages of an archive, as the asker is to see them.
async fn read(
    front: &Xmpp,
    header: &ArchiveHeader,
    places: &[MessageId],
) -> Result<Vec<(MessageId, Message)>, NotKept> {
    let hub = front.hub();
    let Some((room, sight)) = &header.room else {
        return Ok(hub.messages(places).await?);
    };
    let messages = hub.room_messages(&header.archive, places).await?;
    let shown = messages.into_iter().map(|archived| {
        let message = room::write_archived(front, room, *sight, &archived);
        (archived.place, message)
    });
    Ok(shown.collect())
}

/// An answer under way.
#[derive(Debug)]
pub(super) struct ArchiveAnswer {
    page: ArchivePage,
    /// The id of the question.
    id: Box<str>,
    /// What comes behind the last message (XEP-0313 §4).
    end: Bytes,
}

impl Bound {
    /// Answers a question with a page of an archive and what comes behind it:
    /// as much as can be sent now, and the rest as mail is.
    ///
    /// # Errors
    /// `resource-constraint` if too many questions wait for the rest already.
    pub(crate) async fn answer_from_archive(
        &mut self,
        front: &Xmpp,
        page: ArchivePage,
        id: &str,
        end: Bytes,
        output: &mut BytesMut,
        now: Timestamp,
    ) -> Result<(), StanzaError> {
        self.send_archives(front, output, now).await;
        if self.archives.len() >= MOST_UNANSWERED {
            let reason = format_args!("{MOST_UNANSWERED} questions wait for an answer already");
            return Err(DefinedCondition::ResourceConstraint.because(reason));
        }
        let id = id.into();
        self.archives.push_back(ArchiveAnswer { page, id, end });
        self.send_archives(front, output, now).await;
        Ok(())
    }

    /// Sends of the answers under way what the client can take.
    pub(super) async fn send_archives(
        &mut self,
        front: &Xmpp,
        output: &mut BytesMut,
        now: Timestamp,
    ) {
        while self.takes_more(output) {
            let Some(answer) = self.archives.front() else {
                // An idle stream keeps nothing.
                self.archives = VecDeque::new();
                return;
            };
            let piece: Vec<_> = answer.page.places.iter().copied().take(PAGE).collect();
            if piece.is_empty() {
                if let Some(answer) = self.archives.pop_front() {
                    self.send(Sent::Reply(answer.end), output, now);
                }
                continue;
            }
            let header = Arc::clone(&answer.page.header);
            match read(front, &header, &piece).await {
                Ok(messages) => self.send_piece(&piece, messages, output, now),
                Err(error) => {
                    tracing::error!(%error, "an archive cannot be read");
                    self.give_up(output, now);
                }
            }
        }
    }

    /// Whether the client can take more now.
    fn takes_more(&self, output: &BytesMut) -> bool {
        output.len() < BITE_BYTES && !self.is_held_back()
    }

    /// Sends the first messages of the first answer; those that are gone by now
    /// are left out.
    fn send_piece(
        &mut self,
        piece: &[MessageId],
        messages: Vec<(MessageId, Message)>,
        output: &mut BytesMut,
        now: Timestamp,
    ) {
        let mut messages = messages.into_iter().peekable();
        for place in piece {
            if !self.takes_more(output) {
                return;
            }
            let Some(answer) = self.archives.front_mut() else {
                return;
            };
            answer.page.places.pop_front();
            let header = Arc::clone(&answer.page.header);
            if let Some((_, message)) = messages.next_if(|(found, _)| found == place) {
                self.send(Sent::archived(message, *place, header), output, now);
            }
        }
    }

    /// Ends the first answer with an error.
    fn give_up(&mut self, output: &mut BytesMut, now: Timestamp) {
        let Some(answer) = self.archives.pop_front() else {
            return;
        };
        let error = DefinedCondition::InternalServerError.into();
        let archive = answer.page.header.archive.clone().into();
        self.refuse(
            &error,
            Kind::Iq,
            Some(&archive),
            Some(&answer.id),
            output,
            now,
        );
    }
}
