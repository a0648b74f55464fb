"""R15: the clock is set back, forward, stands still, or meets a leap second: order comes from sequence numbers."""

import json
import os

from bench import Bench
from life import OLD, World, quick
from rotators import LIBRARY
from runner import Keyroll, demand
from safety import check, exactly

YEAR = 365 * 86_400
# 31 December 2016, 23:59:58 UTC: two seconds before the last leap second.
LEAP = 1_483_228_798
CLOCKS = {
    "ten years back": {"CLOCK_OFFSET": str(-10 * YEAR)},
    "an hour back": {"CLOCK_OFFSET": "-3600"},
    "an hour back in the middle": {"CLOCK_OFFSET": "0", "CLOCK_JUMP": "-3600", "CLOCK_JUMP_AFTER": "40"},
    "ten years ahead": {"CLOCK_OFFSET": str(10 * YEAR)},
    "standing still": {"CLOCK_FROZEN": "1800000000"},
    "a leap second": {"CLOCK_LEAP": str(LEAP)},
}


def under(bench: Bench, name: str, variables: dict[str, str]) -> None:
    """A roll, writes, a roll back under the right clock; everything follows and nothing is destroyed."""
    with bench.scratch(f"clock {name}") as path:
        world = World(path, bench.keyroll)
        quick(world)
        world.run("rotate", "--force")
        other = Keyroll(bench.keyroll.binary, {"LD_PRELOAD": bench.library(LIBRARY)} | variables)
        expected = dict(OLD)
        for keyroll in (other, bench.keyroll, other):
            world.keyroll = keyroll
            world.run("rotate", "--force")
            expected["secret/1"] = f"written under {name}".encode()
            world.run("put", "secret/1", "--replace", data=expected["secret/1"])
            world.run("rotate")
            ring, census = check(world.home, exactly(expected), list(expected.values()))
            demand(set(census) == {ring.active.number}, f"{name}: counts are {dict(census)}")
        world.keyroll = bench.keyroll
        world.run("verify")
        verdict = world.run("audit", "verify")
        demand(verdict, "audit verify says nothing")
        for generation in json.loads(world.run("status", "--json", codes=(0, 3)))["generations"]:
            demand(generation["state"] != "destroyed", f"generation {generation['number']} was destroyed")
            bundle = world.file(f"home/bundles/default-g{generation['number']}.keyroll.tar.zst")
            demand(os.path.exists(bundle), f"the bundle of generation {generation['number']} is gone")


def run(bench: Bench) -> dict:
    """Each clock."""
    for name, variables in CLOCKS.items():
        bench.attempt(name, lambda: under(bench, name, variables))
    return {"clocks": list(CLOCKS)}
