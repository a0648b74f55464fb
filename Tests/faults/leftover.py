"""R12: a generation with one reference left does not go off line, whichever secret it is and whatever the counts say.

Nor does an application that has kept an older ring protect anything under it once a rotation is done.
"""

import base64
import os
import sqlite3
import subprocess

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


def stubborn(bench: Bench, template: World, rotations: int) -> None:
    """Applications that opened the home before each of some rotations go on with the ring that they have."""
    with bench.scratch("stubborn") as path:
        world = template.copy(path)
        written: dict[str, bytes] = {}
        writers: list[subprocess.Popen] = []

        def put(writer: subprocess.Popen, name: str) -> None:
            written[name] = f"{name} of {len(written)}".encode()
            writer.stdin.write(f"put {name} {base64.b64encode(written[name]).decode()}\n")
            answer = writer.stdout.readline()
            demand(answer == "ok\n", f"put {name}: {answer}")

        for number in range(rotations):
            writer = subprocess.Popen(
                [bench.writer, world.home], env=bench.keyroll.environment(world.home), stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1)
            writers.append(writer)
            demand(writer.stdout.readline() == "ready\n", "the application does not start")
            put(writer, f"before/{number}")
            world.run("rotate", "--force")
            put(writer, f"after/{number}")
            put(writer, f"before/{number}")
        # The oldest ring first.
        for number, writer in enumerate(writers):
            put(writer, f"row/{number}")
            writer.stdin.close()
            writer.wait()
        ring, census = check(world.home, exactly(SECRETS | written))
        demand(set(census) == {ring.active.number}, f"after {rotations} rotations the counts are {dict(census)}")


def run(bench: Bench, tries: int, rotations: int = 4) -> dict:
    """So many secrets, one after the other."""
    template = World(bench.path("leftover"), bench.keyroll)
    template.create(QUICK | {"soakTime": "1h"})
    template.fill(SECRETS)
    old = pages(template.home)
    template.run("rotate", "--force")
    refused: list[int] = []

    def one(number: int) -> None:
        name = f"row/{number // 2 % len(SECRETS)}"
        with bench.scratch(f"leftover {number}") as path:
            world = template.copy(path)
            put_back(world.home, old, name, counted=number % 2 == 1)
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
    bench.attempt("writers with old rings", lambda: stubborn(bench, template, rotations))
    return {"tries": tries, "refused": len(refused), "writers with old rings": rotations}
