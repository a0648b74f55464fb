"""R2: the process dies just before, or just after, the k-th call that changes a file, for k = 1, 2, 3 …"""

from bench import Bench, Template
from life import named
from runner import KILLED, Fault, demand, note


def struck(bench: Bench, template: Template, k: int, mode: str) -> None:
    """One run that is killed at its k-th call, and what comes after."""
    with bench.scratch(f"{template.job.name} {mode} {k}") as path:
        world = template.world.copy(path)
        outcome = bench.keyroll.run(
            world.home, template.job.arguments(world), Fault(world.path, at=k, mode=mode), template.job.data)
        # Threads may reach the end of a run in another order, and with a call less or two.
        demand(outcome.code in (KILLED, 0), f"exit code {outcome.code}: {outcome.errors.strip()}")
        bench.come_back(template, world)


def run(bench: Bench, jobs: str) -> dict:
    """All of it, for each job of the life."""
    result = {}
    for job in named(jobs):
        template = bench.template(job)
        demand(template.calls >= job.calls, f"{job.name} makes {template.calls} calls only; {job.calls} are known")
        tries = [(mode, k) for mode in ("before", "after") for k in bench.choose(template.calls, job.name, mode)]
        bench.each(tries, lambda one: bench.attempt(
            f"{job.name}, killed {one[0]} call {one[1]} of {template.calls}",
            lambda: struck(bench, template, one[1], one[0])))
        result[job.name] = {"calls": template.calls, "tries": len(tries)}
        note(f"{job.name}: {result[job.name]}")
    return result
