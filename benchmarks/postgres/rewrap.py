"""Rewrap: RotationBenchmark beside the bare limits of the same server."""

import json
import os
import subprocess
import sys

from home import Failure


def run(homes, report) -> None:
    bare = os.path.join(os.path.dirname(homes.binary), "RotationBenchmark")
    if not os.access(bare, os.X_OK):
        raise Failure(f"{bare}: no such binary; build it: swift build -c release --product RotationBenchmark")
    homes.server.sql("postgres", "CREATE DATABASE bare")
    path = os.path.join(homes.scratch, "rewrap.json")
    done = subprocess.run(
        [bare, "--postgres", f"postgresql:///bare?host={homes.server.folder}&user=postgres", "--runs", str(homes.runs),
         "--json", path, "--folder", os.path.join(homes.scratch, "homes")], stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Failure(f"RotationBenchmark: exit {done.returncode}")
    sys.stdout.write(done.stdout.decode())
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    report.table(
        "rewrap of 1 million, secrets/s", ["what", "median", "smallest", "largest"],
        [[name, *(measure["samples"][key] for key in ("median", "minimum", "maximum"))]
         for name, measure in sorted(found["measures"].items())])
    for bar in found["bars"]:
        report.bar(bar["name"], bar["ratio"]["median"], ">=", bar["bar"])
    homes.server.sql("postgres", "DROP DATABASE bare")
