"""The parts of the PostgreSQL run, one after another, and their table. Called by postgres.sh, which also cleans up."""

import argparse
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "scale"))

import fleet
import halfempty
import idle
import memory
import put
import rewrap
import wal
from home import Failure
from report import Report
from served import Homes, Server

PARTS = {
    "rewrap": rewrap.run, "idle": idle.run, "memory": memory.run, "fleet": fleet.run, "put": put.run, "wal": wal.run,
    "half-empty": halfempty.run,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="postgres")
    parser.add_argument("binary")
    parser.add_argument("part", choices=[*PARTS, "all"])
    parser.add_argument("scratch")
    parser.add_argument("--json")
    parser.add_argument("--sizes", default="1000000,10000000", help="memory, idle, fleet: numbers of secrets")
    parser.add_argument("--runs", type=int, default=7, help="rewrap: rounds")
    arguments = parser.parse_args()
    # So that a stopped run ends its children on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(75))

    report = Report()
    server = Server(os.path.join(arguments.scratch, "server"))
    homes = Homes(arguments, server)
    try:
        for name, run in PARTS.items():
            if arguments.part in (name, "all"):
                run(homes, report)
    except Failure as failure:
        print(f"postgres: {failure}", file=sys.stderr)
        return 74
    finally:
        # What was measured before a failure is worth seeing too.
        report.show()
        if arguments.json:
            report.write(arguments.json, benchmark="postgres", server=server.settings())
    # "Needs attention", as keyroll itself says it.
    return 0 if report.all_hold else 3


sys.exit(main())
