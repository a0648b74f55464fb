"""R14: everything in the home is put back to an earlier day: found where the last log head is kept elsewhere, else not."""

import json

from bench import Bench
from life import World, quick
from runner import demand

DAMAGED = 65


def head(world: World) -> str:
    """NUMBER:HASH of the log's last entry."""
    words = world.run("audit", "head").decode().replace(":", " ").split()
    number, digest = next(one for one in words if one.isdigit()), next(one for one in words if len(one) == 64)
    return f"{number}:{digest}"


def run(bench: Bench, days: int) -> dict:
    """So many days with a rotation each, and each earlier one put back in the place of each later one."""
    world = World(bench.path("today"), bench.keyroll)
    quick(world)
    copies, heads = [], []
    for day in range(days):
        world.run("rotate", "--force")
        copies.append(world.copy(bench.path(f"day-{day}")))
        heads.append(head(world))
    found = unnoticed = 0
    for older in range(days):
        for newer in range(older, days):

            def body() -> None:
                nonlocal found, unnoticed
                with bench.scratch("restored") as path:
                    restored = copies[older].copy(path)
                    without = bench.keyroll.run(restored.home, ["audit", "verify"])
                    unnoticed += without.code == 0
                    anchored = bench.keyroll.run(restored.home, ["audit", "verify", "--anchor", heads[newer], "--json"])
                    if older == newer:
                        anchored.expect()
                        return
                    demand(anchored.code == DAMAGED, f"exit code {anchored.code}: {anchored.errors}")
                    json.loads(anchored.output)
                    found += 1

            bench.attempt(f"day {older} in the place of day {newer}", body)
    return {"rollbacks": days * (days - 1) // 2, "found with an anchor": found, "whole to itself without one": unnoticed}
