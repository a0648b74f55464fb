"""A disk that says it has written what it has not: one bit of a bundle is wrong. No key goes off line on its word.

What is in no bundle (ring, store, logs) is held against such a disk by its copies, its tags and its chains: R9, R17, R25.
"""

import os

from bench import Bench, Template
from errors import DOCUMENTED
from life import World, named
from runner import Fault, demand, note
from safety import read_ring


def bundles(world: World) -> str:
    """Where they lie."""
    return os.path.join(world.home, "bundles")


def writes(bench: Bench, template: Template) -> int:
    """How often an unbroken run writes to a bundle."""
    with bench.scratch(f"{template.job.name} counted") as path:
        world = template.world.copy(path)
        count = path + ".count"
        fault = Fault(bundles(world), count=count, calls="write")
        bench.keyroll.run(world.home, template.job.arguments(world), fault, template.job.data).expect()
        with open(count, encoding="ascii") as file:
            number = int(file.read().split()[0])
        os.remove(count)
    return number


def one(bench: Bench, template: Template, k: int) -> None:
    """The k-th write to a bundle is garbled: it is noticed, nothing is lost, the next run makes it good."""
    job = template.job
    with bench.scratch(f"{job.name} garbled {k}") as path:
        world = template.world.copy(path)
        outcome = bench.keyroll.run(
            world.home, job.arguments(world), Fault(bundles(world), at=k, mode="garble", calls="write"), job.data)
        if outcome.code == 0:
            # It was noticed and written once more.
            bench.expect_success(template, world)
        else:
            demand(outcome.code in DOCUMENTED, f"exit code {outcome.code}: {outcome.errors.strip()}")
            demand("bundle" in outcome.errors, f"it does not say what is wrong: {outcome.errors.strip()}")
        bench.come_back(template, world)


def without_another(bench: Bench, template: Template) -> None:
    """The bundle that retirement writes is the only one there is, and is garbled: the key stays on line."""
    job = template.job
    with bench.scratch(f"{job.name} garbled alone") as path:
        world = template.world.copy(path)
        ring = read_ring(world.home)
        for file in os.listdir(bundles(world)):
            if "-g1." in file:
                os.remove(os.path.join(bundles(world), file))
        demand(len(os.listdir(bundles(world))) < len(ring.bundles), "no bundle of generation 1 was there")
        outcome = bench.keyroll.run(
            world.home, job.arguments(world), Fault(bundles(world), at=1, mode="garble", calls="write"))
        demand(outcome.code in DOCUMENTED, f"exit code {outcome.code} with a garbled bundle: {outcome.errors.strip()}")
        demand(1 in read_ring(world.home).generations, "generation 1 went off line, and no bundle has its key")
        bench.keyroll.run(world.home, job.rerun(world)).expect(*job.done)
        bench.expect_end(template, world)


def run(bench: Bench, jobs: str) -> dict:
    """Every write to a bundle, of each job that writes some."""
    result = {}
    for job in named(jobs):
        template = bench.template(job)
        number = writes(bench, template)
        bench.each(
            list(range(1, number + 1)), lambda k: bench.attempt(
                f"{job.name}, garbled write {k} of {number} to a bundle", lambda: one(bench, template, k)))
        if job.name == "retire":
            bench.attempt("retire, the only bundle garbled", lambda: without_another(bench, template))
        result[job.name] = {"writes": number}
        note(f"{job.name}: {result[job.name]}")
    demand(jobs or sum(one["writes"] for one in result.values()) >= 6, f"bundles are hardly written: {result}")
    return result
