"""A home is there whole or not at all: `init` and `restore` die, or fail, at the k-th call; the next one needs nobody's help.

In a place where nothing is yet, and in an empty folder that is there already, as a service's `/var/lib/keyroll`.
"""

import os
import shutil
from collections import Counter

from bench import Bench
from errors import DOCUMENTED
from life import World, plaintexts
from runner import KILLED, Fault, demand, note
from safety import check, exactly

SECRETS = plaintexts(5, "kept", sizes=(40,))
MODES = ("before", "after", "fail:EIO", "fail:ENOSPC")


def litter(world: World) -> list[str]:
    """Drafts, in the home or beside it."""
    return [
        os.path.join(folder, name) for folder, folders, files in os.walk(world.path) for name in folders + files
        if ".new-" in name]


def attempt(bench: Bench, backup: str, command: str, is_there: bool, mode: str, k: int) -> int:
    """One try.

    Returns: how the struck command ended.
    """
    with bench.scratch(f"{command} {is_there} {mode} {k}") as path:
        world = World(path, bench.keyroll)
        os.makedirs(world.home if is_there else path, mode=0o700)
        arguments = ["init"] if command == "init" else ["restore", backup]
        count = path + ".count"
        outcome = bench.keyroll.run(world.home, arguments, Fault(path, at=k, mode=mode, count=count))
        was_unlink = False
        # A process that crashes tells nothing.
        if os.path.exists(count):
            with open(count, encoding="utf-8") as file:
                was_unlink = file.read().split()[2] == "1"
            os.remove(count)
        if mode in ("before", "after"):
            demand(outcome.code in (0, KILLED), f"exit code {outcome.code}: {outcome.errors.strip()}")
        else:
            demand(outcome.code in DOCUMENTED | {0}, f"exit code {outcome.code}: {outcome.errors.strip()}")
        if os.path.exists(os.path.join(world.home, "keyroll.yaml")):
            # It is there: then all of it.
            demand(bench.keyroll.run(world.home, arguments).code == 73, "a home that is there was made once more")
        else:
            demand(outcome.code != 0, "done was told, and there is no home")
            bench.keyroll.run(world.home, arguments).expect()
        expected = {} if command == "init" else exactly(SECRETS)
        check(world.home, expected)
        # Any job that holds the run lock takes the rest away.
        world.run("rotate", "--force")
        world.run("put", "one more", data=b"works")
        check(world.home, expected | exactly({"one more": b"works"}))
        # A draft whose removal was what failed may stay.
        demand(was_unlink or not litter(world), f"left behind: {litter(world)}")
    return outcome.code


def run(bench: Bench) -> dict:
    """All calls, or as many as the limit lets."""
    source = World(bench.path("source"), bench.keyroll)
    source.create({})
    source.fill(SECRETS)
    backup = bench.path("backup")
    source.run("backup", backup, "--with-root")
    result = {}
    for command in ("init", "restore"):
        for is_there in (False, True):
            what = f"{command} {'in an empty folder' if is_there else 'where nothing is'}"
            with bench.scratch(f"{command} counted") as path:
                os.makedirs(os.path.join(path, "home") if is_there else path, mode=0o700)
                count = path + ".count"
                arguments = ["init"] if command == "init" else ["restore", backup]
                bench.keyroll.run(os.path.join(path, "home"), arguments, Fault(path, count=count)).expect()
                with open(count, encoding="ascii") as file:
                    calls = int(file.read().split()[0])
                os.remove(count)
            demand(calls > 20, f"{what} makes {calls} calls only")
            codes: Counter[int] = Counter()

            def one(what_and_k: tuple[str, int]) -> None:
                mode, k = what_and_k
                bench.attempt(
                    f"{what}, {mode} at call {k} of {calls}",
                    lambda: codes.update([attempt(bench, backup, command, is_there, mode, k)]))

            tries = [(mode, k) for mode in MODES for k in bench.choose(calls, what, mode)]
            bench.each(tries, one)
            result[what] = {"calls": calls, "tries": len(tries), "exits": {str(code): codes[code] for code in sorted(codes)}}
            note(f"{what}: {result[what]}")
    shutil.rmtree(backup)
    return result
