"""Large contents: a rotation writes wrapped keys, never contents."""

import shutil
import sys

from home import Failure, Home
from report import Report

MIB = 1 << 20


def run(binary: str, scratch: str, count: int, report: Report) -> None:
    # The contents once, and room for the log and for what others do meanwhile.
    needed = int(count * MIB * 1.15) + (1 << 30)
    free = shutil.disk_usage(scratch).free
    if free < needed:
        raise Failure(f"{scratch}: {free >> 30} GiB are free, {needed >> 30} are needed; use --folder or --large")
    print(f"large: {count} secrets of 1 MiB", file=sys.stderr)
    home = Home(binary, scratch, "large")
    filled = home.fill(count, "--bytes", str(MIB))
    rotated = home.rotate(count)
    home.remove()
    contents = count * MIB
    report.table(
        "large contents", ["secrets of 1 MiB", "import MiB/s", "import peak MiB", "import WAL MiB", "rotate s",
                           "rotate peak MiB", "written MiB"],
        [[count, count / filled.seconds, filled.peak_mib, filled.log_mib, rotated.seconds, rotated.peak_mib,
          rotated.written_bytes / MIB]])
    report.bar("bytes written by rotate / contents, in thousandths", rotated.written_bytes / contents * 1000, "<", 1)
