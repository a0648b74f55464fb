"""keyroll beside its peers in the same run: the same number of secrets of the same size, as far as they are fast enough."""

import json
import os
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass, field

from home import Failure

from . import work
from .limits import bare_contents
from .peers.commands import COMMANDS
from .peers.libraries import LIBRARIES
from .summary import quotients

FASTEST = "rotate / fastest durable peer"
# Whose rotation is keyroll's `rotate`, and whose is its `reencrypt`.
REWRAP, RENEW = 64, 256


@dataclass
class Pair:
    """A job of keyroll and whom it is held against; without a bar it is shown beside the bars."""

    name: str
    job: str
    bar: float | None
    contenders: list
    rates: list = field(default_factory=list)


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

        def of(name, size, way):
            return [row for row in rows if (row["name"], row["beside"], row["way"]) == (name, size, way)]

        # The two fastest, of which the faster counts in each round: which one that is may be a matter of luck.
        durable = sorted((row for row in rows if row["durable"] and row["beside"] == REWRAP),
                         key=lambda row: -row["perSecond"])[:2]
        pairs = [
            Pair(FASTEST, "rotate", 5, durable),
            Pair("rotate / AES-KW in Python, SQLite", "rotate", None, of("AES-KW", REWRAP, "SQLite")),
            Pair("rotate / MultiFernet.rotate in memory", "rotate", 25, of("MultiFernet.rotate", REWRAP, "memory")),
            Pair("rotate / MultiFernet.rotate in memory, two processes", "rotate", None,
                 of("MultiFernet.rotate", REWRAP, "memory x 2")),
            Pair("re-encrypt / Tink in memory", "reencrypt", 1, of("Tink AEAD", RENEW, "memory")),
            Pair("re-encrypt / Tink in memory, two processes", "reencrypt", None, of("Tink AEAD", RENEW, "memory x 2")),
        ]
        # A quick run has not all of them.
        self.pairs = [pair for pair in pairs if pair.contenders]

    def again(self, job: str) -> None:
        """Measures the peers of one job of keyroll once more."""
        known = {}
        for pair in self.pairs:
            if pair.job != job:
                continue
            for row in pair.contenders:
                key = row["name"], row["way"]
                if key not in known:
                    peer = next(one for one in LIBRARIES if one.name == row["name"])
                    known[key] = measure(self.context, "library", peer, row["way"], row["beside"])["perSecond"]
                    row.setdefault("rates", []).append(known[key])
                    row["perSecond"] = statistics.median(row["rates"])
            pair.rates.append(max(known[row["name"], row["way"]] for row in pair.contenders))

    def finish(self, keyroll: dict) -> None:
        document = self.context.document
        for pair in self.pairs:
            ratio = quotients(keyroll[pair.job], pair.rates)
            # Which peer is the fastest may change from run to run: a bar, but nothing to hold against a baseline.
            if pair.name != FASTEST:
                document.ratio("peers", pair.name, ratio)
            if self.context.sizes.name == "full":
                against = max(pair.contenders, key=lambda row: row["perSecond"])
                document.bar(pair.name, statistics.median(ratio), pair.bar, ratio,
                             f"{against['name']}, {against['way']}: {against['perSecond']:,.0f} a second")
