"""Ways to run a library: in memory or with its results in SQLite, in one process or with both cores.

Each measures in processes of its own, so that no peer pays for what another left in memory.
"""

import multiprocessing
import os
import sqlite3
import time

# As many rows a transaction as RotationBenchmark's bare loop over rows has.
ROWS = 10_240
FORK = multiprocessing.get_context("fork")


def measure(way: str, make, count: int, size: int, scratch: str) -> float:
    """Seconds to bring `count` secrets under the new key. Making them is not timed."""
    kind, _, processes = way.partition(" x ")
    if kind == "memory":
        return in_memory(make, count, size, int(processes or 1))
    return in_sqlite(make, count, size, int(processes or 1), os.path.join(scratch, "peer.sqlite"))


def in_memory(make, count: int, size: int, processes: int) -> float:
    """Each process has its share of the secrets, and keeps the results: nothing is sent about."""
    ready, answers = FORK.Barrier(processes), FORK.SimpleQueue()

    def work(share):
        old, turn = make()
        secrets = old(share, size)
        ready.wait()
        start = time.perf_counter()
        kept = turn(secrets)
        answers.put((start, time.perf_counter(), len(kept)))

    shares = [count // processes] * processes
    shares[0] += count - sum(shares)
    workers = [FORK.Process(target=work, args=(share,)) for share in shares]
    spans = gather(workers, answers)
    if sum(done for _, _, done in spans) != count:
        raise RuntimeError("secrets were lost")
    return max(end for _, end, _ in spans) - min(start for start, _, _ in spans)


def in_sqlite(make, count: int, size: int, processes: int, path: str) -> float:
    """A row a secret; read, turned and updated in batches, with the same settings as keyroll's rewrap."""
    answers = FORK.SimpleQueue()

    def work():
        old, turn = make()
        store = filled(path, old, count, size)
        pool = workers(turn, processes) if processes > 1 else None
        os.sync()
        start = time.perf_counter()
        done = turn_all(store, pool.turn if pool else in_line(turn))
        answers.put((start, time.perf_counter(), done))
        if pool:
            pool.end()
        store.close()

    try:
        [(start, end, done)] = gather([FORK.Process(target=work)], answers)
    finally:
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(path + suffix):
                os.remove(path + suffix)
    if done != count:
        raise RuntimeError("secrets were lost")
    return end - start


def filled(path: str, old, count: int, size: int) -> sqlite3.Connection:
    store = sqlite3.connect(path, isolation_level=None)
    store.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-4096; PRAGMA wal_autocheckpoint=4096;"
        "CREATE TABLE secret (id INTEGER PRIMARY KEY, value BLOB NOT NULL)")
    for first in range(0, count, ROWS):
        store.execute("BEGIN")
        store.executemany("INSERT INTO secret VALUES (?, ?)",
                          enumerate(old(min(ROWS, count - first), size), first + 1))
        store.execute("COMMIT")
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return store


def turn_all(store: sqlite3.Connection, turned) -> int:
    """`turned` takes an iterator of batches and gives them back with the new values, in order."""
    done = 0
    for ids, values in turned(batches(store)):
        store.execute("BEGIN IMMEDIATE")
        store.executemany("UPDATE secret SET value = ? WHERE id = ?", zip(values, ids))
        store.execute("COMMIT")
        done += len(ids)
    # The barrier: one full commit, after which everything is on the disk.
    store.execute("PRAGMA synchronous=FULL")
    store.execute("PRAGMA user_version=1")
    return done


def batches(store: sqlite3.Connection):
    last = 0
    while rows := store.execute("SELECT id, value FROM secret WHERE id > ? ORDER BY id LIMIT ?", (last, ROWS)).fetchall():
        last = rows[-1][0]
        yield [row[0] for row in rows], [row[1] for row in rows]


def in_line(turn):
    return lambda found: ((ids, turn(values)) for ids, values in found)


class workers:
    """Processes that turn batches, while the caller reads ahead and writes."""

    def __init__(self, turn, processes: int):
        self.channels, self.processes = [], []
        for _ in range(processes):
            mine, theirs = FORK.Pipe()
            process = FORK.Process(target=self.serve, args=(turn, theirs))
            process.start()
            self.channels.append(mine)
            self.processes.append(process)

    @staticmethod
    def serve(turn, channel) -> None:
        while (values := channel.recv()) is not None:
            channel.send(turn(values))

    def turn(self, found):
        waiting = []
        for number, (ids, values) in enumerate(found):
            channel = self.channels[number % len(self.channels)]
            # One batch a process at a time: a pipe that both fill would stop both.
            if len(waiting) == len(self.channels):
                first, ready = waiting.pop(0)
                turned = ready.recv()
                channel.send(values)
                waiting.append((ids, channel))
                yield first, turned
            else:
                channel.send(values)
                waiting.append((ids, channel))
        for ids, channel in waiting:
            yield ids, channel.recv()

    def end(self) -> None:
        for channel, process in zip(self.channels, self.processes):
            channel.send(None)
            process.join()


def gather(processes, answers) -> list:
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        if process.exitcode != 0:
            raise RuntimeError(f"a process of the peer ended with {process.exitcode}")
    return [answers.get() for _ in processes]
