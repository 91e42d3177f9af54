//! Message archives (XEP-0313), and what goes into them (XEP-0441).

use super::{Context, Scope};
use crate::bound::{ArchiveHeader, ArchivePage};
use crate::error;
use anser_hub::{
    HistoryDefault, HistoryError, HistoryPage, HistoryPreferences, HistoryQuery, Paging, Room,
    Sight, With,
};
use anser_jid::{BareJid, Jid};
use anser_store::{MessageId, Timestamp};
use anser_xml::{Child, Writer};
use anser_xmpp_proto::payload::mam::{self, Completeness, DefaultPreference, Preferences, Query};
use anser_xmpp_proto::payload::rsm::{PageAnswer, PageEnds, PageRequest};
use anser_xmpp_proto::{DefinedCondition, StanzaError};
use std::sync::Arc;

/// A page of the account's own archive (XEP-0313 §4).
pub(super) async fn query(ctx: &mut Context<'_>, query: Child<'_>) -> Result<(), StanzaError> {
    let owner = own_archive(ctx)?;
    let query = Query::read(query)?;
    let with = |address| With::in_account(&owner, address);
    answer(ctx, &owner, None, query, with).await?;
    if let Some(page) = &ctx.archive {
        ctx.front
            .hub()
            .give_history(ctx.session, page.places.iter().copied());
    }
    Ok(())
}

/// What can be asked for (XEP-0313 §4.1.5).
#[expect(clippy::unused_async, reason = "the form of a handler")]
pub(super) async fn form(ctx: &mut Context<'_>, _: Child<'_>) -> Result<(), StanzaError> {
    own_archive(ctx)?;
    mam::write_form(&mut Writer::new(&mut ctx.reply));
    Ok(())
}

/// Where the account's own archive begins and ends (XEP-0313 §5).
pub(super) async fn metadata(ctx: &mut Context<'_>, _: Child<'_>) -> Result<(), StanzaError> {
    let owner = own_archive(ctx)?;
    tell_ends(ctx, &owner).await
}

/// Which messages the account archives (XEP-0441 §2.1).
#[expect(clippy::unused_async, reason = "the form of a handler")]
pub(super) async fn preferences(ctx: &mut Context<'_>, _: Child<'_>) -> Result<(), StanzaError> {
    own_archive(ctx)?;
    let preferences = ctx.front.hub().history_preferences(ctx.session);
    write_preferences(ctx, preferences);
    Ok(())
}

/// Changes that; the answer is what holds then (XEP-0441 §2.1).
pub(super) async fn set_preferences(
    ctx: &mut Context<'_>,
    child: Child<'_>,
) -> Result<(), StanzaError> {
    own_archive(ctx)?;
    let Preferences {
        default,
        always,
        never,
    } = Preferences::read(child)?;
    let default = match default {
        DefaultPreference::Always => HistoryDefault::Always,
        DefaultPreference::Never => HistoryDefault::Never,
        DefaultPreference::Roster => HistoryDefault::Roster,
    };
    let preferences = HistoryPreferences {
        default,
        always,
        never,
    };
    let hub = ctx.front.hub();
    hub.set_history_preferences(ctx.session, preferences.clone(), ctx.now)
        .await
        .map_err(|error| error::preferences_error(&error))?;
    write_preferences(ctx, preferences);
    Ok(())
}

fn write_preferences(ctx: &mut Context<'_>, preferences: HistoryPreferences) {
    let HistoryPreferences {
        default,
        always,
        never,
    } = preferences;
    let default = match default {
        HistoryDefault::Always => DefaultPreference::Always,
        HistoryDefault::Never => DefaultPreference::Never,
        HistoryDefault::Roster => DefaultPreference::Roster,
    };
    let preferences = Preferences {
        default,
        always,
        never,
    };
    preferences.write(&mut Writer::new(&mut ctx.reply));
}

/// An account's archive is its own (XEP-0313 §8.1). Others learn nothing, not
/// even whether there is such an account.
fn own_archive(ctx: &Context<'_>) -> Result<BareJid, StanzaError> {
    match ctx.scope {
        Scope::Own => Ok(ctx.session.address().to_bare()),
        Scope::Server(_) | Scope::Account(_) | Scope::Rooms(_) | Scope::Room(_) => {
            Err(DefinedCondition::Forbidden.into())
        }
    }
}

