"""What the checks share: a template of each job's home, what an unbroken run makes of it, and the way back after a fault."""

import os
import random
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from life import Job, World, summary
from runner import SCRATCH, Fault, Keyroll, Unsafe, demand, library, note
from safety import check


@dataclass
class Template:
    """A job with the world it begins in, and what it has to come to."""

    job: Job
    world: World
    # States, counts and files before, and after an unbroken run.
    untouched: dict
    finished: dict
    # How many calls an unbroken run makes that a fault can strike.
    calls: int = 0


@dataclass
class Bench:
    """A scratch folder, the command under test, and the seed of everything random."""

    keyroll: Keyroll
    seed: int
    # How many tries a check may make for each job; 0 for all there are.
    limit: int = 0
    workers: int = 1
    folder: tempfile.TemporaryDirectory = field(
        default_factory=lambda: tempfile.TemporaryDirectory(prefix="keyroll-faults-", dir=SCRATCH))
    # The application that writers are.
    writer: str | None = None
    failures: list[str] = field(default_factory=list)

    def path(self, name: str) -> str:
        """A place in the scratch folder."""
        return os.path.join(self.folder.name, name)

    def dice(self, *what: object) -> random.Random:
        """Random numbers that the seed and these words give again."""
        return random.Random(" ".join(map(str, (self.seed, *what))))

    def template(self, job: Job, calls: str = "") -> Template:
        """Makes the world, and runs the job once to its end."""
        world = World(self.path(f"{job.name} template".replace(" ", "-")), self.keyroll)
        if not os.path.exists(world.path):
            job.prepare(world)
        check(world.home, job.before, job.secrets)
        idle = world.copy(self.path("idle"))
        if job.may_not_begin:
            # What the rerun makes of a home in which the job never began.
            self.keyroll.run(idle.home, job.rerun(idle)).expect()
        untouched = summary(idle, job.before, job.secrets)
        done = world.copy(self.path("unbroken"))
        count = self.path("count")
        fault = Fault(done.path, count=count, calls=calls)
        self.keyroll.run(done.home, job.arguments(done), fault, job.data).expect()
        finished = summary(done, job.after, job.secrets)
        with open(count, encoding="ascii") as file:
            number = int(file.read().split()[0])
        return Template(job, world, untouched, finished, number)

    def come_back(
        self, template: Template, world: World, is_torn: bool = False, leaves_drafts: bool = False
    ) -> None:
        """After a fault: safe at once, one plain rerun finishes, and the end is that of an unbroken run."""
        job = template.job
        check(world.home, job.during, job.secrets, is_torn)
        again = self.keyroll.run(world.home, job.rerun(world), data=job.data)
        demand(again.code in job.done, f"the rerun ended with {again.code}: {again.errors.strip()}")
        self.expect_end(template, world, is_torn, leaves_drafts)

    def expect_end(
        self, template: Template, world: World, is_torn: bool = False, leaves_drafts: bool = False
    ) -> None:
        """What is there now is what an unbroken run makes; a draft that could not be removed may be beside it."""
        job = template.job
        end = summary(world, job.during if job.may_not_begin else job.after, job.secrets, is_torn)
        if leaves_drafts:
            end["files"] = {name: count for name, count in end["files"].items() if ".new-" not in name}
        if job.may_not_begin and end["states"] == template.untouched["states"]:
            # Nothing had begun; a record that it was planned may be there.
            known = template.untouched["files"] | template.finished["files"]
            odd = sorted(end["files"].keys() - known.keys())
            demand(not odd and end["census"] == template.untouched["census"], f"nothing was begun, but {odd} is there")
        elif end != template.finished:
            differences = []
            for key, there in end.items():
                wished = template.finished[key]
                odd = sorted(name for name in there.keys() | wished.keys() if there.get(name) != wished.get(name))
                differences += [f"{key} {name}: {there.get(name)} instead of {wished.get(name)}" for name in odd]
            raise Unsafe("the end is not that of an unbroken run: " + "; ".join(differences))

    def expect_success(self, template: Template, world: World) -> None:
        """The command said that it is done: all that it was asked for is there."""
        ring, census = check(world.home, template.job.after, template.job.secrets)
        states = {number: one.states[-1] for number, one in ring.generations.items()}
        demand(
            states == template.finished["states"] and dict(census) == template.finished["census"],
            f"it said done, and states are {states}, counts {dict(census)}")

    def choose(self, count: int, *what: object) -> list[int]:
        """Which of the calls 1, 2 … count are struck: all, or as many as the limit lets, spread by chance."""
        if not self.limit or count <= self.limit:
            return list(range(1, count + 1))
        # One from each stretch, so that no part of the run is left out.
        dice, width = self.dice(*what), count / self.limit
        return sorted({min(count, 1 + int(width * (part + dice.random()))) for part in range(self.limit)})

    def attempt(self, what: str, body: Callable[[], None]) -> None:
        """Notes a failure and goes on, so that one run tells all of them."""
        try:
            body()
        except Unsafe as failure:
            self.failures.append(f"{what}: {failure}")
            note(f"FAILED {what}: {failure}")

    def each(self, tries: list, body: Callable[[object], None]) -> None:
        """All of the tries, on so many threads; what they do is done by processes."""
        with ThreadPoolExecutor(self.workers) as pool:
            for _ in pool.map(body, tries):
                pass

    def library(self, source: str) -> str:
        """A library to preload."""
        return library(source)

    def scratch(self, name: str) -> "Scratch":
        """A world's place that is gone afterwards."""
        return Scratch(self.path(name.replace(" ", "-").replace("/", "-")))


@dataclass
class Scratch:
    """A folder for one try."""

    path: str

    def __enter__(self) -> str:
        shutil.rmtree(self.path, ignore_errors=True)
        return self.path

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
