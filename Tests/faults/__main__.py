"""Faults on purpose, against the real command: `python3 Tests/faults CHECK [options]`.

    syscalls   R2   dies before and after the k-th call that changes a file, for each job of the life
    power      R3   the power goes at each sync
    errors     R6   the k-th call fails
    creation   R2, R4  dies or fails at the k-th call while a home is made
    garbled    R9   a bundle's write says it is done, and one bit is wrong
    kills      R1   kill -9 at random instants
    nested     R4, R5   kills within kills, and what they cost
    full       R7   a disk of a fixed size
    memory     R8   too little memory
    rotators   R10  two at once
    writers    R11  writers, rotations and kills against a model
    leftover   R12  retirement with one reference left
    counts     R25  kills, and what evidence and audit log say was moved
    clocks     R15  wrong clocks
    rollback   R14  everything put back to an earlier day
    places     R18  parts of one secret in another's place
    fresh      R19  keys and nonces used once, and what stolen keys open
    soak       all of it at once, for so many minutes

Standard output is one JSON object: what was tried, how often, and what failed. The seed gives the same tries again.
"""

import argparse
import importlib
import json
import random
import sys
import time

from bench import Bench
from runner import Keyroll, Unsafe, note

# What each check gets, by size.
SIZES: dict[str, dict[str, dict]] = {
    "syscalls": {"ci": {"limit": 6}, "nightly": {}},
    "power": {"ci": {"limit": 2, "seeds": 1}, "nightly": {"seeds": 20, "every": 4}},
    "errors": {"ci": {"limit": 12}, "nightly": {}},
    "creation": {"ci": {"limit": 10}, "nightly": {}},
    "garbled": {"ci": {}, "nightly": {}},
    "kills": {"ci": {"count": 0, "kills": 0, "others": 3}, "nightly": {"count": 10_000, "kills": 1000, "others": 200}},
    "nested": {"ci": {"sequences": 1}, "nightly": {"sequences": 200}},
    "full": {"ci": {"steps": 12}, "nightly": {"steps": 1000}},
    "memory": {"ci": {"jobs": "rotate", "levels": 5}, "nightly": {"jobs": "rotate,import,reencrypt"}},
    "rotators": {"ci": {"rounds": 30}, "nightly": {"rounds": 1000}},
    "writers": {"ci": {"seeds": 1, "seconds": 6}, "nightly": {"seeds": 100, "seconds": 60}},
    "leftover": {"ci": {"tries": 20}, "nightly": {"tries": 1000}},
    "counts": {"ci": {"limit": 24}, "nightly": {}},
    "clocks": {"ci": {}, "nightly": {}},
    "rollback": {"ci": {"days": 4}, "nightly": {"days": 30}},
    "places": {"ci": {"pairs": 1000}, "nightly": {"pairs": 1000}},
    "fresh": {"ci": {"count": 8000}, "nightly": {"count": 1_000_000}},
    "soak": {"ci": {"minutes": 0.2}, "nightly": {"minutes": 60}},
}
BY_JOB = {"syscalls", "power", "errors", "garbled", "memory"}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="faults", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("check", choices=SIZES)
    parser.add_argument("--keyroll", required=True, help="the command under test")
    parser.add_argument("--writer", help="the application under Tests/FaultWriter")
    parser.add_argument("--size", choices=("ci", "nightly"), default="ci")
    parser.add_argument("--seed", type=int, help="as it was printed")
    parser.add_argument("--workers", type=int, default=1, help="tries at a time")
    parser.add_argument("--jobs", help="of the life, separated by commas")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=NUMBER", help="another size of one thing")
    return parser.parse_args()


def main() -> int:
    """Runs one check."""
    wished = arguments()
    seed = wished.seed if wished.seed is not None else random.SystemRandom().randrange(1, 1 << 48)
    note(f"{wished.check} --size {wished.size} --seed {seed}")
    sizes = dict(SIZES[wished.check][wished.size])
    for one in wished.set:
        name, value = one.split("=")
        sizes[name] = float(value) if "." in value else int(value) if value.isdigit() else value
    bench = Bench(Keyroll(wished.keyroll), seed, sizes.pop("limit", 0), wished.workers)
    bench.writer = wished.writer
    if wished.check in BY_JOB:
        sizes["jobs"] = wished.jobs or sizes.get("jobs", "")
    start = time.monotonic()
    result: dict = {}
    try:
        result = importlib.import_module(wished.check).run(bench, **sizes)
    except Unsafe as failure:
        bench.failures.append(str(failure))
        note(f"FAILED {failure}")
    json.dump(
        {
            "check": wished.check, "size": wished.size, "seed": seed, "seconds": round(time.monotonic() - start, 1),
            "result": result, "failures": bench.failures,
        }, sys.stdout, indent=1)
    print()
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
