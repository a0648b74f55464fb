"""The whole life of a group as commands: each with the home it begins in, and what it may leave behind.

A *world* is a folder that holds a home and what lies beside it: the recovery key, files to import, a backup.
"""

import base64
import json
import os
import random
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from runner import Keyroll, demand
from safety import Expected, check, either, exactly

SIZES = (0, 1, 32, 33, 256, 64, 100, 4096, 48, 20_000)


def plaintexts(count: int, prefix: str = "secret", seed: int = 1, sizes: tuple[int, ...] = SIZES) -> dict[str, bytes]:
    """Secrets of all sizes; the same for the same seed."""
    dice = random.Random(f"{prefix} {seed}")
    return {f"{prefix}/{number}": dice.randbytes(sizes[number % len(sizes)]) for number in range(count)}


def json_lines(secrets: dict[str, bytes]) -> bytes:
    """For an import."""
    return b"".join(
        json.dumps({"name": name, "secretBase64": base64.b64encode(plaintext).decode()}).encode() + b"\n"
        for name, plaintext in secrets.items())


@dataclass
class World:
    """A folder with a home in it."""

    path: str
    keyroll: Keyroll

    @property
    def home(self) -> str:
        """The home in it."""
        return os.path.join(self.path, "home")

    def file(self, name: str) -> str:
        """Something beside the home, or in it."""
        return os.path.join(self.path, name)

    def run(self, *arguments: str, data: bytes = b"", codes: tuple[int, ...] = (0,)) -> bytes:
        """A command that has to succeed."""
        return self.keyroll.run(self.home, list(arguments), data=data).expect(*codes).output

    def create(self, policy: dict[str, str]) -> None:
        """Makes the home, with a recovery key beside it."""
        os.mkdir(self.path, 0o700)
        self.run("init", "--recovery-key", self.file("recovery.pem"))
        self.set_policy(policy)

    def set_policy(self, policy: dict[str, str]) -> None:
        """Changes lines of keyroll.yaml."""
        with open(self.file("home/keyroll.yaml"), encoding="utf-8") as file:
            text = file.read()
        for key, value in policy.items():
            text, count = re.subn(rf"(?m)^(\s*{key}:).*$", rf"\1 {value}", text)
            demand(count == 1, f"keyroll.yaml has no {key}")
        with open(self.file("home/keyroll.yaml"), "w", encoding="utf-8") as file:
            file.write(text)

    def fill(self, secrets: dict[str, bytes]) -> None:
        """Imports them."""
        self.run("import", "-", "--format", "jsonl", data=json_lines(secrets))

    def copy(self, path: str) -> "World":
        """The same elsewhere, in place of what is there."""
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(self.path, path)
        return World(path, self.keyroll)

    def write(self, name: str, content: bytes) -> str:
        """A file beside the home."""
        with open(self.file(name), "wb") as file:
            file.write(content)
        return self.file(name)


# Generations go off line as soon as nothing needs them, and are destroyed when that is asked for.
QUICK = {"soakTime": "0", "keepDeactivated": "0", "destroyRetention": "0"}
OLD = plaintexts(20)


@dataclass
class Job:
    """A command of the life, and what has to hold around it."""

    name: str
    # Makes the home that it begins in.
    prepare: Callable[[World], None]
    # {world} stands for the world's folder.
    command: list[str]
    before: Expected = field(default_factory=lambda: exactly(OLD))
    after: Expected = field(default_factory=lambda: exactly(OLD))
    # What finishes it after a crash, and the exit codes that say it is (or was) done.
    again: list[str] | None = None
    done: tuple[int, ...] = (0,)
    data: bytes = b""
    secrets: list[bytes] = field(default_factory=lambda: list(OLD.values()))
    # Whether a rerun may also find that nothing had begun, and leave it so.
    may_not_begin: bool = False
    # Fewest calls that count, so that a harness that went blind is noticed.
    calls: int = 30

    @property
    def during(self) -> Expected:
        """What a crash may leave."""
        return either(self.before, self.after)

    def arguments(self, world: World) -> list[str]:
        """The command in this world."""
        return [one.replace("{world}", world.path) for one in self.command]

    def rerun(self, world: World) -> list[str]:
        """What an operator, or the timer, runs after a crash."""
        return [one.replace("{world}", world.path) for one in self.again or self.command]


