"""keyroll beside its peers in the same run: the same number of secrets of the same size, as far as they are fast enough."""

import json
import os
import shutil
import statistics
import subprocess
import sys

from home import Failure

from . import work
from .limits import bare_contents
from .peers.commands import COMMANDS
from .peers.libraries import LIBRARIES
from .summary import quotients

# Whose rotation is keyroll's `rotate`, and whose is its `reencrypt`.
REWRAP, RENEW = 64, 256


def run(context) -> None:
    sizes = context.sizes
    count = sizes.main
    context.say("peers: homes")
    rewrapped, renewed = context.home(), context.home()
    rewrapped.fill(count)
    renewed.fill(count, "--bytes", str(RENEW))
    bare = bare_copy(context, renewed)
    # A round that does not count.
    work.rotate(rewrapped, count)
    work.reencrypt(renewed, count)

    rows = [measure(context, *job) for job in every_way(sizes.name == "full")]
    keyroll = {"rotate": [], "reencrypt": []}
    bars = Pairs(context, rows)
    limits = []
    for number in range(sizes.pairs):
        context.say(f"peers: round {number + 1} of {sizes.pairs} beside keyroll")
        keyroll["rotate"].append(count / work.rotate(rewrapped, count).seconds)
        bars.again("rotate")
        keyroll["reencrypt"].append(count / work.reencrypt(renewed, count).seconds)
        bars.again("reencrypt")
        limits.append(bare_contents(context, bare, count))
    rewrapped.remove()
    renewed.remove()
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(bare + suffix):
            os.remove(bare + suffix)
    ours = [
        our_row("rotate", REWRAP, count, keyroll["rotate"],
                "unwraps and wraps the data key (RFC 3394), compare-and-swap, counters, journal, fence, a new generation in "
                "a signed bundle, closing count and barrier; the whole process"),
        our_row("re-encrypt", RENEW, count, keyroll["reencrypt"],
                "decrypts, takes a new data key, encrypts (AES-256-GCM), each batch synced; the whole process"),
    ]
    document = context.document
    document.parts["peers"] = {"keyroll": ours, "rows": rows, "bareReencrypt": statistics.median(limits)}
    document.ratio("peers", "reencrypt / bare updates", quotients(keyroll["reencrypt"], limits))
    bars.finish(keyroll)


def bare_copy(context, home) -> str:
    """The file for the loop that writes as many bytes with no crypto."""
    path = os.path.join(context.scratch, "bare.sqlite")
    shutil.copyfile(home.store, path)
    os.chmod(path, 0o600)
    return path


def our_row(job: str, size: int, count: int, rates: list, does: str) -> dict:
    return {"name": f"keyroll {job}", "way": "SQLite", "size": size, "measured": count,
            "perSecond": statistics.median(rates), "rates": rates, "does": does}


def every_way(is_full: bool):
    """A quick run leaves out the ways that no bar and no other way depends on."""
    for library in LIBRARIES:
        for size in library.sizes:
            for way in library.ways:
                if is_full or (way == "memory" or way == "SQLite" and library.is_fast and size == REWRAP):
                    yield "library", library, way, size
    for command in COMMANDS:
        yield "command", command, "files", RENEW


def measure(context, kind: str, peer, way: str, size: int) -> dict:
    context.say(f"peers: {peer.name}, {way}, {size} bytes")
    words = [peer.name, way] if kind == "library" else [peer.name]
    done = subprocess.run(
        [sys.executable, "-m", "bench.peers", kind, *words, str(context.sizes.main), str(size),
         str(context.sizes.peer_seconds), context.folder()], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{peer.name}, {way}: {done.stderr.strip()[-800:]}")
    found = json.loads(done.stdout)
    takes_contents = getattr(peer, "takes_contents", True)
    return {
        "name": peer.name, "way": way, "size": size if takes_contents else 32, "beside": size,
        "durable": way.startswith("SQLite"), "takesContents": takes_contents, "does": peer.does, "like": peer.like, **found}


class Pairs:
    """The peers that bars are about, measured again right beside keyroll; a ratio is taken round by round."""

    def __init__(self, context, rows: list):
        self.context = context
        memory = [row for row in rows if row["way"].startswith("memory")]

        def fastest(found):
            return max(found, key=lambda row: row["perSecond"])

        def of(name, size, way):
            found = [row for row in memory if (row["name"], row["beside"], row["way"]) == (name, size, way)]
            return found[0] if found else None

        durable = fastest([row for row in rows if row["durable"] and row["beside"] == REWRAP])
        # name, job of keyroll, bar, the peer's row, its rates
        pairs = [
            ["rotate / fastest durable peer", "rotate", 5, durable, []],
            ["rotate / AES-KW in Python, SQLite", "rotate", None,
             next(row for row in rows if row["name"] == "AES-KW" and row["way"] == "SQLite"), []],
            ["rotate / MultiFernet.rotate in memory", "rotate", 25, of("MultiFernet.rotate", REWRAP, "memory"), []],
            ["rotate / MultiFernet.rotate in memory, two processes", "rotate", None,
             of("MultiFernet.rotate", REWRAP, "memory x 2"), []],
            ["re-encrypt / Tink in memory", "reencrypt", 1, of("Tink AEAD", RENEW, "memory"), []],
            ["re-encrypt / Tink in memory, two processes", "reencrypt", None, of("Tink AEAD", RENEW, "memory x 2"), []],
        ]
        self.pairs = [pair for pair in pairs if pair[3]]

    def again(self, job: str) -> None:
        known = {}
        for pair in self.pairs:
            row = pair[3]
            if pair[1] == job:
                key = (row["name"], row["way"])
                if key not in known:
                    peer = next(one for one in LIBRARIES if one.name == row["name"])
                    known[key] = measure(self.context, "library", peer, row["way"], row["beside"])["perSecond"]
                pair[4].append(known[key])

    def finish(self, keyroll: dict) -> None:
        document = self.context.document
        for name, job, bar, row, rates in self.pairs:
            row["rates"] = rates
            row["perSecond"] = statistics.median(rates)
            ratio = quotients(keyroll[job], rates)
            # Which peer is the fastest may change from run to run: a bar, but nothing to hold against a baseline.
            if not name.startswith("rotate / fastest"):
                document.ratio("peers", name, ratio)
            if self.context.sizes.name == "full":
                document.bar(name, statistics.median(ratio), bar, ratio,
                             f"{row['name']}, {row['way']}: {row['perSecond']:,.0f} a second")
