"""R25: whatever is killed when, evidence and audit log end with the exact number of secrets that were moved, once."""

import json
import os
import pathlib

from bench import Bench
from life import QUICK, World, plaintexts
from runner import Fault, demand

SECRETS = plaintexts(20, "row", sizes=(32,))
JOB = ["rotate", "--force"]


def moved_by_evidence(home: str) -> int:
    """What finished runs have moved; of a run that was taken up again the last record counts all of it."""
    runs: dict[str, int] = {}
    path = pathlib.Path(home, "evidence.jsonl")
    for line in path.read_bytes().splitlines() if path.exists() else []:
        record = json.loads(line)
        if record["kind"] == "run":
            runs[record["facts"].get("resumed", record["job"])] = record["facts"]["moved"]
    return sum(runs.values())


def moved_by_log(bench: Bench, home: str) -> int:
    """The same by the audit log's entries of jobs."""
    runs: dict[str, int] = {}
    for line in bench.keyroll.run(home, ["audit", "export", "--kind", "job"]).expect().output.splitlines():
        entry = json.loads(line)
        facts = entry.get("facts", entry)
        if facts.get("kind") == "rotate" and "moved" in facts:
            demand(entry["outcome"] != "failed", f"an entry says failed: {entry}")
            runs[facts["job"]] = runs.get(facts["job"], 0) + facts["moved"]
    return sum(runs.values())


def run(bench: Bench) -> dict:
    """Kills a rotation before and after each call, or some of them, and lets the next one finish it."""
    template = World(bench.path("counts"), bench.keyroll)
    template.create(QUICK)
    template.fill(SECRETS)
    with bench.scratch("counted") as path:
        world = template.copy(path)
        count = os.path.join(path, "count")
        bench.keyroll.run(world.home, JOB, Fault(world.home, count=count)).expect()
        calls = int(pathlib.Path(count).read_text(encoding="ascii").split()[0])
    demand(calls > 300, f"a rotation makes {calls} calls")
    tries = [(at, mode) for at in range(1, calls + 1) for mode in ("before", "after")]
    if bench.limit:
        tries = bench.dice("counts").sample(tries, bench.limit)
    added: list[int] = []

    def one(at: int, mode: str) -> None:
        with bench.scratch(f"counts {at} {mode}") as path:
            world = template.copy(path)
            bench.keyroll.run(world.home, JOB, Fault(world.home, at=at, mode=mode))
            outcome = bench.keyroll.run(world.home, ["rotate"]).expect(0)
            rolls = json.loads(bench.keyroll.run(world.home, ["status", "--json"]).output)["active"] - 1
            evidence, log = moved_by_evidence(world.home), moved_by_log(bench, world.home)
            expected = rolls * len(SECRETS)
            demand(evidence == expected, f"evidence counts {evidence}, {expected} were moved")
            demand(log == expected, f"the audit log counts {log}, {expected} were moved")
            bench.keyroll.run(world.home, ["audit", "verify"]).expect(0)
            if "was cut off before" in outcome.errors:
                added.append(at)

    bench.each(tries, lambda what: bench.attempt(f"counts {what}", lambda: one(*what)))
    return {"calls": calls, "tries": len(tries), "recordedByTheNextRun": len(added)}
