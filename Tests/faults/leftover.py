"""R12: a generation with one reference left does not go off line, whichever secret it is and whatever the counts say."""

import os
import sqlite3

from bench import Bench
from life import QUICK, World, plaintexts
from runner import demand
from safety import check, exactly, read_ring

SLOT = 44
REFUSED = 77
SECRETS = plaintexts(500, "row", sizes=(32,))


def pages(home: str) -> dict[int, bytes]:
    """All key pages."""
    with sqlite3.connect(os.path.join(home, "secrets.sqlite")) as connection:
        found = dict(connection.execute("SELECT page, slots FROM key_page"))
    connection.close()
    return found


def put_back(home: str, old: dict[int, bytes], name: str, counted: bool) -> None:
    """One slot is again what it was before the rotation; the counts agree, or do not."""
    connection = sqlite3.connect(os.path.join(home, "secrets.sqlite"))
    [(per_page,)] = connection.execute("SELECT slots_per_page FROM store")
    [(place,)] = connection.execute("SELECT id FROM secret WHERE name = ?", (name,))
    page, number = divmod(place, per_page)
    [(image,)] = connection.execute("SELECT slots FROM key_page WHERE page = ?", (page,))
    part = slice(SLOT * number, SLOT * (number + 1))
    image = image[: part.start] + old[page][part] + image[part.stop :]
    connection.execute("UPDATE key_page SET slots = ? WHERE page = ?", (image, page))
    if counted:
        connection.execute("UPDATE census SET live = live - 1 WHERE generation = 2")
        connection.execute(
            "INSERT INTO census(generation, live) VALUES (1, 1) ON CONFLICT(generation) DO UPDATE SET live = live + 1")
    connection.commit()
    connection.close()


def run(bench: Bench, tries: int) -> dict:
    """So many secrets, one after the other."""
    template = World(bench.path("leftover"), bench.keyroll)
    template.create(QUICK | {"soakTime": "1h"})
    template.fill(SECRETS)
    old = pages(template.home)
    template.run("rotate", "--force")
    refused: list[int] = []

    def one(number: int) -> None:
        name = f"row/{number % len(SECRETS)}"
        with bench.scratch(f"leftover {number}") as path:
            world = template.copy(path)
            put_back(world.home, old, name, counted=number >= len(SECRETS))
            outcome = bench.keyroll.run(world.home, ["generation", "retire", "1", "--override", "a test"])
            demand(outcome.code == REFUSED, f"exit code {outcome.code}: {outcome.errors}")
            # Whatever the counts say, which are wrong on purpose.
            demand(1 in read_ring(world.home).generations, "generation 1 went off line")
            refused.append(number)

    bench.each(list(range(tries)), lambda number: bench.attempt(f"leftover {number}", lambda: one(number)))
    # Without one it goes.
    template.run("generation", "retire", "1", "--override", "a test")
    ring, _ = check(template.home, exactly(SECRETS))
    demand(1 not in ring.generations, "generation 1 stayed on line without a reason")
    return {"tries": tries, "refused": len(refused)}
