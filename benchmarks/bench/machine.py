"""Where the figures come from: without this they compare with nothing."""

import os
import platform
import subprocess
import time

from report import processor


def facts(release: str) -> dict:
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory = int(file.readline().split()[1]) / (1 << 20)
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "processor": processor(),
        "cores": os.cpu_count(),
        "memoryGiB": round(memory, 1),
        "disk": disk(),
        "kernel": platform.release(),
        "system": system(),
        "loadBefore": list(os.getloadavg()),
        "versions": {
            "keyroll": first_line([os.path.join(release, "keyroll"), "--version"]),
            "commit": commit(),
            "Swift": swift(),
            "OpenSSL": first_line(["openssl", "version"]).split()[1],
            "SQLite": first_line(["sqlite3", "--version"]).split()[0],
            "Python": platform.python_version(),
        },
    }


def disk() -> str:
    """What the working directory lies on."""
    fields = first_line(["findmnt", "-n", "-o", "SOURCE,FSTYPE", "--target", "."])
    return " ".join(fields.split())


def system() -> str:
    with open("/etc/os-release", encoding="utf-8") as file:
        found = dict(line.rstrip().split("=", 1) for line in file if "=" in line)
    return found.get("PRETTY_NAME", "").strip('"')


def commit() -> str:
    """With a mark where the code that is measured was changed since."""
    name = first_line(["git", "rev-parse", "--short=12", "HEAD"])
    changed = first_line(["git", "status", "--porcelain", "--", "Sources", "benchmarks", "Package.swift", ":!benchmarks/results",
                          ":!benchmarks/RESULTS.md", ":!benchmarks/baseline.json"])
    return name + (" with changes" if changed and changed != "unknown" else "")


def swift() -> str:
    line = first_line(["swift", "--version"])
    return line.partition("Swift version ")[2].split(" ")[0] or line


def first_line(command: list) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "unknown"
    lines = (done.stdout or done.stderr).splitlines()
    return lines[0].strip() if done.returncode == 0 and lines else "" if done.returncode == 0 else "unknown"
