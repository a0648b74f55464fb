"""R6: the k-th call fails with EIO, ENOSPC, EDQUOT or EINTR, or takes half of its bytes; once, and from then on."""

import os

from bench import Bench, Template
from life import Job, named
from runner import Fault, demand, note

KINDS = [
    (mode, lasting) for mode in ("fail:EIO", "fail:ENOSPC", "fail:EDQUOT", "fail:EINTR", "short")
    for lasting in (False, True)]
# Documented in the README: needs attention; some failed; input or output error; unreachable, try again; another run; not permitted; unsafe.
DOCUMENTED = {3, 65, 69, 73, 74, 75, 77, 78}


def struck(bench: Bench, template: Template, k: int, mode: str, lasting: bool, calls: str) -> int:
    """One run with one fault. Success may be told only where what was asked for is there."""
    job = template.job
    with bench.scratch(f"{job.name} {mode} {lasting} {k} {calls}") as path:
        world = template.world.copy(path)
        count = path + ".count"
        fault = Fault(world.path, at=k, mode=mode, lasting=lasting, calls=calls, count=count)
        outcome = bench.keyroll.run(world.home, job.arguments(world), fault, job.data)
        was_unlink = False
        # A process that crashes tells nothing.
        if os.path.exists(count):
            with open(count, encoding="ascii") as file:
                was_unlink = file.read().split()[2] == "1"
            os.remove(count)
        if outcome.code == 0:
            # What failed did not matter, or was done another way: then all of it is there.
            bench.expect_success(template, world)
            demand("did not take" not in outcome.errors, f"exit code 0, and: {outcome.errors.strip()}")
        else:
            demand(outcome.code in DOCUMENTED, f"exit code {outcome.code} is not documented: {outcome.errors.strip()}")
            demand(outcome.errors.strip(), "it failed without a word")
        # Healed.
        bench.come_back(template, world, leaves_drafts=was_unlink)
        return outcome.code


def syncs(bench: Bench, job: Job) -> dict:
    """Each sync of a job fails once. What was to survive a power cut then may not: nobody says that all is well."""
    template = bench.template(job, "sync")
    passed: list[str] = []

    def one(k: int) -> None:
        with bench.scratch(f"{job.name} sync {k}") as path:
            world = template.world.copy(path)
            count = path + ".count"
            fault = Fault(world.path, at=k, mode="fail:EIO", calls="sync", count=count)
            outcome = bench.keyroll.run(world.home, job.arguments(world), fault, job.data)
            if outcome.code:
                return
            with open(count, encoding="utf-8") as file:
                struck = file.read().split(" ", 3)[3]
            os.remove(count)
            # SQLite passes over a failed sync of a journal's folder, and leaves the log of a closed database where it is.
            # The log's older head mark holds as well as the newer one.
            demand(
                os.path.isdir(struck) or not os.path.exists(struck) and ".new-" in struck
                or os.path.relpath(struck, world.home) in ("secrets.sqlite", "secrets.sqlite-wal", "audit/head"),
                f"exit code 0, and {os.path.relpath(struck, world.path)} could not be synced")
            bench.expect_success(template, world)
            passed.append(struck)

    bench.each(
        list(range(1, template.calls + 1)),
        lambda k: bench.attempt(f"{job.name}, failed sync {k} of {template.calls}", lambda: one(k)))
    return {"failed syncs": template.calls, "passed over": len(passed)}


def run(bench: Bench, jobs: str, calls: str = "") -> dict:
    """All kinds of failure at all calls, or as many as the limit lets for each job; each sync once more by itself."""
    result = {}
    for job in named(jobs):
        about_syncs = syncs(bench, job)
        template = bench.template(job, calls)
        tries = [(kind, k) for k in range(1, template.calls + 1) for kind in KINDS]
        if bench.limit and len(tries) > bench.limit:
            tries = bench.dice(job.name, "errors").sample(tries, bench.limit)
        codes: dict[str, int] = {}

        def one(what: tuple) -> None:
            (mode, lasting), k = what

            def body() -> None:
                code = struck(bench, template, k, mode, lasting, calls)
                codes[str(code)] = codes.get(str(code), 0) + 1

            bench.attempt(f"{job.name}, {mode}{' from' if lasting else ' at'} call {k} of {template.calls} {calls}", body)

        bench.each(tries, one)
        result[job.name] = {"calls": template.calls, "tries": len(tries), "exits": dict(sorted(codes.items()))} | about_syncs
        note(f"{job.name}: {result[job.name]}")
    return result
