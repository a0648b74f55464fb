"""A scratch home, and processes of the binary with what they used: time, memory, bytes written, the log's length."""

import json
import os
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass, field


class Failure(Exception):
    """The run cannot go on, in words for a person."""


@dataclass
class Used:
    """What one process used."""

    seconds: float
    peak_mib: float
    written_bytes: int
    log_mib: float
    cpu_seconds: float
    output: dict = field(default_factory=dict)


class Home:
    """One home in the scratch folder; removed with `remove`, or by scale.sh at the latest."""

    def __init__(self, binary: str, scratch: str, name: str, *options: str):
        self.binary = binary
        self.path = os.path.join(scratch, name)
        self.run("init", *options)

    @property
    def store(self) -> str:
        return os.path.join(self.path, "secrets.sqlite")

    def run_words(self, *words: str) -> None:
        """Runs a command whose words are all given, and does not look at its output."""
        done = subprocess.run([self.binary, *words], capture_output=True, check=False)
        if done.returncode != 0:
            raise Failure(f"keyroll {' '.join(words)}: {done.stderr.decode(errors='replace').strip()}")

    def arguments(self, *words: str) -> list[str]:
        return [self.binary, words[0], "--home", self.path, *words[1:]]

    def run(self, *words: str, stdin=subprocess.DEVNULL, watch_log: bool = False, needs_success: bool = True) -> Used:
        """Runs a command to its end. Standard output is parsed where it is JSON."""
        log = LogWatch(self.store + "-wal") if watch_log else None
        start = time.perf_counter()
        process = subprocess.Popen(
            self.arguments(*words), stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        errors = []
        reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))
        try:
            reader.start()
            output = process.stdout.read()
            # wait4 and not wait: the kernel's account of this one process. The bytes written are those that the
            # process made the kernel write (task I/O accounting), in units of 512.
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            # Stopped in between: a command left alone would go on writing into a home that is being removed.
            if process.returncode is None:
                process.kill()
        reader.join()
        process.stdout.close()
        process.stderr.close()
        if needs_success and process.returncode != 0:
            raise Failure(f"{' '.join(words)}: exit {process.returncode}: {errors[0].decode(errors='replace').strip()}")
        return Used(
            seconds=seconds,
            peak_mib=usage.ru_maxrss / 1024,
            written_bytes=usage.ru_oublock * 512,
            log_mib=log.stop() if log else 0.0,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            output=json.loads(output) if output.startswith(b"{") else {"exit": process.returncode},
        )

    def fill(self, count: int, *generator_options: str, replacing: bool = False) -> Used:
        """Imports generated secrets from a stream on standard input: new ones, or new contents for those there are."""
        generator = subprocess.Popen(
            ["python3", os.path.join(os.path.dirname(__file__), "generate.py"), str(count), *generator_options],
            stdout=subprocess.PIPE)
        try:
            used = self.run("import", *(["--replace"] if replacing else []), "--format", "jsonl", "--json", "-",
                            stdin=generator.stdout, watch_log=True)
        finally:
            generator.stdout.close()
            generator.wait()
        if not replacing and used.output["imported"]["added"] != count:
            raise Failure(f"import added {used.output['imported']} of {count}")
        return used

    def rotate(self, count: int) -> Used:
        """A forced rotation, which has to move all secrets."""
        used = self.run("rotate", "--force", "--json", watch_log=True)
        if used.output["moved"] != count:
            raise Failure(f"rotate moved {used.output['moved']} of {count}")
        return used

    def remove(self) -> None:
        shutil.rmtree(self.path)


class LogWatch:
    """The largest size that the write-ahead log's file has while it is watched."""

    def __init__(self, path: str):
        self.path = path
        self.largest = 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self) -> None:
        while True:
            try:
                self.largest = max(self.largest, os.stat(self.path).st_size)
            except FileNotFoundError:
                pass
            # The file shrinks only at a run's end, so that a slow look misses little.
            if self.done.wait(0.01):
                return

    def stop(self) -> float:
        self.done.set()
        self.thread.join()
        return self.largest / (1 << 20)