def summary(world: World, expected: Expected, secrets: list[bytes], is_torn: bool = False) -> dict:
    """What two runs of the same job have in common: states, counts and the names of files."""
    ring, census = check(world.home, expected, secrets, is_torn)
    files: Counter[str] = Counter()
    for folder, folders, names in os.walk(world.path):
        # Reports are named by time, jobs and locks come and go.
        for name in folders + names:
            path = os.path.relpath(os.path.join(folder, name), world.path)
            # A root key that is changed once more gets another number; what a power cut tore is kept.
            if not re.search(r"(-wal|-shm|-journal|\.lock|root-\d+\.key)$|home/reports/|evidence.jsonl.torn-", path):
                files[re.sub(r"-?\d{8}T\d{6}Z(-[0-9a-f]+)?", "-TIME", path)] += 1
    return {
        "states": {number: one.states[-1] for number, one in ring.generations.items()},
        "census": dict(census), "files": dict(files),
    }


def quick(world: World) -> None:
    """Twenty secrets under generation 1."""
    world.create(QUICK)
    world.fill(OLD)


def rolled(world: World) -> None:
    """Generation 1 is archived, 2 is active."""
    quick(world)
    world.run("rotate", "--force")


def soaking(world: World) -> None:
    """Generation 1 is deactivated and empty, and waits for its soak time."""
    world.create(QUICK | {"soakTime": "1h"})
    world.fill(OLD)
    world.run("rotate", "--force")


def doomed(world: World) -> None:
    """Generation 1's destruction was asked for."""
    rolled(world)
    world.run("generation", "destroy", "1")


NEW = plaintexts(10, "new") | plaintexts(5, "secret", seed=2, sizes=(77,))


def importing(world: World) -> None:
    """A file with ten new secrets and five that are to be replaced."""
    quick(world)
    world.write("in.jsonl", json_lines(NEW))


def audited(world: World) -> None:
    """A signed policy of access is in force: each put is logged."""
    world.create(QUICK)
    world.fill(OLD)
    for name in ("owner", "approver"):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "3650",
             "-subj", f"/CN={name}", "-keyout", world.file(name + ".key"), "-out", world.file(name + ".pem")],
            check=True, capture_output=True)
    template = world.run("access", "policy", "template").decode()
    found = re.search(r'(?m)^identity: "?([0-9a-f]+)"?', template)
    demand(found, "the template of the policy names no identity")

    def certificate(name: str, indent: int) -> str:
        with open(world.file(name + ".pem"), encoding="ascii") as file:
            return "".join(" " * indent + line for line in file)

    policy = (
        f'format: 1\ngroup: default\nidentity: "{found[1]}"\nrevision: 1\nowners:\n  - |\n{certificate("owner", 4)}'
        "roles:\n  owner: {users: [root]}\n  reader: {users: [root]}\n  writer: {users: [root]}\n"
        "access:\n  requesters: {users: [daemon]}\n  levels:\n    - name: one\n      approvals: 1\n      approvers:\n"
        f'        - user: bin\n          certificate: |\n{certificate("approver", 12)}')
    world.write("access.yaml", policy.encode())
    subprocess.run(
        ["openssl", "cms", "-sign", "-binary", "-outform", "PEM", "-in", world.file("access.yaml"), "-signer",
         world.file("owner.pem"), "-inkey", world.file("owner.key"), "-out", world.file("access.p7s")],
        check=True, capture_output=True)
    world.run("access", "policy", "set", world.file("access.yaml"), "--signature", world.file("access.p7s"))


PUT = {"secret/4": b"another plaintext, written while the power fails"}
LIFE = [
    Job(
        "import", importing, ["import", "{world}/in.jsonl", "--replace"], after=exactly(OLD | NEW),
        secrets=[*OLD.values(), *NEW.values()]),
    Job("rotate", quick, ["rotate", "--force"], again=["rotate"], may_not_begin=True, calls=200),
    Job("reencrypt", quick, ["reencrypt", "--compromised", "1"], calls=150),
    Job("archive", rolled, ["archive", "create", "2"]),
    Job("retire", soaking, ["generation", "retire", "1", "--override", "a test"], done=(0, 77)),
    Job("restore", rolled, ["archive", "restore", "--generation", "1", "--for", "7d", "--reason", "a test"], done=(0, 73)),
    Job("destroy", doomed, ["generation", "destroy", "1", "--confirm", "1"], done=(0, 73, 77)),
    Job(
        "audited put", audited, ["put", "secret/4", "--replace"], after=exactly(OLD | PUT),
        data=PUT["secret/4"], secrets=[*OLD.values(), *PUT.values()], calls=15),
    Job("root change", rolled, ["root", "change"]),
    Job("backup", rolled, ["backup", "{world}/backup", "--with-root"], done=(0, 73)),
]


def named(names: str) -> list[Job]:
    """Some of them by name (a hyphen for a space), or all."""
    chosen = [job for job in LIFE if not names or job.name in names.replace("-", " ").split(",")]
    demand(chosen, f"no job is named {names}")
    return chosen
