"""Every key of a home, as an independent reader gets at it with the root key: the canaries of a test of secrecy."""

import os
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "interop"))

from canary import Canary  # noqa: E402
from independent_reader import SLOT, live_slots, unwrap  # noqa: E402
from ring import read_ring  # noqa: E402


def keys_of(home: str) -> list[Canary]:
    """The generations that are on line and the data keys that they wrap."""
    ring = read_ring(home)
    found = [Canary(f"generation {one.number}", one.key) for one in ring.generations.values()]
    connection = sqlite3.connect(f"file:{home}/secrets.sqlite?mode=ro", uri=True)
    [(slots_per_page,)] = connection.execute("SELECT slots_per_page FROM store")
    slots = live_slots(connection, slots_per_page)
    # A few of them: each is looked for in everything.
    for place, slot in sorted(slots.items())[::12]:
        generation = ring.generations.get(int.from_bytes(slot[:4], "big"))
        if generation is not None:
            [key] = unwrap(generation.key, [slot[4:SLOT]])
            found.append(Canary(f"data key at {place}, generation {generation.number}", key))
    connection.close()
    return found


def wrapped_keys(home: str) -> list[bytes]:
    """The 40 bytes of every slot in use."""
    connection = sqlite3.connect(f"file:{home}/secrets.sqlite?mode=ro", uri=True)
    [(slots_per_page,)] = connection.execute("SELECT slots_per_page FROM store")
    found = [slot[4:SLOT] for slot in live_slots(connection, slots_per_page).values()]
    connection.close()
    return found
