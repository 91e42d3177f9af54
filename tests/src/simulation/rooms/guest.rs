//! Somebody's device that goes into rooms.

use super::plan::Plan;
use super::view::{Stage, View};
use crate::simulation::device::{Device, Management, News};
use crate::simulation::scene::Client;
use crate::world::Dice;
use anser_xml::Element;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Something that is kept, by the name that its sender has given it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kept {
    /// Said to all in a room.
    Said(usize, String),
    /// Said to one occupant alone, wherever.
    Whispered(String),
}

/// One device of somebody's, and what it knows of each room.
pub(super) struct Guest {
    who: usize,
    pub(super) name: String,
    pub(super) device: Device<Kept>,
    pub(super) plans: Rc<[Plan]>,
    pub(super) views: Vec<View>,
    /// The number of whatever it does next.
    next: usize,
    pub(super) acknowledged: BTreeSet<Kept>,
    /// What was refused, in whichever room.
    pub(super) refused: BTreeSet<String>,
    /// What was said to it alone, in this session and in all.
    overheard: BTreeSet<String>,
    pub(super) told: BTreeSet<String>,
    /// For each room whether the server says that it is in it, if it was asked.
    pub(super) is_inside: Vec<Option<bool>>,
    /// What it should not have seen.
    pub(super) fault: Option<String>,
}

impl Client for Guest {
    type Name = Kept;

    fn device(&mut self) -> &mut Device<Kept> {
        &mut self.device
    }

    fn hear(&mut self, news: News<Kept>, _dice: &mut Dice) {
        match news {
            News::Began => {
                self.overheard.clear();
                for view in &mut self.views {
                    view.end();
                    view.is_told_the_latest = false;
                }
            }
            News::Acknowledged(names) => self.acknowledged.extend(names),
            News::Stanza(stanza) => self.stanza(&stanza),
        }
    }
}

impl Guest {
    pub(super) fn new(
        who: usize,
        name: &str,
        resource: &str,
        management: Management,
        plans: &Rc<[Plan]>,
    ) -> Self {
        let view = |plan: &Plan| View::new(&plan.room, plan.shown_from);
        Self {
            who,
            name: name.to_owned(),
            device: Device::new(name, resource, management),
            plans: Rc::clone(plans),
            views: plans.iter().map(view).collect(),
            next: 0,
            acknowledged: BTreeSet::new(),
            refused: BTreeSet::new(),
            overheard: BTreeSet::new(),
            told: BTreeSet::new(),
            is_inside: vec![None; plans.len()],
            fault: None,
        }
    }

    /// A name for something it does.
    pub(super) fn name_next(&mut self) -> String {
        self.next += 1;
        format!("{}.{}", self.who, self.next)
    }

    fn stanza(&mut self, stanza: &Element) {
        let Some(from) = stanza.attribute("from") else {
            return;
        };
        let bare = from.split('/').next().unwrap();
        let Some(room) = self.plans.iter().position(|plan| plan.room == bare) else {
            return;
        };
        let id = stanza.attribute("id").unwrap_or_default().into_owned();
        let kind = stanza.attribute("type").unwrap_or_default();
        match (stanza.name(), &*kind) {
            ("message", "error") => {
                self.refused.insert(id);
            }
            ("iq", "result" | "error") if id == "inside" => {
                let is_outside = stanza.child("jabber:client", "error").is_some_and(|error| {
                    let error = error.open();
                    error
                        .children()
                        .any(|child| child.name() == "not-acceptable")
                });
                self.is_inside[room] = (is_outside || kind == "result").then_some(!is_outside);
            }
            ("message", "chat") => {
                // Once in a session; another one may get it again if the first has
                // not acknowledged it.
                if !self.overheard.insert(id.clone()) {
                    let fault = format!("{} is told {id} twice", self.device.address);
                    self.fault.get_or_insert(fault);
                }
                self.told.insert(id);
            }
            _ => {
                let is_new = is_new(stanza) && self.views[room].stage != Stage::Inside;
                if let Err(fault) = self.views[room].receive(stanza) {
                    let fault = format!("{} {fault}", self.device.address);
                    self.fault.get_or_insert(fault);
                }
                if is_new {
                    let plans = Rc::clone(&self.plans);
                    self.configure(room, &plans[room].fields);
                }
            }
        }
    }

    /// What of it the server has answered for.
    pub(super) fn kept(&self) -> impl Iterator<Item = &Kept> {
        self.acknowledged.iter().filter(|kept| {
            let (Kept::Said(_, text) | Kept::Whispered(text)) = kept;
            !self.refused.contains(text)
        })
    }

    /// Somebody looks at it.
    pub(super) fn wake(&mut self) {
        if self.device.is_online() {
            self.device.send("<active xmlns='urn:xmpp:csi:0'/>");
        }
    }

    /// Asks the server of each room whether it is in it (XEP-0410 §3).
    pub(super) fn ask_whether_inside(&mut self) {
        for (plan, view) in self.plans.iter().zip(&self.views) {
            let nick = match view.stage {
                Stage::Inside => &view.nick,
                Stage::Outside | Stage::Looking | Stage::Catching => "nobody",
            };
            let text = format!(
                "<iq type='get' id='inside' to='{}/{nick}'><ping xmlns='urn:xmpp:ping'/></iq>",
                plan.room
            );
            self.device.send_stanza(text, None);
        }
    }
}

/// Whether a room says that it did not exist before (XEP-0045 §10.1.1).
fn is_new(stanza: &Element) -> bool {
    let x = stanza.child("http://jabber.org/protocol/muc#user", "x");
    x.is_some_and(|x| {
        let x = x.open();
        let mut codes = x.children().filter_map(|child| child.attribute("code"));
        codes.any(|code| code == "201")
    })
}
