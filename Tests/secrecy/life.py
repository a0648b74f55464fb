"""A whole life under strace with canaries in it: no plaintext, passphrase or key is anywhere but where it has to be.

usage: life.py KEYROLL FOLDER
"""

import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import time

from canary import Canary, hits
from keys import keys_of, wrapped_keys
from traced import run

# Where plaintext has to pass: standard input of what stores, standard output of what reads.
IN, OUT = (b"read(0, ", b"readv(0, "), (b"write(1, ",)


class Life:
    """One home and all canaries that were ever in it."""

    def __init__(self, keyroll: str, folder: pathlib.Path) -> None:
        self.keyroll, self.folder, self.home = keyroll, folder, folder / "home"
        self.environment = {"PATH": "/usr/bin:/bin", "KEYROLL_HOME": str(self.home), "HOME": str(folder)}
        self.canaries: dict[bytes, Canary] = {}
        self.knows_root = True
        self.calls = self.commands = self.made = 0

    def know(self, *canaries: Canary) -> None:
        for one in canaries:
            self.canaries[one.data] = one

    def look_for_keys(self) -> None:
        self.know(*keys_of(str(self.home)))

    def step(self, *arguments: str, data: bytes = b"", allowed: tuple[bytes, ...] = (), code: int = 0, descriptors=()) -> bytes:
        before = {str(path) for path in self.folder.rglob("*")}
        trace = run([self.keyroll, *arguments], data, self.environment, descriptors)
        assert trace.code == code, f"{arguments}: {trace.code}: {trace.errors.decode()}"
        if self.knows_root:
            self.look_for_keys()
        self.look(trace, arguments, allowed, before)
        return trace.output

    def look(self, trace, arguments, allowed: tuple[bytes, ...], there: set[str]) -> None:
        self.commands += 1
        self.calls += len(trace.lines)
        canaries = list(self.canaries.values())
        leaks = trace.leaks(canaries, allowed)
        assert not leaks, f"keyroll {' '.join(arguments)}: {leaks[:5]}"
        assert not hits(trace.errors, canaries), f"{arguments}: on standard error"
        for path, flags, mode in trace.created():
            # SQLite says O_CREAT of files that keyroll has made before, too.
            if not path.startswith(str(self.folder)) or path in there:
                continue
            there.add(path)
            if not flags:
                continue
            self.made += 1
            assert mode & 0o077 == 0, f"{path} is made with mode {mode:o} by {arguments}"
            assert {"O_CLOEXEC", "O_NOFOLLOW"} <= flags, f"{path}: {flags} by {arguments}"

    def files(self) -> int:
        """Looks into every file of the folder."""
        looked = 0
        canaries = list(self.canaries.values())
        for path in self.folder.rglob("*"):
            if not path.is_file():
                continue
            looked += 1
            found = hits(path.read_bytes(), canaries)
            assert not found, f"{path}: {sorted(found)[:5]}"
        return looked


def crash(life: Life, number: signal.Signals) -> None:
    """A job that dies by a fault leaves no core, and nothing in the clear."""
    before = set(life.folder.rglob("*"))
    command = f'ulimit -c unlimited; cd "{life.folder}"; exec "{life.keyroll}" rotate --force --max-rate 50'
    job = subprocess.Popen(["/bin/sh", "-c", command], env=life.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    time.sleep(0.7)
    assert job.poll() is None, f"the job was over too soon: {job.returncode}: {job.communicate()[1].decode()}"
    job.send_signal(number)
    _, errors = job.communicate()
    assert job.returncode == -number, job.returncode
    assert not hits(errors, list(life.canaries.values()))
    made = {path.name for path in set(life.folder.rglob("*")) - before}
    assert not [name for name in made if "core" in name], made


def main() -> None:
    keyroll, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(mode=0o700, parents=True)
    life = Life(keyroll, folder)
    secrets = [Canary.text(f"plaintext {number}") for number in range(4)]
    life.know(*secrets)
    # What is looked for is found: in arguments, in the environment, in what is written, in another form too.
    for words, environment in [
        (["/bin/echo", secrets[0].data.hex()], {}), (["/bin/true"], {"A": secrets[0].data.decode()}),
    ]:
        assert run(words, environment={"PATH": "/bin", **environment}).leaks(secrets, ()), words
    recovery = folder / "recovery.pem"
    life.step("init", "--recovery-key", str(recovery))
    life.step("put", "one", data=secrets[0].data, allowed=IN)
    life.step("put", "two", "--context", "row 7", data=secrets[1].data, allowed=IN)
    lines = b"".join(b'{"name":"more/%d","secret":"%s"}\n' % (n, secrets[2].data) for n in range(120))
    life.step("import", "-", "--format", "jsonl", data=lines, allowed=IN)
    assert life.step("get", "one", allowed=OUT) == secrets[0].data
    # An application has the store open, so that no closing connection empties the log by the way.
    application = sqlite3.connect(life.home / "secrets.sqlite")
    application.execute("SELECT count(*) FROM secret").fetchone()
    old = wrapped_keys(str(life.home))
    life.step("rotate", "--force", "--json")
    now = set(wrapped_keys(str(life.home)))
    assert not now & set(old)
    for path in life.home.glob("secrets.sqlite*"):
        content = path.read_bytes()
        assert not any(key in content for key in old), f"{path} still has a wrapped key of before the rotation"
    application.close()
    life.step("verify")
    life.step("put", "one", "--replace", data=secrets[3].data, allowed=IN)
    life.step("reencrypt", "--compromised", "1", "--reason", "a test")
    life.step("export", "--format", "cose")
    life.step("export", "two", "--format", "jsonl", allowed=OUT)
    life.step("mv", "two", "three")
    life.step("rm", "three")
    life.step("backup", str(folder / "backup"))
    life.step("archive", "rehearse")
    life.step("status", "--json", code=3)
    life.step("doctor")
    life.step("report", "--html", str(folder / "page.html"))
    life.step("get", "nobody", code=66)
    for number in [signal.SIGSEGV, signal.SIGABRT]:
        crash(life, number)
        life.step("rotate")
    # From here on the reader has another root key than the home.
    life.knows_root = False
    life.step("root", "change")

    # A passphrase in place of root.key.
    passphrase = Canary.text("passphrase")
    life.know(passphrase)
    other = str(folder / "other")
    for arguments in [["init", "--passphrase"], ["put", "x"], ["rotate", "--force"]]:
        reading, writing = os.pipe()
        os.write(writing, passphrase.data + b"\n")
        os.close(writing)
        life.step(
            *arguments, "--home", other, "--passphrase-fd", str(reading), data=secrets[0].data,
            allowed=IN + (b"read(%d, " % reading,), descriptors=(reading,),
        )
        os.close(reading)
    looked = life.files()
    print(json.dumps({
        "commands": life.commands, "systemCalls": life.calls, "canaries": len(life.canaries), "files": looked,
        "filesMade": life.made, "hits": 0,
    }))


main()
