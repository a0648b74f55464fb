"""R7: a disk of a fixed size that gets full for real (tmpfs), from too small to large enough."""

import os
import subprocess

from bench import Bench
from life import QUICK, World, json_lines, plaintexts
from runner import demand
from safety import check, either, exactly

STEP = 64
# Enough that a rotation's log of changes takes some steps.
FILLED = plaintexts(3000, "row", sizes=(32,))
MORE = plaintexts(300, "more", sizes=(500,))
OUTPUT = 74


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


def on_a_disk(bench: Bench, template: World, arguments: list[str], data: bytes, room: int, after: dict) -> str:
    """One command on a disk with so many KiB of room.

    Returns: "done", or "full".
    """
    before = exactly(FILLED)
    with Disk(bench.path(f"disk-{arguments[0]}-{room}"), 64 << 10) as disk:
        world = template.copy(os.path.join(disk.path, "world"))
        used = (os.statvfs(disk.path).f_blocks - os.statvfs(disk.path).f_bfree) * 4
        disk.grow(used + room)
        outcome = bench.keyroll.run(world.home, arguments, data=data)
        demand(outcome.code in (0, OUTPUT), f"exit code {outcome.code}: {outcome.errors}")
        demand(outcome.code == 0 or world.home in outcome.errors, f"the message names no file: {outcome.errors}")
        check(world.home, after if outcome.code == 0 else either(before, after))
        # While it is still full everything can be read.
        bench.keyroll.run(world.home, ["get", "row/7"]).expect(0, OUTPUT)
        disk.grow(64 << 10)
        again = ["rotate"] if arguments[0] == "rotate" else arguments
        bench.keyroll.run(world.home, again, data=data).expect()
        check(world.home, after)
        bench.keyroll.run(world.home, ["verify"]).expect()
    return "done" if outcome.code == 0 else "full"


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
            demand("full" in outcomes, f"{name}: the disk never was full")
        result[name] = {"full": outcomes.count("full"), "done": outcomes.count("done")}
    return result
