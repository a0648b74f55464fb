"""One peer in one way, measured in a process of its own: prints JSON.

    python -m bench.peers library NAME WAY COUNT SIZE SECONDS SCRATCH
    python -m bench.peers command NAME     COUNT SIZE SECONDS SCRATCH
"""

import contextlib
import json
import sys
import time
from importlib import metadata

from . import commands, ways
from .commands import COMMANDS
from .libraries import LIBRARIES


def main() -> None:
    kind, name, *rest = sys.argv[1:]
    if kind == "library":
        library = next(one for one in LIBRARIES if one.name == name)
        way, count, size, seconds, scratch = rest[0], *rest[1:]
        with library.beside() if library.beside else contextlib.nullcontext() as beside:
            make = (lambda: library.make(beside)) if library.beside else library.make

            def once(number):
                return ways.measure(way, make, number, int(size), scratch)

            found = bounded(once, int(count), float(seconds), library.is_fast)
        version = f"{library.package} {metadata.version(library.package)}"
    else:
        command = next(one for one in COMMANDS if one.name == name)
        count, size, seconds, scratch = rest
        found = bounded(
            lambda number: commands.measure(command, number, int(size), scratch), int(count), float(seconds), False)
        version = commands.version(command)
    print(json.dumps({**found, "version": version}))


def bounded(once, count: int, seconds: float, is_fast: bool) -> dict:
    """All of them, or as many as `seconds` are enough for: more each time, until most of that time is used."""
    number = count if is_fast else min(count, 8)
    end = time.monotonic() + 5 * seconds
    while True:
        took = once(number)
        if number == count or took > 0.6 * seconds or time.monotonic() > end:
            return {"measured": number, "seconds": took, "perSecond": number / took}
        number = min(count, int(number * min(32, max(2, 0.9 * seconds / took))))


main()
