"""What another process finds of a keyroll process: no core, no memory of its, and nothing in a dump that root makes.

usage: memory.py KEYROLL FOLDER [USER]

With USER (the tests run as root then) the job runs as that user, and another process of that user tries to look.
"""

import json
import os
import pathlib
import pwd
import re
import subprocess
import sys
import time

from canary import Canary, raw
from keys import keys_of


def environment(home: pathlib.Path) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "KEYROLL_HOME": str(home), "HOME": "/nonexistent"}


def as_user(user: str | None) -> list[str]:
    return ["/usr/bin/setpriv", "--reuid", user, "--regid", user, "--init-groups"] if user else []


def locked(pid: int) -> int:
    """Locked memory in KiB; every locked region has to be left out of dumps."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    regions = re.split(r"\n(?=[0-9a-f]+-[0-9a-f]+ )", pathlib.Path(f"/proc/{pid}/smaps").read_text())
    for region in regions:
        flags = re.search(r"VmFlags: (.*)", region)
        words = flags[1].split() if flags else []
        assert "lo" not in words or "dd" in words, f"locked, and not left out of dumps: {region.splitlines()[0]}"
    return int(re.search(r"VmLck:\s+(\d+) kB", status)[1])


def dump(pid: int, folder: pathlib.Path) -> bytes:
    """What root gets by gcore."""
    done = subprocess.run(["gcore", "-o", folder / "core", str(pid)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    core = folder / f"core.{pid}"
    content = core.read_bytes()
    core.unlink()
    return content


def main() -> None:
    keyroll, folder, user = sys.argv[1], pathlib.Path(sys.argv[2]), (sys.argv[3:] or [None])[0]
    folder.mkdir(mode=0o755, parents=True)
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    home = folder / "home"
    canary = Canary.text("plaintext")

    def run(*arguments: str, data: bytes = b"") -> bytes:
        return subprocess.run(
            [*as_user(user), keyroll, *arguments], input=data, env=environment(home), stdout=subprocess.PIPE, check=True
        ).stdout

    run("init")
    lines = b"".join(b'{"name":"more/%d","secret":"%s"}\n' % (n, canary.data) for n in range(3000))
    run("import", "-", "--format", "jsonl", data=lines)
    job = subprocess.Popen(
        [*as_user(user), keyroll, "verify", "--max-rate", "600", "--quiet"], env=environment(home), stdout=subprocess.DEVNULL
    )
    time.sleep(1.5)
    kibibytes = locked(job.pid)
    assert kibibytes >= 64, f"{kibibytes} KiB are locked"
    if user:
        source = pathlib.Path(__file__).with_name("look.py").read_text()
        subprocess.run([*as_user(user), "/usr/bin/python3", "-c", source, str(job.pid)], check=True, cwd="/")
    keys = keys_of(str(home))[:20]
    # The job is at work: keys and plaintext are in memory, in regions that no dump has.
    found = raw(dump(job.pid, folder), [*keys, canary])
    assert not found, f"in a dump of a running job: {sorted(found)}"
    assert job.wait() == 0
    print(json.dumps({"lockedKiB": kibibytes, "keys": len(keys), "hits": 0, "otherProcess": bool(user)}))


main()
