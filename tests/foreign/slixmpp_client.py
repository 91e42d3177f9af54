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
from slixmpp.exceptions import IqError

PLUGINS = ["xep_0030", "xep_0092", "xep_0199", "xep_0202", "xep_0203", "xep_0359"]


def tell(event, **details):
    print(json.dumps({"event": event, **details}), flush=True)


class Client(slixmpp.ClientXMPP):
    def __init__(self, options):
        super().__init__(options.account, options.password)
        self.options = options
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
        self.add_event_handler("roster_update", self.on_roster)
        self.add_event_handler("failed_auth", self.on_failed_auth)
        self.add_event_handler("failed_all_auth", lambda _: tell("no way in"))
        self.add_event_handler("connection_failed", lambda why: tell("connection failed", why=str(why)))
        self.add_event_handler("stream_error", lambda why: tell("stream error", condition=why["condition"]))
        self.add_event_handler("disconnected", lambda why: tell("disconnected", why=str(why)))

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

    def on_failed_auth(self, failure):
        mechanism = self.plugin["feature_mechanisms"].mech
        tell("failed_auth", mechanism=mechanism.name, condition=failure["condition"])

    def on_presence(self, presence):
        tell(
            "presence",
            sender=str(presence["from"]),
            type=presence["type"],
            status=presence["status"],
        )

    def on_message(self, message):
        stamp = message["delay"].get_stamp() if message.get_plugin("delay", check=True) else None
        error = message["error"]["condition"] if message["type"] == "error" else None
        tell(
            "message",
            sender=str(message["from"]),
            type=message["type"],
            text=message["body"],
            delay=stamp and stamp.isoformat(),
            stanza_id=message["stanza_id"]["id"],
            error=error,
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
        self.transport.abort()
        await self.disconnected
        self.connect(self.options.host, self.options.port)

    async def do_quit(self):
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
    options = parser.parse_args()
    logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(name)s %(message)s")
    client = Client(options)
    client.connect(options.host, options.port)
    await follow(client)
    client.abort()


asyncio.run(main())
