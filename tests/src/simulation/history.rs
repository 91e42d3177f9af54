//! What everybody can read again in the end.

use super::{NAMES, Simulation};
use crate::world::DOMAIN;
use anser_hub::{HistoryQuery, Paging};
use anser_jid::BareJid;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Simulation {
    /// Whatever has arrived at somebody is in their history under the id that it
    /// came with, and in that of whoever sent it; and history is the same from
    /// both ends.
    pub(super) fn check_history(&mut self) {
        let histories: Vec<_> = (0..self.accounts)
            .map(|account| self.history(account))
            .collect();
        for reader in &self.scene.people {
            for sender in &self.scene.people {
                for arrival in reader.arrivals_from(&sender.device.address) {
                    for account in [reader.account, sender.account] {
                        assert!(
                            histories[account].contains(&arrival.place),
                            "{} from {} to {} is not in the history of {}\n{}",
                            arrival.number,
                            sender.device.address,
                            reader.device.address,
                            NAMES[account],
                            self.scene.transcript
                        );
                    }
                }
            }
        }
    }

    /// The ids of all messages, read in pages of any size.
    fn history(&mut self, account: usize) -> BTreeSet<String> {
        let size = 1 + self.scene.dice.below(30);
        let forward = self.pages(account, size, |after| Paging::Forward { after });
        let mut backward = self.pages(account, size, |before| Paging::Backward { before });
        backward.reverse();
        let (forward, backward) = (forward.concat(), backward.concat());
        assert_eq!(forward, backward, "{}", self.scene.transcript);
        assert!(
            forward.is_sorted_by(|a, b| a < b),
            "{}",
            self.scene.transcript
        );
        forward.into_iter().collect()
    }

    /// One page after the other, in the order in which they were read.
    fn pages(
        &mut self,
        account: usize,
        size: usize,
        paging: impl Fn(Option<anser_store::MessageId>) -> Paging,
    ) -> Vec<Vec<String>> {
        let owner = BareJid::new(Some(NAMES[account]), DOMAIN).unwrap();
        let (mut pages, mut from) = (Vec::new(), None);
        loop {
            let query = HistoryQuery {
                paging: paging(from),
                most: Some(size),
                ..HistoryQuery::default()
            };
            let (hub, owner) = (Arc::clone(self.scene.world.hub()), owner.clone());
            let page = self
                .scene
                .world
                .complete(async move { hub.history(&owner, query).await });
            let page = page.unwrap();
            from = match paging(None) {
                Paging::Forward { .. } => page.places.last(),
                Paging::Backward { .. } => page.places.first(),
            }
            .copied();
            pages.push(page.places.iter().map(ToString::to_string).collect());
            if page.is_complete {
                return pages;
            }
        }
    }
}
