//! Slow mode: who has to wait until they speak again (XEP-0500 §5).
//!
//! The wait may be a day, and a room that nobody is in is not kept in memory for
//! it: it is a record that is written with how much is said in the room. A crash
//! forgets who waits.

use super::state::RoomState;
use super::{Affiliation, RoomError, Speech};
use crate::Session;
use crate::account::to_json;
use anser_store::{Change, Expect, StoreError, Timestamp, View};
use std::collections::BTreeMap;

/// The record of when accounts have spoken.
const SPOKE: &str = "room-spoke";

impl RoomState {
    /// Whether whoever says this has to wait until they say the next: everybody
    /// but admins and owners (XEP-0500 §5).
    pub(super) fn is_slowed_down(&self, session: &Session, speech: Speech) -> bool {
        let is_high = self.affiliation(session.address()) >= Affiliation::Admin;
        speech == Speech::Message && !is_high && !self.config.slow_mode().is_zero()
    }

    /// Whether somebody has waited since they spoke last (XEP-0500 §5).
    pub(super) fn check_wait(
        &mut self,
        session: &Session,
        now: Timestamp,
    ) -> Result<(), RoomError> {
        let slow_mode = self.config.slow_mode();
        self.spoke.retain(|_, spoke| now.since(*spoke) < slow_mode);
        let account = session.address().bare_str();
        match self.spoke.get(account) {
            Some(spoke) => {
                let wait = slow_mode.saturating_sub(now.since(*spoke));
                Err(RoomError::TooFast { wait })
            }
            None => Ok(()),
        }
    }

    /// Reads who waits, in a room where somebody may have to.
    pub(super) fn load_waits(&mut self, view: &View<'_>) -> Result<(), StoreError> {
        if self.config.slow_mode().is_zero() {
            return Ok(());
        }
        let record = view.record(&self.address, SPOKE, "")?;
        let spoke = record.and_then(|record| serde_json::from_slice(&record.value).ok());
        let spoke: BTreeMap<String, u64> = spoke.unwrap_or_default();
        let spoke = spoke.iter().filter_map(|(account, millis)| {
            let account = account.parse().ok()?;
            Some((account, Timestamp::from_millis(*millis)))
        });
        self.spoke = spoke.collect();
        Ok(())
    }

    /// What writes down who waits, in a room where somebody may have to.
    pub(super) fn save_waits(&mut self, now: Timestamp) -> Option<Change> {
        let slow_mode = self.config.slow_mode();
        self.spoke.retain(|_, spoke| now.since(*spoke) < slow_mode);
        let (owner, key) = (self.address.clone(), String::new());
        if slow_mode.is_zero() {
            return None;
        }
        if self.spoke.is_empty() {
            return Some(Change::Delete {
                owner,
                kind: SPOKE,
                key,
            });
        }
        let spoke = self.spoke.iter();
        let spoke: BTreeMap<_, _> = spoke
            .map(|(account, spoke)| (account.as_str(), spoke.millis()))
            .collect();
        Some(Change::Put {
            owner,
            kind: SPOKE,
            key,
            value: to_json(&spoke),
            expect: Expect::Anything,
        })
    }
}
