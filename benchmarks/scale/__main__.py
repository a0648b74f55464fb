"""The scale run's parts, one after another, and their table. Called by scale.sh, which also cleans up."""

import argparse
import signal
import sys

import archive
import growth
import large
import latency
import reencrypt
from home import Failure
from report import Report


def main() -> int:
    parser = argparse.ArgumentParser(prog="scale")
    parser.add_argument("binary")
    parser.add_argument("part", choices=["growth", "latency", "large", "reencrypt", "archive", "all"])
    parser.add_argument("scratch")
    parser.add_argument("--json")
    parser.add_argument("--sizes", default="100000,1000000,10000000", help="growth: numbers of secrets")
    parser.add_argument("--large", type=int, default=10_000, help="large: secrets of 1 MiB")
    parser.add_argument("--counts", default="1000000,2000,12",
                        help="reencrypt: secrets of 256 bytes, of 1 MiB, of 64 MiB")
    parser.add_argument("--rounds", type=int, default=5, help="reencrypt: rounds that count")
    arguments = parser.parse_args()
    # So that a stopped run ends its children on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(75))

    report = Report()
    try:
        if arguments.part in ("growth", "all"):
            sizes = [int(size) for size in arguments.sizes.split(",")]
            growth.run(arguments.binary, arguments.scratch, sizes, report)
        if arguments.part in ("latency", "all"):
            latency.run(arguments.binary, arguments.scratch, report)
        if arguments.part in ("large", "all"):
            large.run(arguments.binary, arguments.scratch, arguments.large, report)
        if arguments.part in ("reencrypt", "all"):
            small, large_count, largest = (int(count) for count in arguments.counts.split(","))
            reencrypt.run(
                arguments.binary, arguments.scratch, (small, large_count, largest), arguments.rounds, report)
        if arguments.part in ("archive", "all"):
            archive.run(arguments.binary, arguments.scratch, report)
    except Failure as failure:
        print(f"scale: {failure}", file=sys.stderr)
        return 74
    finally:
        # What was measured before a failure is worth seeing too.
        report.show()
    if arguments.json:
        report.write(arguments.json)
    # "Needs attention", as keyroll itself says it.
    return 0 if report.all_hold else 3


sys.exit(main())
