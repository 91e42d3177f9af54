"""A terminal for a client that wants one: runs it and tells what it shows.

What comes from standard input is typed. Whenever rows of the screen change,
what is in them goes to standard output, one line a row. It ends with the
client, and as the client did.
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios

import pyte

ROWS, COLUMNS = 50, 200


def start(command):
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", ROWS, COLUMNS, 0, 0))
        # What pyte understands.
        os.environ["TERM"] = "linux"
        os.execvp(command[0], command)
    return child, terminal


def show(screen, shown):
    rows = screen.display
    for row in sorted(screen.dirty):
        text = rows[row].rstrip()
        if text and text != shown.get(row):
            print(text)
        shown[row] = text
    screen.dirty.clear()
    sys.stdout.flush()


def main():
    child, terminal = start(sys.argv[1:])
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    shown = {}
    inputs = [terminal, sys.stdin.fileno()]
    while True:
        ready, _, _ = select.select(inputs, [], [])
        if terminal in ready:
            try:
                text = os.read(terminal, 4096)
            except OSError:
                # That is how a terminal says that nobody uses it any more.
                break
            stream.feed(text)
            show(screen, shown)
        elif typed := os.read(sys.stdin.fileno(), 4096):
            os.write(terminal, typed)
        else:
            inputs.remove(sys.stdin.fileno())
    _, status = os.waitpid(child, 0)
    sys.exit(os.waitstatus_to_exitcode(status))


main()
