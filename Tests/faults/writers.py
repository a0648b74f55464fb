"""R11: applications write and read while rotations run, two at a time, and both are killed; the history is checked."""

import base64
import json
import os
import random
import signal
import subprocess
import threading
import time
from dataclasses import asdict, dataclass, field

import model
from bench import Bench
from life import QUICK, World, plaintexts
from model import ABSENT, Operation
from runner import KILLED, Fault, demand, note
from safety import Expected, check, digest

WRITERS = 4
RATE = 50.0
BUSY, OUTPUT = 75, 74
# Named by all writers, and few, so that they meet.
SHARED = [f"shared/{number}" for number in range(60)]
P99 = 0.25


@dataclass
class History:
    """What all writers did."""

    operations: list[Operation] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    rotations: int = 0
    kills: int = 0
    faults: int = 0

    def latencies(self) -> list[float]:
        """Of writes that were answered."""
        return sorted(one.end - one.start for one in self.operations if one.answer and one.what != "get")


class Writer:
    """An application: a process that has the home open, asked line by line. One that is killed is started anew."""

    def __init__(self, bench: Bench, world: World, number: int, seed: object) -> None:
        self.bench, self.world, self.number = bench, world, number
        self.dice = bench.dice("writer", number, seed)
        self.child: subprocess.Popen | None = None
        self.step = 0

    def start(self) -> None:
        """Starts the process."""
        self.child = subprocess.Popen(
            [self.bench.writer, self.world.home], env=self.bench.keyroll.environment(self.world.home),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1)
        demand(self.child.stdout.readline() == "ready\n", "the application does not start")

    def stop(self) -> None:
        """Ends it in order."""
        if self.child:
            self.child.stdin.close()
            self.child.wait()
            self.child = None

    def operate(self, history: History) -> None:
        """One operation, by chance."""
        self.step += 1
        name = self.dice.choice(SHARED) if self.dice.random() < 0.5 else f"own/{self.number}/{self.dice.randrange(40)}"
        what = self.dice.choices(["put", "new", "rm", "get"], [4, 2, 2, 4])[0]
        text = f"{self.number}-{self.step}-{self.dice.randrange(1 << 48):012x}".encode()
        value = base64.b64encode(text * self.dice.choice([1, 1, 3, 200])).decode() if what in ("put", "new") else ABSENT
        if self.child is None:
            self.start()
        start = time.monotonic()
        try:
            self.child.stdin.write(" ".join(filter(None, [what, name, value])) + "\n")
            answer = self.child.stdout.readline()
        except (BrokenPipeError, OSError):
            answer = ""
        end = time.monotonic()
        if not answer.endswith("\n"):
            # Killed: nobody knows.
            self.child.wait()
            self.child = None
            history.operations.append(Operation(self.number, what, name, value, start))
            return
        word, _, rest = answer.rstrip("\n").partition(" ")
        if word == "ok":
            result, value = "ok", rest if what == "get" else value
        elif "no secret is named" in rest or "no secret named" in rest:
            result = "ok" if what == "get" else "absent"
        elif "already" in rest:
            result = "exists"
        else:
            history.failures.append(f"{what} {name}: {rest}")
            result = None
        history.operations.append(Operation(self.number, what, name, value, start, end, result))

    def run(self, history: History, until: float) -> None:
        """Operations at the rate, to the end."""
        due = time.monotonic()
        while due < until:
            time.sleep(max(0.0, due - time.monotonic()))
            self.operate(history)
            due = max(due + self.dice.expovariate(RATE), time.monotonic() - 1)


