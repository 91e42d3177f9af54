"""A client on slixmpp that is told what to do.

It reads commands from standard input and writes what happens to standard
output, one JSON object a line each way. It ends when its input does.
"""

import argparse
import asyncio
import json
import logging
import ssl
import sys

import slixmpp
from slixmpp.exceptions import IqError, PresenceError

PLUGINS = [
    "xep_0030",
    "xep_0045",
    "xep_0092",
    "xep_0199",
    "xep_0202",
    "xep_0203",
    "xep_0280",
    "xep_0313",
    "xep_0359",
]
# Messages that are asked for at once.
PAGE = 50


def tell(event, **details):
    print(json.dumps({"event": event, **details}), flush=True)


def describe(message):
    stamp = message["delay"].get_stamp() if message.get_plugin("delay", check=True) else None
    return {
        "sender": str(message["from"]),
        "type": message["type"],
        "text": message["body"],
        "delay": stamp and stamp.isoformat(),
        "stanza_id": message["stanza_id"]["id"],
        "error": message["error"]["condition"] if message["type"] == "error" else None,
    }


class Client(slixmpp.ClientXMPP):
    def __init__(self, options):
        super().__init__(options.account, options.password)
        self.options = options
        self.is_done = False
        self.ca_certs = options.authority
        self.enable_direct_tls = options.tls == "direct"
        self.enable_starttls = options.tls == "starttls"
        self.enable_plaintext = False
        if options.tls_1_2:
            self.ssl_context.maximum_version = ssl.TLSVersion.TLSv1_2
        # The test decides whom to answer.
        self.roster.auto_authorize = None
        self.roster.auto_subscribe = False
        for plugin in PLUGINS:
            self.register_plugin(plugin)
        if options.management:
            self.register_plugin("xep_0198")
        for event in ["session_start", "session_resumed"]:
            self.add_event_handler(event, self.begin(event))
        self.add_event_handler("presence", self.on_presence)
        self.add_event_handler("message", self.on_message)
        self.add_event_handler("message_error", self.on_message)
        self.add_event_handler("groupchat_presence", self.on_occupant)
        self.add_event_handler("groupchat_subject", self.on_subject)
        for copy in ["carbon_received", "carbon_sent"]:
            self.add_event_handler(copy, self.on_copy(copy))
        self.add_event_handler("roster_update", self.on_roster)
        self.add_event_handler("failed_auth", self.on_failed_auth)
        self.add_event_handler("failed_all_auth", lambda _: tell("no way in"))
        self.add_event_handler("connection_failed", lambda why: tell("connection failed", why=str(why)))
        self.add_event_handler("stream_error", lambda why: tell("stream error", condition=why["condition"]))
        self.add_event_handler("disconnected", self.on_disconnected)

    def begin(self, event):
        def on_session(_):
            mechanism = self.plugin["feature_mechanisms"].mech
            peer = self.socket.getpeercert()
            tell(
                event,
                address=str(self.boundjid),
                tls=self.socket.version(),
                starttls="starttls" in self.features,
                # Only a certificate that was verified has contents here.
                verified=bool(peer),
                mechanism=mechanism.name,
            )

        return on_session

    def on_disconnected(self, why):
        tell("disconnected", why=str(why))
        if self.options.persistent and not self.is_done:
            self.connect(self.options.host, self.options.port)

    def on_failed_auth(self, failure):
        mechanism = self.plugin["feature_mechanisms"].mech
        tell("failed_auth", mechanism=mechanism.name, condition=failure["condition"])

    def on_presence(self, presence):
        tell(
            "presence",
            sender=str(presence["from"]),
            type=presence["type"],
            status=presence["status"],
            error=presence["error"]["condition"] if presence["type"] == "error" else None,
        )

    def on_message(self, message):
        tell("message", **describe(message))

    def on_copy(self, name):
        def on_carbon(outer):
            message = outer[name]
            tell("message", **{**describe(message), "copy": name})

        return on_carbon

    def on_subject(self, message):
        tell("subject", sender=str(message["from"]), subject=message["subject"])

    def on_occupant(self, presence):
        item = presence.xml.find(".//{*}item")
        details = {} if item is None else dict(item.attrib)
        tell(
            "occupant",
            occupant=str(presence["from"]),
            is_there=presence["type"] != "unavailable",
            role=details.get("role"),
            affiliation=details.get("affiliation"),
            address=details.get("jid"),
            new_nick=details.get("nick"),
            reason=presence.xml.findtext(".//{*}reason"),
            status=sorted(presence["muc"]["status_codes"]),
        )

    def on_roster(self, iq):
        items = {
            str(address): {
                "name": item["name"],
                "subscription": item["subscription"],
                "ask": item["ask"],
                "groups": sorted(item["groups"]),
            }
            for address, item in iq["roster"]["items"].items()
        }
        tell("roster", pushed=iq["type"] == "set", items=items)

    # What the client can be told to do.

    def do_presence(self, to=None, type=None, status=None):
        self.send_presence(pto=to, ptype=type, pstatus=status)

    def do_message(self, to, text, type="chat"):
        self.send_message(mto=to, mbody=text, mtype=type)

    async def do_roster(self):
        await self.get_roster()

    async def do_contact(self, address, **details):
        await self.update_roster(address, **details)

    async def do_remove(self, address):
        await self.del_roster_item(address)

    async def do_ask(self, what, to):
        ask = {
            "info": lambda: self.plugin["xep_0030"].get_info(to),
            "items": lambda: self.plugin["xep_0030"].get_items(to),
            "ping": lambda: self.plugin["xep_0199"].send_ping(to),
            "version": lambda: self.plugin["xep_0092"].get_version(to),
            "time": lambda: self.plugin["xep_0202"].get_entity_time(to),
        }
        try:
            answer = await ask[what]()
        except IqError as error:
            tell("answer", to=what, error=error.condition)
            return
        read = {
            "info": lambda: {
                "features": sorted(answer["disco_info"]["features"]),
                "identities": sorted(answer["disco_info"]["identities"], key=str),
            },
            "items": lambda: {"items": sorted(answer["disco_items"]["items"], key=str)},
            "ping": dict,
            "version": lambda: {
                "name": answer["software_version"]["name"],
                "version": answer["software_version"]["version"],
            },
            # Its own reading of the time expects one without a time zone, which
            # XEP-0082 does not have.
            "time": lambda: {"utc": answer.xml.findtext(".//{urn:xmpp:time}utc")},
        }
        tell("answer", to=what, **read[what]())

    async def do_cut(self):
        """The connection is gone in the middle of everything, and comes back."""
        # What slixmpp has queued and not written yet, it would write to the
        # next connection before that has logged in.
        await self.waiting_queue.join()
        self.transport.abort()
        await self.disconnected
        self.connect(self.options.host, self.options.port)

    async def do_carbons(self):
        await self.plugin["xep_0280"].enable()
        tell("carbons")

    async def do_history(self, archive=None, partner=None, after=None):
        """All of it, or what came after a message, a page at a time."""
        begin = {"after": after} if after else {}
        pages = self.plugin["xep_0313"].iterate(archive, with_jid=partner, rsm={"max": PAGE, **begin})
        messages = []
        async for result in pages:
            archived = result["mam_result"]
            message = describe(archived["forwarded"]["stanza"])
            messages.append({**message, "stanza_id": archived["id"]})
        tell("history", messages=messages)

    # What it can be told to do in a room.

    async def do_join(self, room, nick):
        """Takes what comes in the order that XEP-0045 gives: occupants, itself, past, subject."""
        try:
            answer = await self.plugin["xep_0045"].join_muc_wait(slixmpp.JID(room), nick, timeout=50)
        except PresenceError as error:
            tell("joined", error=error.condition)
            return
        presence, subject, occupants, history = answer
        tell(
            "joined",
            error=None,
            status=sorted(presence["muc"]["status_codes"]),
            others=sorted({occupant["from"].resource for occupant in occupants} - {nick}),
            history=[describe(message) for message in history],
            subject=subject["subject"] or "",
        )

    def do_nick(self, room, nick):
        self.send_presence(pto=f"{room}/{nick}")

    def do_leave(self, room, nick):
        self.plugin["xep_0045"].leave_muc(room, nick)

    def do_subject(self, room, text):
        self.plugin["xep_0045"].set_subject(room, text)

    async def do_role(self, room, nick, role, reason=""):
        await self.govern(self.plugin["xep_0045"].set_role(room, nick, role, reason=reason))

    async def do_affiliation(self, room, address, affiliation, reason=""):
        change = self.plugin["xep_0045"].set_affiliation(room, affiliation, jid=address, reason=reason)
        await self.govern(change)

    async def do_configure(self, room, **values):
        """Without values, it takes the room as it is."""
        rooms = self.plugin["xep_0045"]
        form = await rooms.get_room_config(room)
        form["type"] = "submit"
        for name, value in values.items():
            form.set_values({f"muc#roomconfig_{name}": value})
        await self.govern(rooms.set_room_config(room, form))

    async def govern(self, change):
        try:
            await change
            tell("governed", error=None)
        except IqError as error:
            tell("governed", error=error.condition)

    async def do_quit(self):
        self.is_done = True
        await self.disconnect()


async def follow(client):
    reader = asyncio.StreamReader()
    pipe = await client.loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        result = getattr(client, "do_" + command.pop("do"))(**command)
        if asyncio.iscoroutine(result):
            await asyncio.wait_for(result, 60)
    pipe[0].close()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--account", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--authority", required=True)
    parser.add_argument("--tls", choices=["starttls", "direct"], required=True)
    parser.add_argument("--tls-1-2", action="store_true")
    parser.add_argument("--management", action="store_true")
    # It connects again whenever its connection is gone.
    parser.add_argument("--persistent", action="store_true")
    options = parser.parse_args()
    logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(name)s %(message)s")
    client = Client(options)
    client.connect(options.host, options.port)
    await follow(client)
    client.abort()


asyncio.run(main())
