//! What somebody does in rooms, as chance has it.

use super::guest::{Guest, Kept};
use super::view::Stage;
use crate::world::{DOMAIN, Dice};

impl Guest {
    /// Does something, mostly something that is allowed.
    pub(super) fn act(&mut self, dice: &mut Dice) {
        if !self.device.is_online() {
            return;
        }
        let room = dice.below(self.plans.len());
        if self.views[room].stage != Stage::Inside && !dice.one_in(12) {
            return self.enter(room, dice);
        }
        match dice.below(100) {
            0..44 => self.say(room, "body", dice),
            44..48 => self.say(room, "subject", dice),
            48..53 => self.signal(room),
            53..59 => self.whisper(room, dice),
            59..65 => self.show(room, dice),
            65..69 => self.take_nick(room, dice),
            69..72 => self.enter(room, dice),
            72..77 => self.leave(room),
            77..87 => self.give_role(room, dice),
            87..94 => self.give_affiliation(room, dice),
            94..98 => {
                let fields = self.plans[room].change(dice);
                self.configure(room, &fields);
            }
            98 => self.ask_for_voice(room),
            _ => self.destroy(room),
        }
    }

    fn room(&self, room: usize) -> String {
        self.plans[room].room.clone()
    }

    /// Mostly a nickname of one's own, and sometimes one that others want too.
    fn choose_nick(&self, dice: &mut Dice) -> String {
        match dice.below(6) {
            0 => "crone".to_owned(),
            1 => format!("{}-2", self.name),
            2 => self.name.to_uppercase(),
            _ => self.name.clone(),
        }
    }

    /// Somebody who is there, or was a moment ago.
    fn choose_other(&self, room: usize, dice: &mut Dice) -> Option<String> {
        let view = &self.views[room];
        let others: Vec<_> = view.occupants.keys().collect();
        (!others.is_empty()).then(|| others[dice.below(others.len())].clone())
    }

    fn enter(&mut self, room: usize, dice: &mut Dice) {
        let (to, nick, id) = (self.room(room), self.choose_nick(dice), self.name_next());
        let (history, all) = match dice.below(10) {
            0 => (format!("<history maxstanzas='{}'/>", dice.below(4)), "some"),
            1 => (format!("<history seconds='{}'/>", dice.below(60)), "some"),
            2 => (
                format!("<history maxchars='{}'/>", dice.below(4000)),
                "some",
            ),
            _ => (String::new(), "all"),
        };
        let password = match dice.below(6) {
            0 => "",
            1 => "<password>guess</password>",
            _ => "<password>pw</password>",
        };
        let text = format!(
            "<presence to='{to}/{nick}' id='{id}-{all}'><status>{id}</status>\
             <x xmlns='http://jabber.org/protocol/muc'>{password}{history}</x></presence>"
        );
        self.device.send_stanza(text, None);
    }

    fn leave(&mut self, room: usize) {
        let (to, nick, id) = (
            self.room(room),
            self.views[room].nick.clone(),
            self.name_next(),
        );
        let text = format!("<presence to='{to}/{nick}' type='unavailable' id='{id}'/>");
        self.device.send_stanza(text, None);
    }

    fn show(&mut self, room: usize, dice: &mut Dice) {
        let (to, nick, id) = (
            self.room(room),
            self.views[room].nick.clone(),
            self.name_next(),
        );
        let show = ["<show>away</show>", "<show>dnd</show>", ""][dice.below(3)];
        let text = format!("<presence to='{to}/{nick}'>{show}<status>{id}</status></presence>");
        self.device.send_stanza(text, None);
    }

    fn take_nick(&mut self, room: usize, dice: &mut Dice) {
        let (to, nick, id) = (self.room(room), self.choose_nick(dice), self.name_next());
        let text = format!("<presence to='{to}/{nick}'><status>{id}</status></presence>");
        self.device.send_stanza(text, None);
    }

