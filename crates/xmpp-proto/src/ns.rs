//! Namespaces.

/// Stanzas between client and server (RFC 6120 §4.8.2).
pub const CLIENT: &str = "jabber:client";
/// The stream's own elements (RFC 6120 §4.8.1).
pub const STREAM: &str = "http://etherx.jabber.org/streams";
/// Stream errors (RFC 6120 §4.9.2).
pub const STREAM_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
/// Stanza errors (RFC 6120 §8.3.2).
pub const STANZA_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// STARTTLS (RFC 6120 §5).
pub const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
/// SASL (RFC 6120 §6).
pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
/// Resource binding (RFC 6120 §7).
pub const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
/// Sessions, which do nothing any more (RFC 3921 §3).
pub const SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
/// Rosters (RFC 6121 §2).
pub const ROSTER: &str = "jabber:iq:roster";
/// The blocking command (XEP-0191).
pub const BLOCKING: &str = "urn:xmpp:blocking";
/// Why something to somebody who is blocked is refused (XEP-0191 §3.3).
pub const BLOCKING_ERRORS: &str = "urn:xmpp:blocking:errors";
/// Private XML storage (XEP-0049).
pub const PRIVATE: &str = "jabber:iq:private";
/// Roster versions (RFC 6121 §2.6).
pub const ROSTER_VERSIONS: &str = "urn:xmpp:features:rosterver";
/// Subscriptions allowed in advance (RFC 6121 §3.4).
pub const PRE_APPROVAL: &str = "urn:xmpp:features:pre-approval";
/// Stream management (XEP-0198).
pub const SM: &str = "urn:xmpp:sm:3";
/// Channel-binding types (XEP-0440).
pub const CHANNEL_BINDING: &str = "urn:xmpp:sasl-cb:0";
/// Stream limits (XEP-0478).
pub const LIMITS: &str = "urn:xmpp:stream-limits:0";
/// Service discovery (XEP-0030).
pub const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
/// Service discovery (XEP-0030).
pub const DISCO_ITEMS: &str = "http://jabber.org/protocol/disco#items";
/// Entity capabilities (XEP-0115).
pub const CAPS: &str = "http://jabber.org/protocol/caps";
/// Ping (XEP-0199).
pub const PING: &str = "urn:xmpp:ping";
/// Software version (XEP-0092).
pub const VERSION: &str = "jabber:iq:version";
/// Entity time (XEP-0202).
pub const TIME: &str = "urn:xmpp:time";
/// Delayed delivery (XEP-0203).
pub const DELAY: &str = "urn:xmpp:delay";
/// Stanza ids (XEP-0359).
pub const STANZA_ID: &str = "urn:xmpp:sid:0";
/// Processing hints (XEP-0334).
pub const HINTS: &str = "urn:xmpp:hints";
/// Chat states (XEP-0085).
pub const CHAT_STATES: &str = "http://jabber.org/protocol/chatstates";
/// Offline messages (XEP-0160).
pub const OFFLINE: &str = "msgoffline";
/// Data forms (XEP-0004).
pub const FORM: &str = "jabber:x:data";
/// Result set management (XEP-0059).
pub const RSM: &str = "http://jabber.org/protocol/rsm";
/// Stanza forwarding (XEP-0297).
pub const FORWARD: &str = "urn:xmpp:forward:0";
/// Validation of form fields (XEP-0122).
pub const FORM_VALIDATE: &str = "http://jabber.org/protocol/xdata-validate";
/// Message archives (XEP-0313).
pub const MAM: &str = "urn:xmpp:mam:2";
/// What of them came later (XEP-0313 §7).
pub const MAM_EXTENDED: &str = "urn:xmpp:mam:2#extended";
/// Whether archives show what was said in rooms (XEP-0313 §7).
pub const MAM_GROUPCHAT_FIELD: &str = "urn:xmpp:mam:2#groupchat-field";
/// Messages that are taken back (XEP-0424).
pub const RETRACT: &str = "urn:xmpp:message-retract:1";
/// A tombstone stands in their place (XEP-0424 §4).
pub const RETRACT_TOMBSTONE: &str = "urn:xmpp:message-retract:1#tombstone";
/// Entering rooms (XEP-0045 §7.2).
pub const MUC: &str = "http://jabber.org/protocol/muc";
/// What rooms tell occupants (XEP-0045 §7).
pub const MUC_USER: &str = "http://jabber.org/protocol/muc#user";
/// Roles and affiliations (XEP-0045 §8, §9).
pub const MUC_ADMIN: &str = "http://jabber.org/protocol/muc#admin";
/// What rooms are like (XEP-0045 §10).
pub const MUC_OWNER: &str = "http://jabber.org/protocol/muc#owner";
/// The form that says what a room is like (XEP-0045 §16.5.3).
pub const MUC_ROOMCONFIG: &str = "http://jabber.org/protocol/muc#roomconfig";
/// The form that tells everybody about a room (XEP-0045 §16.5.4).
pub const MUC_ROOMINFO: &str = "http://jabber.org/protocol/muc#roominfo";
/// The form with which somebody becomes a member (XEP-0045 §16.5.1).
pub const MUC_REGISTER: &str = "http://jabber.org/protocol/muc#register";
/// The form that asks for a voice (XEP-0045 §16.5.2).
pub const MUC_REQUEST: &str = "http://jabber.org/protocol/muc#request";
/// Messages keep their ids in rooms (XEP-0045 §7.4).
pub const MUC_STABLE_ID: &str = "http://jabber.org/protocol/muc#stable_id";
/// Pings to oneself in a room are answered by the room (XEP-0410 §3.2).
pub const MUC_SELF_PING: &str = "http://jabber.org/protocol/muc#self-ping-optimization";
/// Registration (XEP-0077).
pub const REGISTER: &str = "jabber:iq:register";
/// Cards (XEP-0054).
pub const VCARD: &str = "vcard-temp";
/// Commands (XEP-0050).
pub const COMMANDS: &str = "http://jabber.org/protocol/commands";
/// The form of commands about titles of occupants (XEP-0317 §4.8).
pub const HATS_COMMANDS: &str = "urn:xmpp:hats:commands";
/// Searching for rooms (XEP-0433).
pub const CHANNEL_SEARCH: &str = "urn:xmpp:channel-search:0:search";
/// The form with which rooms are searched for (XEP-0433 §4.2.1).
pub const CHANNEL_SEARCH_PARAMS: &str = "urn:xmpp:channel-search:0:search-params";
/// Why rooms are not searched for (XEP-0433 §4.2.2).
pub const CHANNEL_SEARCH_ERROR: &str = "urn:xmpp:channel-search:0:error";
/// Names of occupants through all visits (XEP-0421).
pub const OCCUPANT_ID: &str = "urn:xmpp:occupant-id:0";
/// Titles of occupants (XEP-0317).
pub const HATS: &str = "urn:xmpp:hats:0";
/// Invitations without a room in between (XEP-0249).
pub const CONFERENCE: &str = "jabber:x:conference";
/// Copies for one's other devices (XEP-0280).
pub const CARBONS: &str = "urn:xmpp:carbons:2";
/// Whether somebody looks at the client (XEP-0352).
pub const CLIENT_STATE: &str = "urn:xmpp:csi:0";
/// Delivery receipts (XEP-0184).
pub const RECEIPTS: &str = "urn:xmpp:receipts";
/// Displayed markers (XEP-0333).
pub const MARKERS: &str = "urn:xmpp:chat-markers:0";
/// Corrections (XEP-0308).
pub const CORRECTION: &str = "urn:xmpp:message-correct:0";
/// Reactions (XEP-0444).
pub const REACTIONS: &str = "urn:xmpp:reactions:0";
/// References, and mentions among them (XEP-0372).
pub const REFERENCE: &str = "urn:xmpp:reference:0";
/// OMEMO as it is (XEP-0384).
pub const OMEMO: &str = "urn:xmpp:omemo:2";
/// OMEMO as most clients still have it (XEP-0384 before 0.4).
pub const OMEMO_SIACS: &str = "eu.siacs.conversations.axolotl";
/// Says how a message is encrypted (XEP-0380).
pub const ENCRYPTION: &str = "urn:xmpp:eme:0";
/// Calls (XEP-0353).
pub const JINGLE_MESSAGE: &str = "urn:xmpp:jingle-message:0";
/// Messages that a moderator takes back (XEP-0425).
pub const MODERATE: &str = "urn:xmpp:message-moderate:1";
