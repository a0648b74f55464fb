"""How jobs fare as a store grows, with larger contents, with one worker or two, and with little that is stale."""

import os
import statistics

from . import work

MIB = 1 << 20


def run(context) -> None:
    context.document.parts["growth"] = {
        "stores": stores(context), "contents": contents(context), "workers": workers(context), "stale": stale(context),
        "allocations": allocations(context)}


def stores(context) -> list:
    rows = []
    for kind, counts in (("SQLite", context.sizes.growth), ("PostgreSQL", context.sizes.served_growth)):
        for count in counts:
            context.say(f"growth, {kind}: {count} secrets")
            home = context.home(kind)
            filled = home.fill(count)
            if kind == "PostgreSQL":
                home.settle()
            rotations = [work.rotate(home, count) for _ in range(4 if count < 10_000_000 else 3)][1:]
            idle = [home.run("rotate", "--json").seconds for _ in range(5)]
            verified = work.verify(home, count)
            rows.append({
                "store": kind, "secrets": count, "importPerSecond": count / filled.seconds,
                "rotateSeconds": median(rotations), "rotatePerSecond": count / median(rotations),
                "rotatePeakMiB": max(used.peak_mib for used in rotations), "idleMs": statistics.median(idle) * 1000,
                "verifySeconds": verified.seconds, "verifyPerSecond": count / verified.seconds,
                "verifyPeakMiB": verified.peak_mib})
            home.remove()
    return rows


def contents(context) -> list:
    rows = []
    for length, count in context.sizes.contents:
        context.say(f"growth, contents of {length} bytes: {count} secrets")
        home = context.home()
        filled = home.fill(count, "--bytes", str(length))
        rotations = [work.rotate(home, count) for _ in range(4)][1:]
        renewed = [work.reencrypt(home, count) for _ in range(3)][1:]
        verified = work.verify(home, count)
        home.remove()
        mib = count * length / MIB
        rows.append({
            "length": length, "secrets": count, "importMiBs": mib / filled.seconds,
            "rotateSeconds": median(rotations), "rotatePerSecond": count / median(rotations),
            "rotateWrittenBytesPerSecret": min(used.written_bytes for used in rotations) / count,
            "reencryptPerSecond": count / median(renewed), "reencryptMiBs": mib / median(renewed),
            "verifyMiBs": mib / verified.seconds, "peakMiB": max(used.peak_mib for used in renewed)})
    return rows


def workers(context) -> list:
    """Crypto workers; beside them a reader and a committer run, so that one worker is more than one core."""
    count = context.sizes.main
    context.say("growth, workers")
    home = context.home()
    home.fill(count, "--bytes", "256")
    work.rotate(home, count)
    rows = []
    for name, job in (("rotate", work.rotate), ("re-encrypt", work.reencrypt), ("verify", work.verify)):
        found = {1: [], 2: []}
        for _ in range(3):
            for number in found:
                found[number].append(job(home, count, "--workers", str(number)))
        for number, used in found.items():
            rows.append({
                "job": name, "workers": number, "seconds": median(used), "secretsPerSecond": count / median(used),
                "coresBusy": statistics.median(one.cpu_seconds / one.seconds for one in used)})
    home.remove()
    return rows


def stale(context) -> list:
    """All, each hundredth, none of the secrets under an older generation; the new one is there before the clock starts."""
    count = context.sizes.main
    context.say("growth, stale shares")
    home = context.home()
    home.fill(count)
    rows = []
    for share, left in ((100, count), (1, (count + 99) // 100), (0, 0)):
        seconds = []
        for _ in range(3):
            if left:
                activate(home)
            if share == 1:
                home.fill(count, "--but-every", "100", replacing=True)
            work.settled(home)
            used = home.run("rotate", "--json")
            # With nothing to do there is no run, and no such count.
            if used.output.get("moved", 0) != left:
                raise RuntimeError(f"rotate moved {used.output.get('moved')} of {left}")
            seconds.append(used.seconds)
        rows.append({"stalePercent": share, "secrets": left, "seconds": statistics.median(seconds)})
    home.remove()
    return rows


def activate(home) -> None:
    number = work.newest(home) + 1
    home.run_words("generation", "create", "--home", home.path)
    home.run_words("generation", "activate", str(number), "--home", home.path)


def allocations(context) -> list:
    """Of whole jobs, a secret: the difference between two sizes, which leaves out what every process does."""
    context.say("growth, allocations")
    path = os.path.join(context.scratch, "allocations")
    small, large = 20_000, 60_000
    found = {}
    for count in (small, large):
        home = context.home()
        home.fill(count, "--bytes", "256")
        for name, job in (("rotate", work.rotate), ("re-encrypt", work.reencrypt), ("verify", work.verify)):
            os.environ.update(LD_PRELOAD=context.allocations, KEYROLL_ALLOCATIONS=path)
            try:
                # The last process to end is the job: whatever it runs before writes the same file earlier.
                job(home, count)
            finally:
                del os.environ["LD_PRELOAD"], os.environ["KEYROLL_ALLOCATIONS"]
            with open(path, encoding="ascii") as file:
                found[name, count] = int(file.read())
        home.remove()
    rows = [{"job": name, "aSecret": (found[name, large] - found[name, small]) / (large - small),
             "aProcess": found[name, small]} for name in ("rotate", "re-encrypt", "verify")]
    for row in rows:
        context.document.ratio("growth", f"allocations: {row['job']}", [row["aSecret"] + 0.05], better="lower")
    return rows


def median(used: list) -> float:
    return statistics.median(one.seconds for one in used)
