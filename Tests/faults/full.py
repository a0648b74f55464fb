"""R7: a disk of a fixed size that gets full for real (tmpfs), from too small to large enough.

What a job says beforehand that it takes is held against what it took: the changes that `faults.c` wrote down, added up.
"""

import os
import re
import subprocess
from dataclasses import dataclass, field

from bench import Bench
from life import QUICK, World, json_lines, plaintexts
from replay import Change, read_log
from runner import Fault, demand
from safety import check, either, exactly

STEP = 64
# Enough that a rotation's log of changes takes some steps.
FILLED = plaintexts(3000, "row", sizes=(32,))
MORE = plaintexts(300, "more", sizes=(500,))
OUTPUT = 74
# How far a job's word may be from what it takes.
TOLERANCE = 0.2
PAGE = 4096


class Disk:
    """A tmpfs that goes away."""

    def __init__(self, path: str, kibibytes: int) -> None:
        self.path = path
        os.mkdir(path)
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k,mode=700", "tmpfs", path], check=True, capture_output=True)

    def __enter__(self) -> "Disk":
        return self

    def grow(self, kibibytes: int) -> None:
        """Gives it more room."""
        subprocess.run(["mount", "-o", f"remount,size={kibibytes}k", self.path], check=True, capture_output=True)

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "-l", self.path], check=True, capture_output=True)
        os.rmdir(self.path)


