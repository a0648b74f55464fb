"""The stages of a job one by one, on one core: StageBenchmark, once timed and once with its allocations counted."""

import json
import os
import statistics
import subprocess

from home import Failure

from .summary import percentile

# Content bytes of a stage's secrets; a usual token or password with its surroundings.
LENGTH = 256

SQLITE = ["scan", "unwrap", "wrap", "commit", "content scan", "content decrypt", "content encrypt", "content commit"]
PROCESSOR = ["CBOR decode, body", "CBOR decode, message", "CBOR encode, recipients and external_aad", "CMS seal", "CMS open",
             "CMS sign", "CMS verify", "memory copy"]
SERVED = ["scan", "commit", "content scan", "content commit"]


def run(context) -> None:
    sizes = context.sizes
    rows = []
    found = {}
    for kind in ("SQLite", "PostgreSQL"):
        context.say(f"stages, {kind}")
        home = context.home(kind)
        home.fill(sizes.stage_secrets, "--bytes", str(LENGTH))
        timed = measure(context, home.path, sizes.stage_rounds)
        counted = measure(context, home.path, 1, LD_PRELOAD=context.allocations)
        home.remove()
        found[kind] = timed
        for name in SQLITE + PROCESSOR if kind == "SQLite" else SERVED:
            rows.append(row(kind if name in SQLITE else "", name, timed[name], counted[name]))
    context.document.parts["stages"] = {"secrets": sizes.stage_secrets, "length": LENGTH, "rows": rows}
    compare(context.document, found["SQLite"], rows)


def measure(context, home: str, rounds: int, **environment) -> dict:
    os.sync()
    done = subprocess.run(
        [context.binary("StageBenchmark"), home, "--rounds", str(rounds)], capture_output=True, check=False,
        env={**os.environ, **environment})
    if done.returncode != 0:
        raise Failure(f"StageBenchmark: {done.stderr.decode(errors='replace').strip()}")
    return json.loads(done.stdout)


def row(store: str, name: str, timed: dict, counted: dict) -> dict:
    items, seconds = timed["items"], timed["seconds"]
    return {
        "store": store, "stage": name, "unit": timed["unit"],
        "perSecond": sum(items) / sum(seconds),
        "perBatch": max(items), "batches": len(items),
        "p50ms": percentile(seconds, 0.5) * 1000, "p99ms": percentile(seconds, 0.99) * 1000,
        "allocations": sum(counted["allocations"]) / sum(counted["items"]),
    }


def compare(document, stages: dict, rows: list) -> None:
    """Each stage beside another of the same run, by the medians of their batches: the slow ones of a noisy machine do not
    count."""
    def seconds(name):
        """Median seconds an item."""
        stage = stages[name]
        return statistics.median(time / count for time, count in zip(stage["seconds"], stage["items"]))

    # What is bound to the processor is held against the key wrap, which is nearly all AES.
    for name in ("content decrypt", "content encrypt", "CBOR decode, body", "CBOR decode, message", "CMS seal", "CMS open",
                 "CMS sign", "CMS verify", "scan", "commit", "content scan", "content commit"):
        document.ratio("stages", f"stage: {name} / wrap", [seconds("wrap") / seconds(name)])
    document.ratio("stages", "stage: unwrap / wrap", [seconds("wrap") / seconds("unwrap")])
    for found in rows:
        if found["store"] == "SQLite":
            # A count does not depend on the machine. The constant part keeps noughts comparable.
            document.ratio("stages", f"allocations: {found['stage']}", [found["allocations"] + 0.05], better="lower")
