"""Runs slixmpp's integration tests and says what became of each, one a line:
`RESULT pass|fail|impossible TEST<TAB>WHY`. The rest of what it writes is the log.

Usage: run.py FOLDER ADDRESS, where FOLDER has `itests` of slixmpp's source archive, and
ADDRESS is that of a server with its doors at the ports 5222 and 5223, which tests insist
on. The accounts are in the environment, under the names that the tests read.
"""

import asyncio
import functools
import importlib
import logging
import sys
import unittest
from pathlib import Path

from slixmpp.xmlstream import XMLStream


def stay_here(address):
    """Has every client connect to this address, whatever the domain. Nobody asks the DNS."""
    attempt = XMLStream._attempt_connection

    async def no_records(self, domain, port=None):
        return []

    async def attempt_here(self, host, port, tls, server_hostname):
        return await attempt(self, address, port, tls, server_hostname)

    XMLStream.get_dns_records = no_records
    XMLStream._attempt_connection = attempt_here


# Tests take a few seconds. Some wait for minutes, or for ever, for what does not come.
PATIENCE_SECONDS = 15


def bound(test):
    for name in ["asyncSetUp", test.id().split(".")[-1]]:
        setattr(test, name, in_time(getattr(test, name)))
    return test


def in_time(method):
    @functools.wraps(method)
    async def in_time():
        await asyncio.wait_for(method(), PATIENCE_SECONDS)

    return in_time


def all_in(suite):
    for test in suite:
        yield from all_in(test) if isinstance(test, unittest.TestSuite) else [test]


class Report(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        logging.info("==== %s", name_of(test))

    def addSuccess(self, test):
        tell("pass", test)

    def addFailure(self, test, error):
        self.fail(test, error)

    def addError(self, test, error):
        self.fail(test, error)

    def addSkip(self, test, reason):
        tell("impossible", test, reason)

    def fail(self, test, error):
        logging.error("%s", self._exc_info_to_string(error, test))
        tell("fail", test, repr(error[1]))


def name_of(test):
    return ".".join(test.id().split(".")[1:])


def tell(outcome, test, why=""):
    print(f"RESULT {outcome} {name_of(test)}\t{' '.join(why.split())}", flush=True)


def main():
    folder, address = sys.argv[1:]
    logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stay_here(address)
    sys.path.insert(0, folder)
    files = sorted(Path(folder, "itests").glob("test_*.py"))
    modules = [importlib.import_module(f"itests.{file.stem}") for file in files]
    tests = all_in(module.suite for module in modules)
    unittest.TestSuite(bound(test) for test in tests).run(Report())


main()
