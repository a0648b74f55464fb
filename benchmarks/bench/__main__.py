"""The parts one after another, then the figures, plots and page. Called by bench.sh, which also cleans up.

    python -m bench RELEASE SCRATCH [--quick] [--check] [--out FOLDER] [--only PART,PART,…]
"""

import argparse
import importlib
import json
import os
import signal
import subprocess
import sys
import time

from home import Failure

from . import HERE, check, machine
from .context import Context
from .document import Document
from .sizes import FULL, QUICK

# In the order in which they run; each is a module with `run`.
PARTS = {"stages": "stages", "limits": "limits", "jobs": "jobs", "growth": "growth", "peers": "compare"}
BASELINE = os.path.join(os.path.dirname(HERE), "baseline.json")
RESULTS = os.path.join(os.path.dirname(HERE), "results")


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("release")
    parser.add_argument("scratch")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--check", action="store_true", help="compare ratios with the baseline; quick")
    parser.add_argument("--out", help="where figures and plots go")
    parser.add_argument("--only", default=",".join(PARTS), help="parts to run")
    arguments = parser.parse_args()
    # So that a stopped run ends its children on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(75))

    if arguments.check and not os.path.exists(BASELINE):
        print(f"bench: {BASELINE} is not there; benchmarks/README.md says how to make one", file=sys.stderr)
        return 66
    sizes = QUICK if arguments.quick or arguments.check else FULL
    document = Document(sizes.name, machine.facts(arguments.release))
    context = Context(arguments.release, arguments.scratch, sizes, document)
    document["machine"]["versions"]["PostgreSQL"] = context.server.settings()["server_version"]
    started = time.monotonic()
    try:
        for name in arguments.only.split(","):
            run(name, context)
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 74
    document["seconds"] = time.monotonic() - started
    if set(arguments.only.split(",")) == set(PARTS):
        limit = 20 if sizes is FULL else 3
        document.bar(f"the {sizes.name} run, minutes", document["seconds"] / 60, limit, [document["seconds"] / 60], sign="<=")
    document["machine"]["loadAfter"] = list(os.getloadavg())
    # Checking leaves no page behind: the page in the repository is of a whole run.
    out = arguments.out or (os.path.join(RESULTS, "local", sizes.name) if sizes is QUICK else os.path.join(RESULTS, "bench"))
    os.makedirs(out, exist_ok=True)
    document.write(os.path.join(out, "bench.json"))
    if not arguments.check:
        draw(out, os.path.join(os.path.dirname(HERE), "RESULTS.md") if sizes is FULL and not arguments.out
             else os.path.join(out, "RESULTS.md"))
        context.say(f"{document['seconds']:.0f} s; written to {out}")
        # "Needs attention", as keyroll itself says it.
        return 3 if any(bar["holds"] is False for bar in document["bars"]) else 0

    with open(BASELINE, encoding="utf-8") as file:
        baseline = json.load(file)
    return check.report(check.settled(baseline, document.content, lambda parts: again(parts, context)))


def run(name: str, context: Context) -> None:
    started = time.monotonic()
    importlib.import_module(f".{PARTS[name]}", __package__).run(context)
    context.document.parts[name]["took"] = time.monotonic() - started
    context.say(f"{name} took {time.monotonic() - started:.0f} s")


def again(parts: list, context: Context) -> dict:
    """Measures some parts once more, into a document of their own; gives its ratios."""
    fresh = Context(context.release, context.scratch, context.sizes, Document("again", {}))
    fresh.made = 1000
    for name in parts:
        run(name, fresh)
    return fresh.document["ratios"]


def draw(out: str, page: str) -> None:
    """In a process of its own, so that this one never had the plotting library in its memory."""
    subprocess.run([sys.executable, "-m", "bench.draw", os.path.join(out, "bench.json"), page], check=True)


sys.exit(main())