    /// Something that is kept.
    fn say(&mut self, room: usize, what: &str, dice: &mut Dice) {
        for _ in 0..=dice.below(3) {
            let (to, id) = (self.room(room), self.name_next());
            let text = format!(
                "<message to='{to}' type='groupchat' id='{id}'><{what}>{id}</{what}></message>"
            );
            self.device.send_stanza(text, Some(Kept::Said(room, id)));
        }
    }

    fn signal(&mut self, room: usize) {
        let to = self.room(room);
        let typing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
        let text = format!("<message to='{to}' type='groupchat' id='typing'>{typing}</message>");
        self.device.send_stanza(text, None);
    }

    fn whisper(&mut self, room: usize, dice: &mut Dice) {
        let Some(nick) = self.choose_other(room, dice) else {
            return;
        };
        let (to, id) = (self.room(room), self.name_next());
        let text =
            format!("<message to='{to}/{nick}' type='chat' id='{id}'><body>{id}</body></message>");
        self.device.send_stanza(text, Some(Kept::Whispered(id)));
    }

    fn give_role(&mut self, room: usize, dice: &mut Dice) {
        let Some(nick) = self.choose_other(room, dice) else {
            return;
        };
        let roles = [
            "none",
            "visitor",
            "visitor",
            "participant",
            "participant",
            "moderator",
        ];
        let role = roles[dice.below(roles.len())];
        self.administer(room, &format!("nick='{nick}' role='{role}'"));
    }

    fn give_affiliation(&mut self, room: usize, dice: &mut Dice) {
        let name = ["alice", "bob", "carol", "dave"][dice.below(4)];
        let affiliations = [
            "outcast", "none", "none", "member", "member", "admin", "owner",
        ];
        let affiliation = affiliations[dice.below(affiliations.len())];
        let item = format!("jid='{name}@{DOMAIN}' affiliation='{affiliation}'");
        self.administer(room, &item);
    }

    fn administer(&mut self, room: usize, item: &str) {
        let (to, id) = (self.room(room), self.name_next());
        let text = format!(
            "<iq type='set' id='{id}' to='{to}'>\
             <query xmlns='http://jabber.org/protocol/muc#admin'>\
             <item {item}><reason>{id}</reason></item></query></iq>"
        );
        self.device.send_stanza(text, None);
    }

    /// Says what the room shall be like.
    pub(super) fn configure(&mut self, room: usize, fields: &str) {
        let form = format!("<x xmlns='jabber:x:data' type='submit'>{fields}</x>");
        self.own(room, &form);
    }

    fn destroy(&mut self, room: usize) {
        self.own(room, "<destroy/>");
    }

    fn own(&mut self, room: usize, content: &str) {
        let (to, id) = (self.room(room), self.name_next());
        let text = format!(
            "<iq type='set' id='{id}' to='{to}'>\
             <query xmlns='http://jabber.org/protocol/muc#owner'>{content}</query></iq>"
        );
        self.device.send_stanza(text, None);
    }

    fn ask_for_voice(&mut self, room: usize) {
        let to = self.room(room);
        let text = format!(
            "<message to='{to}'><x xmlns='jabber:x:data' type='submit'>\
             <field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#request</value></field>\
             <field var='muc#role'><value>participant</value></field></x></message>"
        );
        self.device.send_stanza(text, None);
    }

    /// Nobody looks at it, or somebody does again (XEP-0352).
    pub(super) fn change_state(&mut self, dice: &mut Dice) {
        if dice.one_in(2) {
            return self.wake();
        }
        if self.device.is_online() {
            self.device.send("<inactive xmlns='urn:xmpp:csi:0'/>");
            for view in &mut self.views {
                view.is_told_the_latest = true;
            }
        }
    }

    /// Of the whole session, which leaves all rooms with it.
    pub(super) fn change_presence(&mut self, dice: &mut Dice) {
        if !self.device.is_online() {
            return;
        }
        let id = self.name_next();
        let text = match dice.one_in(2) {
            true => format!("<presence type='unavailable' id='{id}'/>"),
            false => "<presence/>".to_owned(),
        };
        self.device.send_stanza(text, None);
    }
}
