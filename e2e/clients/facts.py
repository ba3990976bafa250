"""What the Python programs share. A program is called as

    python3 redispy.py PART PORT

with one of its parts. It ends with code 0 if all its facts hold. The chapters that it prints tell where it stopped."""

import sys

ADDRESS = {"host": "127.0.0.1", "port": int(sys.argv[2])}

# Every byte value, and line ends where a sloppy parser would look for them.
EVERY_BYTE = b"\r\n$-1\r\n" + bytes(range(256)) + b"\r\n"

# A message of 1 MB that differs all along.
MEGABYTE = b"".join(b"%07d;" % i for i in range(10**6 // 8))

# Seconds to wait for a message; the test's own deadline is later.
WAIT = 30


def chapter(title):
    print("#", title, file=sys.stderr)


def fact(got, want):
    """Ends the program if got is not want."""
    if got != want:
        raise AssertionError(f"got {got!r:.2000}, want {want!r:.2000}")


def told(message):
    """What get_message gives, as (type, pattern, channel, data)."""
    return message and (message["type"], message["pattern"], message["channel"], message["data"])


def server_restarts():
    """Has the test kill the server and start it again on its port."""
    print("ready", flush=True)
    sys.stdin.readline()


def part(parts):
    """The part that the command line names."""
    return {p.__name__: p for p in parts}[sys.argv[1]]
