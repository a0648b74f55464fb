"""Runs a command under strace and looks at everything that it told the kernel: its arguments, its environment, all bytes
that it read or wrote, and how it opened files."""

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass, field

from canary import Canary


@dataclass
class Trace:
    """The lines of one command."""

    command: list[str]
    code: int
    output: bytes
    errors: bytes
    lines: list[bytes] = field(repr=False)

    def leaks(self, canaries: list[Canary], allowed: tuple[bytes, ...]) -> list[str]:
        """Calls that have a canary in their arguments; the allowed ones begin with one of these."""
        calls = [call for call in (line.split(b" ", 1)[-1] for line in self.lines) if not call.startswith(allowed)]
        everything = b"\n".join(calls)
        found = []
        for name, form in [(one.name, escaped(form)) for one in canaries for form in one.forms()]:
            if form in everything:
                found += [f"{name}: {call[:60]!r}" for call in calls if form in call]
        return found

    def created(self) -> list[tuple[str, set[str], int]]:
        """Files that it may have made: path, flags, mode; no flags for one that got its name by a rename."""
        made = re.compile(rb'openat\(\w+, "((?:\\x..)+)", ([A-Z_|0-9x]+), (0\d*)\) = \d')
        named = re.compile(rb'(?:rename|renameat2?|link|linkat)\(.*"((?:\\x..)+)"[^"]*\) = 0')
        found = []
        for line in self.lines:
            if (match := made.search(line)) and b"O_CREAT" in match[2]:
                found.append((plain(match[1]), set(match[2].decode().split("|")), int(match[3], 8)))
            elif match := named.search(line):
                found.append((plain(match[1]), set(), 0))
        return found


def plain(text: bytes) -> str:
    """What `strace -xx` shows so."""
    return bytes.fromhex(text.decode().replace("\\x", "")).decode()


def escaped(content: bytes) -> bytes:
    """As `strace -xx` shows it."""
    return b"".join(b"\\x%02x" % byte for byte in content)


def run(command: list[str], data: bytes = b"", environment: dict | None = None, descriptors=(), shell: str = "") -> Trace:
    """Runs it to its end.

    `shell` is put before the command in a shell, such as `ulimit -c unlimited;`."""
    with tempfile.TemporaryDirectory() as folder:
        # A file for each thread, so that no call is cut in two by another's; put together by time.
        words = ["strace", "-ff", "-ttt", "-q", "-v", "-xx", "-s", "16777216", "-e", "signal=none", "-o", folder + "/log"]
        words += command
        if shell:
            words = ["/bin/sh", "-c", shell + ' exec "$0" "$@"', *words]
        done = subprocess.run(
            words, input=data, capture_output=True, env=environment or dict(os.environ), pass_fds=descriptors, check=False
        )
        lines = sorted(
            line for name in os.listdir(folder) for line in open(os.path.join(folder, name), "rb").read().split(b"\n")
        )
    return Trace(command, done.returncode, done.stdout, done.stderr, lines)
