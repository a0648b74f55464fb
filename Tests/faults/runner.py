"""Runs the real command, with or without faults in its way."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))
# Memory, so that a sync costs nothing: what a disk does at a sync is replayed by power.py.
SCRATCH = "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"
KILLED = -9


class Unsafe(AssertionError):
    """Something that keyroll promises does not hold."""


def demand(condition: object, what: str) -> None:
    """Fails with these words."""
    if not condition:
        raise Unsafe(what)


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    output: bytes
    errors: str

    def expect(self, *codes: int) -> "Outcome":
        """It has to be one of these exit codes."""
        demand(self.code in (codes or (0,)), f"exit code {self.code}: {self.errors.strip()}")
        return self


@dataclass
class Fault:
    """What `faults.c` is to do; see there."""

    root: str
    at: int = 0
    mode: str = ""
    calls: str = ""
    lasting: bool = False
    log: str = ""
    count: str = ""

    def variables(self) -> dict[str, str]:
        """The environment that says so."""
        values = {
            "LD_PRELOAD": library(), "FAULTS_ROOT": self.root, "FAULTS_AT": str(self.at), "FAULTS_MODE": self.mode,
            "FAULTS_CALLS": self.calls, "FAULTS_LOG": self.log, "FAULTS_COUNT": self.count,
            "FAULTS_LASTING": "1" if self.lasting else "",
        }
        return {name: value for name, value in values.items() if value}


_libraries: dict[str, str] = {}
_folder = tempfile.TemporaryDirectory(prefix="keyroll-faults-", dir="/tmp")


def library(source: str = os.path.join(HERE, "faults.c")) -> str:
    """Compiles a library to preload, once a process."""
    if source not in _libraries:
        target = os.path.join(_folder.name, os.path.basename(source).replace(".c", ".so"))
        if not os.path.exists(target):
            subprocess.run(
                ["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-o", target + ".new", source, "-ldl", "-lpthread"],
                check=True)
            os.rename(target + ".new", target)
        _libraries[source] = target
    return _libraries[source]


@dataclass
class Keyroll:
    """The command under test."""

    binary: str
    variables: dict[str, str] = field(default_factory=dict)

    def environment(self, home: str, fault: Fault | None = None) -> dict[str, str]:
        """All that the command gets."""
        values = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8", "KEYROLL_HOME": home}
        # A crash is looked into by its message; a backtrace takes seconds.
        values["SWIFT_BACKTRACE"] = "enable=no"
        # Under a sanitizer.
        values |= {name: os.environ[name] for name in ("ASAN_OPTIONS", "TSAN_OPTIONS") if name in os.environ}
        return values | self.variables | (fault.variables() if fault else {})

    def start(self, home: str, arguments: list[str], fault: Fault | None = None, **options: object) -> subprocess.Popen:
        """Starts one."""
        return subprocess.Popen(
            [self.binary, *arguments], env=self.environment(home, fault), start_new_session=True, **options)

    def run(
        self, home: str, arguments: list[str], fault: Fault | None = None, data: bytes = b"", limit: float = 120,
        **options: object
    ) -> Outcome:
        """Runs one to its end; one that takes longer than the limit is stuck."""
        try:
            done = subprocess.run(
                [self.binary, *arguments], env=self.environment(home, fault), input=data, capture_output=True,
                timeout=limit, start_new_session=True, **options)
        except subprocess.TimeoutExpired as stuck:
            raise Unsafe(f"keyroll {' '.join(arguments)} was still running after {limit} s") from stuck
        return Outcome(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


def note(text: str) -> None:
    """Tells people; standard output is for the result."""
    print(text, file=sys.stderr, flush=True)
