//! The exchange: accounts, sessions, presence, rosters, logs and delivery.
//!
//! It knows no wire format. Front ends translate: they turn what a client
//! sends into calls of [`Hub`], and [`Event`]s into what a client reads. The
//! one concession to the richest of the protocols is that what a message
//! carries is XML children, which need no declaration from outside but the
//! default namespace `jabber:client`.
//!
//! Decisions are plain functions over state that one small lock per account
//! guards. Waiting for the disk happens between decisions, never under such a
//! lock.

mod account;
mod accounts;
mod availability;
mod blocking;
mod command;
mod config;
mod contacts;
mod copies;
mod counters;
mod credentials;
mod directory;
mod error;
mod event;
mod history;
mod hub;
mod inbox;
mod keeping;
mod mailbox;
mod message;
mod pipeline;
mod policy;
mod presence;
mod private;
mod queries;
mod room;
mod roster;
mod session;
mod sync;
mod unread;

pub use blocking::{BlockChange, BlockError, BlockList, BlockPush};
pub use command::{
    COMMANDS, Command, CommandError, NewAccount, NewRoom, RoomAffiliation, RoomCreate, RoomDestroy,
    RoomList, RoomShow, UserAdd, UserDelete, UserList, run_command,
};
pub use config::{AccountsConfig, MailboxLimits};
pub use copies::{Copies, Direction};
pub use counters::Counters;
pub use credentials::{Credentials, Login};
pub use error::{AccountError, NotKept, OpenError, RosterError, SendError};
pub use event::{CloseReason, Event, Query, QueryKind, Relay};
pub use history::{
    HistoryDefault, HistoryError, HistoryPage, HistoryPreferences, HistoryQuery, Paging,
    PreferencesError, With,
};
pub use hub::{Domains, Hub, HubConfig, Then};
pub use inbox::Taken;
pub use mailbox::Mailbox;
pub use message::{DecodeError, Draft, Message, MessageKind, Traits};
pub use pipeline::{Parcel, Recipient};
pub use presence::{Presence, PresenceKind};
pub use private::PrivateError;
pub use room::{
    Actor, Affiliated, Affiliation, AffiliationChange, Archived, ConfigNews, Creation, Deciders,
    Deed, Departure, Destruction, Entrance, FoundRoom, FoundRooms, Hat, HatChange, Invitation,
    IsModerated, Look, MOST_HATS, MOST_WORN, OccupantId, PastWanted, Present, PrivateMessages,
    Remains, Retraction, Retractor, Role, RoleChange, Room, RoomCard, RoomConfig, RoomDelivery,
    RoomError, RoomEvent, RoomInfo, RoomMessage, RoomPresence, RoomSearch, RoomSummary,
    RoomsConfig, SearchMark, SearchOrder, SearchPlace, Sight, Speaker, Speech, VoiceRequest,
    Whispered, Whois,
};
pub use roster::{Contact, Request, Roster, RosterPush, Subscription, SubscriptionStep};
pub use session::{Session, SessionHandle};
pub use unread::{MOST_UNREAD, Marked, Unread};
