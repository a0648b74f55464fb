"""Holds a run's ratios against a saved one's: no absolute figure is compared, so that another machine may do it.

    python3 -m bench.check FILE           compares the run in FILE with the baseline
    python3 -m bench.check --save FILE    makes that run the baseline
"""

import json
import os
import statistics
import sys

# A ratio that is a fifth worse than in the baseline is a fault.
DROP = 0.2


# Where the baseline's own runs differ by more than that, the worst of them is what a run is held against.
STEADY = 0.2


def drop(before: dict, after: dict) -> float:
    """By which share a ratio is worse now; below 0 where it is better."""
    quotient = after["median"] / before["median"]
    return 1 - (quotient if before["better"] == "higher" else 1 / quotient)


def compare(baseline: dict, found: dict) -> list:
    """A row for each ratio of the baseline: (name, before, after or None, drop), the worst first. One that is no longer
    measured is a fault too."""
    rows = []
    for name, before in baseline["ratios"].items():
        after = found["ratios"].get(name)
        rows.append((name, before["median"], after and after["median"], drop(before, after) if after else 1.0))
    return sorted(rows, key=lambda row: -row[3])


def failed(rows: list) -> list:
    return [row for row in rows if row[3] > DROP]


def settled(baseline: dict, found: dict, again) -> list:
    """Compares, and measures those parts once more in which something failed: noise does not hit the same twice. Of both
    runs the better median counts, only for what had failed."""
    rows = compare(baseline, found)
    names = [row[0] for row in failed(rows)]
    parts = sorted({baseline["ratios"][name]["part"] for name in names})
    if not parts:
        return rows
    print(f"bench-check: {len(names)} ratios dropped; once more: {', '.join(parts)}", file=sys.stderr, flush=True)
    second = again(parts)
    for name in names:
        before, first, other = baseline["ratios"][name], found["ratios"].get(name), second.get(name)
        if other and (first is None or drop(before, other) < drop(before, first)):
            found["ratios"][name] = other
    return compare(baseline, found)


def report(rows: list) -> int:
    """Prints the worst, and gives the exit status: 3 where one failed."""
    bad = failed(rows)
    for name, before, after, by in bad or rows[:5]:
        now = "not measured" if after is None else f"{after:.3g}"
        print(f"{'FAILED' if by > DROP else 'ok':6}  {name}: {before:.3g} before, {now} now ({-by:+.0%})")
    print(f"bench-check: {len(rows)} ratios, {len(bad)} worse by more than {DROP:.0%}")
    return 3 if bad else 0


def saved(found: dict) -> dict:
    """What a baseline keeps of a run."""
    return {"format": 1, "kind": found["kind"], "machine": found["machine"], "ratios": {
        name: {key: ratio[key] for key in ("part", "better", "median")} for name, ratio in found["ratios"].items()}}


def merged(runs: list) -> dict:
    """A baseline of several runs: the median of their medians, so that one lucky run does not set it; of a ratio that is
    not steady from run to run, the worst."""
    base = saved(runs[0])
    for name, ratio in base["ratios"].items():
        values = [run["ratios"][name]["median"] for run in runs]
        ratio["median"] = statistics.median(values)
        ratio["spread"] = (max(values) - min(values)) / ratio["median"]
        if ratio["spread"] > STEADY:
            ratio["median"] = min(values) if ratio["better"] == "higher" else max(values)
    return base


def main() -> int:
    here = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "baseline.json")
    words = sys.argv[1:]
    save = words[:1] == ["--save"]
    runs = []
    for path in words[1:] if save else words:
        with open(path, encoding="utf-8") as file:
            runs.append(json.load(file))
    if save:
        with open(here, "w", encoding="utf-8") as file:
            json.dump(merged(runs), file, indent=1)
            file.write("\n")
        return 0
    with open(here, encoding="utf-8") as file:
        baseline = json.load(file)
    return report(compare(baseline, runs[0]))


if __name__ == "__main__":
    sys.exit(main())