def tree_size(path: str) -> int:
    """KiB that a folder takes on a tmpfs, whose pages have 4 KiB."""
    total = 0
    for folder, _, names in os.walk(path):
        total += sum(-(-os.path.getsize(os.path.join(folder, name)) // 4096) * 4 for name in names)
    return total


@dataclass
class Ledger:
    """What the files of a folder take, change by change."""

    names: dict[str, int] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, root: str) -> "Ledger":
        """A folder as it lies there."""
        ledger = cls()
        for folder, _, files in os.walk(root):
            for name in files:
                path = os.path.join(folder, name)
                status = os.lstat(path)
                ledger.names[path[len(root) :]] = status.st_ino
                ledger.sizes[status.st_ino] = status.st_size
        return ledger

    @property
    def total(self) -> int:
        """KiB."""
        return sum(-(-self.sizes.get(inode, 0) // PAGE) * (PAGE >> 10) for inode in set(self.names.values()))

    def apply(self, change: Change) -> None:
        """One change."""
        match change.what:
            case "w":
                self.sizes[change.inode] = max(self.sizes.get(change.inode, 0), change.offset + len(change.data))
            case "t":
                self.sizes[change.inode] = change.offset
            case "c":
                self.names[change.text], self.sizes[change.inode] = change.inode, 0
            case "r":
                source, target = change.text.split("\0")
                self.names[target] = self.names.pop(source)
            case "l":
                source, target = change.text.split("\0")
                self.names[target] = self.names[source]
            case "u":
                self.names.pop(change.text, None)


def keeps_its_word(bench: Bench, count: int, arguments: list[str]) -> dict:
    """What `--dry-run` says that a job takes, and what it takes."""
    with bench.scratch(f"room {count} {arguments[0]}") as path:
        world = World(path, bench.keyroll)
        world.create(QUICK)
        world.fill(plaintexts(count, "row", sizes=(32, 256)))
        dry = bench.keyroll.run(world.home, [*arguments, "--dry-run"]).expect()
        said = re.findall(r"takes (\d+) KiB of room", dry.errors)
        demand(len(said) == 1, f"it does not say what it takes: {dry.errors}")
        ledger, log = Ledger.of(path), bench.path("room-log")
        first = highest = ledger.total
        bench.keyroll.run(world.home, arguments, Fault(path, log=log)).expect()
        for change in read_log(log):
            ledger.apply(change)
            highest = max(highest, ledger.total)
        os.remove(log)
        told, took = int(said[0]), highest - first
        demand(abs(told - took) <= TOLERANCE * took, f"{arguments[0]} of {count}: it says {told} KiB and takes {took} KiB")
    return {"said": told, "took": took}


def several_stores(bench: Bench) -> str:
    """Room for one store's turn is enough for four; and one that has to wait only takes none."""
    with Disk(bench.path("disk-stores"), 64 << 10) as disk:
        world = World(os.path.join(disk.path, "world"), bench.keyroll)
        world.create(QUICK)
        for number in range(2, 5):
            world.run("store", "add", f"store{number}", "--kind", "sqlite", "--path", f"store{number}.sqlite")
        for number, store in enumerate(("secrets", "store2", "store3", "store4")):
            own = plaintexts(8000, f"row{number}", sizes=(32,))
            world.run("import", "-", "--format", "jsonl", "--store", store, data=json_lines(own))
        dry = bench.keyroll.run(world.home, ["rotate", "--force", "--dry-run"]).expect()
        [said] = re.findall(r"takes (\d+) KiB of room", dry.errors)
        used = (os.statvfs(disk.path).f_blocks - os.statvfs(disk.path).f_bfree) * 4
        # Each of them that is open has an index of its log beside it.
        disk.grow(used + int(said) + 4 * 36)
        world.run("rotate", "--force")
        world.run("verify")
    return said


def on_a_disk(bench: Bench, template: World, arguments: list[str], data: bytes, room: int, after: dict) -> str:
    """One command on a disk with so many KiB of room.

    Returns: "done", "full", or "refused" where it said beforehand that there is not room enough.
    """
    before = exactly(FILLED)
    with Disk(bench.path(f"disk-{arguments[0]}-{room}"), 64 << 10) as disk:
        world = template.copy(os.path.join(disk.path, "world"))
        used = (os.statvfs(disk.path).f_blocks - os.statvfs(disk.path).f_bfree) * 4
        disk.grow(used + room)
        outcome = bench.keyroll.run(world.home, arguments, data=data)
        demand(outcome.code in (0, OUTPUT), f"exit code {outcome.code}: {outcome.errors}")
        demand(outcome.code == 0 or world.home in outcome.errors, f"the message names no file: {outcome.errors}")
        said = re.search(r"takes (\d+) KiB of room for a time, and \d+ KiB are free", outcome.errors)
        # What is open by then has taken some of it.
        demand(not said or room < int(said[1]) + STEP, f"with {room} KiB: {outcome.errors}")
        check(world.home, after if outcome.code == 0 else before if said else either(before, after))
        # While it is still full everything can be read.
        bench.keyroll.run(world.home, ["get", "row/7"]).expect(0, OUTPUT)
        disk.grow(64 << 10)
        again = ["rotate"] if arguments[0] == "rotate" else arguments
        bench.keyroll.run(world.home, again, data=data).expect()
        check(world.home, after)
        bench.keyroll.run(world.home, ["verify"]).expect()
    return "done" if outcome.code == 0 else "refused" if said else "full"


def run(bench: Bench, steps: int) -> dict:
    """Room from nothing up, in steps of 64 KiB, until it is enough three times in a row."""
    if os.geteuid() != 0:
        return {"not run": "mounting takes root"}
    template = World(bench.path("full"), bench.keyroll)
    template.create(QUICK)
    template.fill(FILLED)
    result = {}
    for name, arguments, data, after in (
        ("rotate", ["rotate", "--force"], b"", exactly(FILLED)),
        ("import", ["import", "-", "--format", "jsonl"], json_lines(MORE), exactly(FILLED | MORE)),
    ):
        outcomes: list[str] = []
        for step in range(steps):

            def body() -> None:
                outcomes.append(on_a_disk(bench, template, arguments, data, step * STEP, after))

            bench.attempt(f"{name} with {step * STEP} KiB of room", body)
            if outcomes[-3:] == ["done"] * 3:
                break
        if not bench.failures:
            demand(set(outcomes) & {"full", "refused"}, f"{name}: the disk never was full")
        result[name] = {what: outcomes.count(what) for what in ("refused", "full", "done")}
    bench.attempt("several stores", lambda: result.update({"four stores": several_stores(bench)}))
    for count, words in (
        (0, ["rotate", "--force"]), (3000, ["rotate", "--force"]), (20_000, ["rotate", "--force"]),
        (3000, ["reencrypt", "--compromised", "1"]), (20_000, ["reencrypt", "--compromised", "1"]),
    ):
        bench.attempt(
            f"room for {words[0]}", lambda: result.update({f"{words[0]} of {count}": keeps_its_word(bench, count, words)}))
    return result
