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
    """All of them, or as many as `seconds` are enough for, as a few let expect; making them is looked at too."""
    number = count
    if not is_fast:
        number, spent, took = 4, 0.0, 0.0
        # Until the start of processes is no longer what is measured.
        while spent < seconds / 4 and number < count:
            number = min(count, number * 4)
            start = time.perf_counter()
            took = once(number)
            spent = time.perf_counter() - start
        number = min(count, max(8, int(number * min(seconds / took, 2 * seconds / spent))))
    took = once(number)
    return {"measured": number, "seconds": took, "perSecond": number / took}


main()
