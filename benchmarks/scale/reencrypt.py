"""Re-encryption beside the bare limits of the same machine, and its peak memory with the largest secrets."""

import json
import os
import shutil
import statistics
import subprocess
import sys

from home import Failure, Home, Used
from report import Report

MIB = 1 << 20
SMALL = 256
MEMORY_BAR = 192


def run(binary: str, scratch: str, counts: tuple[int, int, int], rounds: int, report: Report) -> None:
    """The counts: secrets of 256 bytes, of 1 MiB, and of 64 MiB."""
    small, large, largest = counts
    bare = os.path.join(os.path.dirname(binary), "RotationBenchmark")
    if not os.access(bare, os.X_OK):
        raise Failure(f"{bare}: no such binary; build it: swift build -c release --product RotationBenchmark")
    # A store, its copy for the bare loop, and their logs.
    needed = 2 * max(small * SMALL * 2, large * MIB, largest * 64 * MIB) + (1 << 30)
    free = shutil.disk_usage(scratch).free
    if free < needed:
        raise Failure(f"{scratch}: {free >> 30} GiB are free, {needed >> 30} are needed; use --folder")

    rates = Rates(binary, bare, scratch, rounds)
    quick = rates.measure("small", small, SMALL)
    row(report, f"re-encrypt {small} secrets of 256 bytes, durable; secrets/s", quick)
    ratio = [done / update for done, update, _ in quick]
    report.bar("reencrypt of 256-byte secrets / bare updates", statistics.median(ratio), ">=", 0.5)
    spread(report, "reencrypt of 256-byte secrets / bare updates, all rounds", ratio)
    # For context: blob I/O cannot write what a re-encryption has to, the birth generation in the same row.
    spread(report, "reencrypt of 256-byte secrets / bare blob I/O, all rounds", [done / blob for done, _, blob in quick])

    wide = rates.measure("large", large, MIB)
    crypto = [openssl() for _ in range(rounds)]
    ratio = [done / min(max(limits), rate / MIB) for (done, *limits), rate in zip(wide, crypto)]
    row(report, f"re-encrypt {large} secrets of 1 MiB, durable; MiB/s", wide)
    report.note("openssl speed: AES-256-GCM decrypt and encrypt, two processes, MiB/s", statistics.median(crypto) / MIB)
    report.bar("reencrypt of 1-MiB secrets / the slower of both limits", statistics.median(ratio), ">=", 0.6)
    spread(report, "reencrypt of 1-MiB secrets / the slower of both limits, all rounds", ratio)

    memory(binary, scratch, largest, report)


class Rates:
    """Rounds of a re-encryption and of the bare loop over a copy of the same store, one right after the other."""

    def __init__(self, binary: str, bare: str, scratch: str, rounds: int):
        self.binary, self.bare, self.scratch, self.rounds = binary, bare, scratch, rounds

    def measure(self, name: str, count: int, length: int) -> list[tuple[float, float, float]]:
        """Of each round: secrets a second of reencrypt, of bare updates, of bare blob writes."""
        print(f"reencrypt: {count} secrets of {length} bytes", file=sys.stderr)
        home = Home(self.binary, self.scratch, name)
        home.fill(count, "--bytes", str(length))
        copy = os.path.join(self.scratch, f"{name}-bare.sqlite")
        shutil.copyfile(home.store, copy)
        os.chmod(copy, 0o600)
        figures = []
        # One round that does not count; in it generation 1 becomes 2, which makes each row a byte longer.
        for number in range(self.rounds + 1):
            os.sync()
            seconds = reencrypt(home, number + 1, count).seconds
            limits = []
            for form in ("statement", "blob"):
                os.sync()
                limits.append(count / self.bare_seconds(copy, form, count))
            if number > 0:
                figures.append((count / seconds, *limits))
        home.remove()
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(copy + suffix):
                os.remove(copy + suffix)
        return figures

    def bare_seconds(self, store: str, form: str, count: int) -> float:
        output = subprocess.run(
            [self.bare, "--bare-contents", store, "--form", form], check=True, capture_output=True).stdout
        found = json.loads(output)
        if found["contents"] != count:
            raise Failure(f"the bare loop met {found['contents']} contents of {count}")
        return found["seconds"]


def reencrypt(home: Home, compromised: int, count: int, *options: str) -> Used:
    used = home.run("reencrypt", "--compromised", str(compromised), "--json", *options)
    if used.output["moved"] != count:
        raise Failure(f"reencrypt moved {used.output['moved']} of {count}")
    return used


def openssl() -> float:
    """Bytes a second that two processes decrypt and then encrypt, in blocks of 1 MiB."""
    total = 0.0
    for direction in ([], ["-decrypt"]):
        output = subprocess.run(
            ["openssl", "speed", "-elapsed", "-seconds", "1", "-bytes", str(MIB), "-multi", "2", *direction,
             "-evp", "aes-256-gcm"], check=True, capture_output=True, text=True).stdout
        rate = [line.split()[-1] for line in output.splitlines() if line.startswith("AES-256-GCM")][-1]
        total += 1 / (float(rate.rstrip("k")) * 1000)
    return 1 / total


def spread(report: Report, name: str, ratio: list[float]) -> None:
    report.note(name, f"{statistics.median(ratio):.2f} ({min(ratio):.2f} - {max(ratio):.2f})")


def row(report: Report, title: str, figures: list[tuple[float, float, float]]) -> None:
    columns = list(zip(*figures))
    names = ("keyroll reencrypt, whole process", "bare loop, UPDATE", "bare loop, blob I/O")
    report.table(
        title, ["what", "median", "smallest", "largest"],
        [[name, statistics.median(values), min(values), max(values)] for name, values in zip(names, columns)])


def memory(binary: str, scratch: str, largest: int, report: Report) -> None:
    """Peak memory (the kernel's account of the process) with the largest secrets among thousands of small ones."""
    print(f"reencrypt: {largest} secrets of 64 MiB", file=sys.stderr)
    home = Home(binary, scratch, "largest")
    home.fill(5000)
    home.fill(largest, "--bytes", str(64 * MIB))
    count = largest + 5000
    rows = []
    for workers in (2, 8):
        options = ("--workers", str(workers))
        used = reencrypt(home, len(rows) + 1, count, *options)
        verified = home.run("verify", "--json", *options)
        if verified.output["current"] != count:
            raise Failure(f"verify opened {verified.output['current']} of {count}")
        rows.append([workers, used.peak_mib, used.seconds, verified.peak_mib, verified.seconds])
    home.remove()
    report.table(
        f"{largest} secrets of 64 MiB among 5,000 small ones",
        ["workers", "reencrypt peak MiB", "s", "verify peak MiB", "s"], rows)
    for workers, peak, *_ in rows:
        report.bar(f"peak memory of reencrypt, {workers} workers, MiB", peak, "<=", MEMORY_BAR)