/// Answers a question after an archive that its asker may see. `with` says what
/// an address means in it.
pub(crate) async fn answer(
    ctx: &mut Context<'_>,
    owner: &BareJid,
    room: Option<(Arc<Room>, Sight)>,
    query: Query,
    with: impl FnOnce(Jid) -> With,
) -> Result<(), StanzaError> {
    let (query_id, is_flipped) = (query.query_id.clone(), query.is_flipped);
    let query = history_query(query, with)?;
    let page = ctx.front.hub().history(owner, query).await;
    let page = page.map_err(|error| error::history_error(&error))?;
    write_end(&mut Writer::new(&mut ctx.reply), &page);
    let mut places = page.places;
    if is_flipped {
        places.reverse();
    }
    ctx.archive = Some(ArchivePage {
        header: Arc::new(ArchiveHeader {
            archive: owner.clone(),
            query_id: query_id.map(Into::into),
            room,
        }),
        places: places.into(),
    });
    Ok(())
}

/// Tells where an archive begins and ends whose asker may see it.
pub(crate) async fn tell_ends(ctx: &mut Context<'_>, owner: &BareJid) -> Result<(), StanzaError> {
    let ends = ctx.front.hub().history_ends(owner).await;
    let ends = ends.map_err(|error| error::history_error(&HistoryError::from(error)))?;
    let ends = ends.map(|(first, last)| [first, last]);
    let ids = ends.map(|ends| ends.map(|end| end.to_string()));
    let end = |number: usize| {
        let id = ids.as_ref()?[number].as_str();
        Some((id, ends?[number].timestamp().millis()))
    };
    let ends = end(0).zip(end(1)).map(|(first, last)| [first, last]);
    mam::write_metadata(&mut Writer::new(&mut ctx.reply), ends);
    Ok(())
}

fn history_query(
    query: Query,
    with: impl FnOnce(Jid) -> With,
) -> Result<HistoryQuery, StanzaError> {
    Ok(HistoryQuery {
        with: query.with.map(with),
        start: query.start_millis.map(Timestamp::from_millis),
        end: query.end_millis.map(Timestamp::from_millis),
        after: query.after_id.as_deref().map(place).transpose()?,
        before: query.before_id.as_deref().map(place).transpose()?,
        ids: query
            .ids
            .iter()
            .map(|id| place(id))
            .collect::<Result<_, _>>()?,
        paging: paging(&query.page)?,
        most: query
            .page
            .max
            .map(|max| usize::try_from(max).unwrap_or(usize::MAX)),
    })
}

/// What is no id was never the id of anything (XEP-0313 §4.3).
fn place(id: &str) -> Result<MessageId, StanzaError> {
    id.parse()
        .map_err(|_| DefinedCondition::ItemNotFound.into())
}

fn paging(page: &PageRequest) -> Result<Paging, StanzaError> {
    if page.index.is_some() {
        let reason = "pages begin at a message, not at a number";
        return Err(DefinedCondition::FeatureNotImplemented.because(reason));
    }
    match (page.before.as_deref(), page.after.as_deref()) {
        (None, after) => Ok(Paging::Forward {
            after: after.map(place).transpose()?,
        }),
        (Some(""), None) => Ok(Paging::Backward { before: None }),
        (Some(before), None) => Ok(Paging::Backward {
            before: Some(place(before)?),
        }),
        // Nothing says what that would be (XEP-0313 §4.3).
        (Some(_), Some(_)) => {
            let reason = "a page is before a message or after one; use before-id and after-id";
            Err(DefinedCondition::BadRequest.because(reason))
        }
    }
}

fn write_end(iq: &mut Writer<'_>, page: &HistoryPage) {
    let ends = page.places.first().zip(page.places.last());
    let answer = PageAnswer {
        ends: ends.map(|(first, last)| PageEnds {
            first: first.to_string(),
            // It is counted if it is all on this page.
            index: page.count.map(|_| 0),
            last: last.to_string(),
        }),
        count: page.count.map(|count| count as u64),
    };
    let completeness = match page.is_complete {
        true => Completeness::Complete,
        false => Completeness::Partial,
    };
    mam::write_fin(iq, completeness, &answer);
}