def rotate(bench: Bench, world: World, history: History, until: float, dice: random.Random, faults: bool, kills: bool) -> None:
    """Rotation after rotation; some are killed, in some a call fails."""
    while time.monotonic() < until:
        fault = None
        if faults and dice.random() < 0.4:
            fault = Fault(
                world.home, at=dice.randint(1, 600), lasting=dice.random() < 0.5,
                mode=dice.choice(["fail:EIO", "fail:ENOSPC", "fail:EINTR", "short", "before", "after"]))
            history.faults += 1
        command = dice.choice([["rotate", "--force"], ["rotate", "--force"], ["rotate"], ["archive", "create"]])
        if command[0] == "archive":
            command = ["archive", "rehearse"]
        child = bench.keyroll.start(
            world.home, command, fault, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if kills and dice.random() < 0.3:
            try:
                child.wait(dice.uniform(0, 0.4))
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
                history.kills += 1
        errors = child.communicate()[1].decode()
        history.rotations += child.returncode == 0
        if fault is None and child.returncode not in (0, BUSY, KILLED):
            history.failures.append(f"{command}: {child.returncode}: {errors.strip()}")
        time.sleep(dice.uniform(0, 0.1))


def cycle(
    bench: Bench, world: World, seed: object, seconds: float, initial: dict[str, str], faults: bool = False,
    kills: bool = True
) -> tuple[History, dict[str, str]]:
    """Writers beside rotations for some seconds; then everything is checked.

    Returns: the history, and what is there now.
    """
    history = History()
    until = time.monotonic() + seconds
    writers = [Writer(bench, world, number, seed) for number in range(WRITERS)]
    threads = [threading.Thread(target=writer.run, args=(history, until)) for writer in writers]
    # Two of them at once: one always finds the other at work.
    threads += [
        threading.Thread(target=rotate, args=(bench, world, history, until, bench.dice("rotator", number, seed), faults, kills))
        for number in range(2)]
    for thread in threads:
        thread.start()
    dice = bench.dice("killer", seed)
    while kills and time.monotonic() < until:
        time.sleep(dice.uniform(0.2, 1.5))
        child = dice.choice(writers).child
        if child:
            child.send_signal(signal.SIGKILL)
            history.kills += 1
    for thread in threads:
        thread.join()
    for writer in writers:
        writer.stop()
    return history, finish(bench, world, history, initial)


def finish(bench: Bench, world: World, history: History, initial: dict[str, str]) -> dict[str, str]:
    """Safe before anything is mended, then mended by one plain run; and the history with the end could have been."""
    possible: Expected = {name: {_digest(value)} for name, value in initial.items()}
    for name, part in model.by_name(history.operations).items():
        written = {_digest(one.value) for one in part if one.what in ("put", "new")}
        possible[name] = {None, *possible.get(name, set()), *written}
    check(world.home, possible)
    # What another one's faults left is mended, and everything moved.
    world.run("rotate")
    ring, census = check(world.home, possible)
    demand(set(census) <= {ring.active.number}, f"after the last rotation counts are {dict(census)}")
    world.run("verify")
    # What is there in the end is one more read of each.
    now = time.monotonic()
    names = sorted(possible)
    exported = {
        line["name"]: line.get("secretBase64") or base64.b64encode(line.get("secret", "").encode()).decode()
        for line in map(json.loads, world.run("export", "--format", "jsonl").splitlines())}
    history.operations += [Operation(-1, "get", name, exported.get(name), now, now, "ok") for name in names]
    check(world.home, {name: {_digest(value)} for name, value in exported.items()})
    wrong = model.violations(history.operations, initial)
    if wrong:
        _keep(history, initial)
    demand(not wrong, f"histories that cannot have been: {wrong[:5]}")
    demand(not history.failures, f"{len(history.failures)} operations failed: {history.failures[:5]}")
    return exported


def _digest(value: str) -> str:
    return digest(base64.b64decode(value))


def _keep(history: History, initial: dict[str, str]) -> None:
    path = f"/tmp/keyroll-history-{os.getpid()}.json"
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"initial": initial, "operations": [asdict(one) for one in history.operations]}, file)
    note(f"the history is kept in {path}")


def begin(bench: Bench, path: str, count: int = 2000) -> tuple[World, dict[str, str]]:
    """A home with secrets that rotations have to move, and those that writers share."""
    world = World(path, bench.keyroll)
    world.create(QUICK)
    secrets = plaintexts(count, "row", sizes=(32, 100)) | {name: name.encode() for name in SHARED}
    world.fill(secrets)
    return world, {name: base64.b64encode(plaintext).decode() for name, plaintext in secrets.items()}


def run(bench: Bench, seeds: int, seconds: float) -> dict:
    """So many seeds, half of them with kills."""
    model.test_itself()
    demand(bench.writer, "name the application with --writer")
    result = {"seeds": seeds, "operations": 0, "rotations": 0, "kills": 0, "p99 ms": 0}
    for seed in range(seeds):

        def body() -> None:
            with bench.scratch(f"writers {seed}") as path:
                world, initial = begin(bench, path)
                history, _ = cycle(bench, world, seed, seconds, initial, kills=seed % 2 == 0)
            latencies = history.latencies()
            p99 = latencies[len(latencies) * 99 // 100]
            result["operations"] += len(history.operations)
            result["rotations"] += history.rotations
            result["kills"] += history.kills
            result["p99 ms"] = max(result["p99 ms"], round(p99 * 1000))
            demand(history.rotations > 0, "no rotation came to its end")

        bench.attempt(f"writers, seed {seed} of --seed {bench.seed}", body)
    return result
