"""R3: the power goes at each sync. What was not synced is kept, lost, partly lost, or torn into sectors."""

import base64
import hashlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from bench import Bench, Template
from life import OLD, QUICK, World, named, summary
from replay import Change, Disk, read_log, write_image
from runner import Fault, Unsafe, demand, note
from safety import check, exactly

# Nobody has looked at this log yet.
ATTENTION = 3
# Files whose syncs a job cannot do without.
UNSYNCED = {"import": ["secrets.sqlite"], "rotate": ["keys.sqlite", "keys-copy.sqlite", "bundles", "secrets.sqlite"]}
VARIANTS = ("kept", "none", "subset", "torn")


@dataclass(frozen=True)
class State:
    """A disk that a power cut leaves."""

    where: str
    image: dict[str, bytes | None]
    # Whether the command had said that it is done.
    is_done: bool

    @property
    def key(self) -> str:
        """The same for the same disk."""
        return hashlib.sha256(repr((self.is_done, sorted(self.image.items()))).encode()).hexdigest()


def changes_of(bench: Bench, template: Template) -> tuple[Disk, list[Change]]:
    """The disk before one run, and what the run does to it."""
    with bench.scratch(f"{template.job.name} logged") as path:
        world = template.world.copy(path)
        # As the disk has it before: everything is safe.
        disk = Disk(world.path)
        log = bench.path("changes")
        bench.keyroll.run(
            world.home, template.job.arguments(world), Fault(world.path, log=log), template.job.data).expect()
    changes = read_log(log)
    os.remove(log)
    return disk, changes


def cuts(bench: Bench, name: str, disk: Disk, changes: list[Change], seeds: int) -> Iterator[list[State]]:
    """The disks that a cut at each sync can leave; each different one once."""
    syncs = sum(change.what == "s" for change in changes)
    chosen = set(bench.choose(syncs, name, "power"))
    known: set[str] = set()

    def cut(where: str, number: int, is_done: bool) -> Iterator[State]:
        for variant in VARIANTS:
            for seed in range(seeds if variant in ("subset", "torn") else 1):
                image = disk.image(variant, bench.dice(name, number, variant, seed).randrange(1 << 48))
                state = State(f"{where}, {variant}, seed {seed}", image, is_done)
                if state.key not in known:
                    known.add(state.key)
                    yield state

    number = 0
    for change in changes:
        if change.what == "s":
            number += 1
            if number in chosen:
                yield list(cut(f"before sync {number} of {syncs}", number, False))
        disk.apply(change)
    yield list(cut("after it said done", syncs + 1, True))


def prove_itself(bench: Bench, template: Template, disk: Disk, changes: list[Change], without: str) -> None:
    """Were a file not synced, this would notice: the same run with those syncs left out is not safe."""
    for change in changes:
        if not (change.what == "s" and without in change.text):
            disk.apply(change)
    with bench.scratch(f"unsynced {without}") as path:
        write_image(disk.image("none", 0), path)
        try:
            check(os.path.join(path, "home"), template.job.after, template.job.secrets, is_torn=True)
            end = summary(World(path, bench.keyroll), template.job.after, [], is_torn=True)
            is_noticed = end["states"] != template.finished["states"]
        except Unsafe:
            is_noticed = True
    demand(is_noticed, f"nobody would notice that {without} is not synced by {template.job.name}")


def after_power_cut(bench: Bench, template: Template, state: State, comes_back: bool) -> None:
    """The machine comes up again: everything is safe, and, where that is looked at too, goes on by itself."""
    job = template.job
    with bench.scratch(f"{job.name} {state.key}") as path:
        write_image(state.image, path)
        world = World(path, bench.keyroll)
        check(world.home, job.after if state.is_done else job.during, job.secrets, is_torn=True)
        if state.is_done:
            # Nothing of it may be missing, though nobody runs it again.
            end = summary(world, job.after, job.secrets, is_torn=True)
            demand(end["states"] == template.finished["states"], f"done was told, and states are {end['states']}")
        if not comes_back:
            return
        bench.come_back(template, world, is_torn=True)
        # The next roll marks what was torn off the logs, and they follow again.
        bench.keyroll.run(world.home, ["rotate", "--force"]).expect()
        check(world.home, job.after, job.secrets)
        bench.keyroll.run(world.home, ["verify"]).expect()
        bench.keyroll.run(world.home, ["audit", "verify"]).expect(0, ATTENTION)


def application(bench: Bench, seeds: int) -> dict:
    """What the library told an application that goes on running is there, though nothing was closed yet."""
    with bench.scratch("application") as path:
        world = World(path, bench.keyroll)
        world.create(QUICK)
        world.fill(OLD)
        disk, log = Disk(world.path), bench.path("application-log")
        writer = subprocess.Popen(
            [bench.writer, world.home], env=bench.keyroll.environment(world.home, Fault(world.path, log=log)),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1)
        demand(writer.stdout.readline() == "ready\n", "the application does not start")
        written = {"secret/4": b"put by an application", "another": b"another one", "third": b"and a third"}
        for name, plaintext in written.items():
            writer.stdin.write(f"put {name} {base64.b64encode(plaintext).decode()}\n")
            demand(writer.stdout.readline() == "ok\n", f"put {name} failed")
        writer.stdin.write("rm secret/5\n")
        demand(writer.stdout.readline() == "ok\n", "rm failed")
        writer.kill()
        writer.communicate()
        for change in read_log(log):
            disk.apply(change)
        os.remove(log)
        expected = exactly({name: value for name, value in (OLD | written).items() if name != "secret/5"})
        states = 0
        for variant in VARIANTS:
            for seed in range(seeds if variant in ("subset", "torn") else 1):
                states += 1
                with bench.scratch(f"application {variant} {seed}") as place:
                    write_image(disk.image(variant, bench.dice("application", variant, seed).randrange(1 << 48)), place)
                    bench.attempt(
                        f"an application, power cut after ok, {variant}, seed {seed}",
                        lambda place=place: check(os.path.join(place, "home"), expected, is_torn=True))
    return {"states": states}


def run(bench: Bench, jobs: str, seeds: int = 20, every: int = 1) -> dict:
    """All syncs of each job of the life, or as many as the limit lets; of every so many disks keyroll goes on."""
    result = {"an application": application(bench, seeds)}
    for job in named(jobs):
        template = bench.template(job)
        disk, changes = changes_of(bench, template)
        for without in UNSYNCED.get(job.name, ()):
            prove_itself(bench, template, *changes_of(bench, template), without)
        syncs = sum(change.what == "s" for change in changes)
        demand(syncs >= 5, f"{job.name} syncs {syncs} times only")
        number = 0
        for states in cuts(bench, job.name, disk, changes, seeds):
            tries = list(enumerate(states, number))
            number += len(states)
            bench.each(tries, lambda one: bench.attempt(
                f"{job.name}, power cut {one[1].where}",
                lambda: after_power_cut(bench, template, one[1], one[0] % every == 0)))
        result[job.name] = {"changes": len(changes), "syncs": syncs, "states": number, "went on": -(-number // every)}
        note(f"{job.name}: {result[job.name]}")
    return result
