"""The peers that are commands: each secret is a file, and a rotation writes it anew."""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass


@dataclass
class Command:
    """One peer whose users call a program."""

    name: str
    does: str
    # Gives the version's line.
    version: list
    # prepare(folder, count, size) fills the folder; turn(folder, count) rotates what lies there.
    prepare: object
    turn: object
    like: str


FILES = "A file each, not synced; no run that can be resumed, no count of what is left under the old key."


def measure(command: Command, count: int, size: int, scratch: str) -> float:
    """Seconds to bring `count` files under the new key."""
    folder = os.path.join(scratch, "peer")
    os.mkdir(folder, mode=0o700)
    try:
        command.prepare(folder, count, size)
        os.sync()
        start = time.perf_counter()
        command.turn(folder, count)
        seconds = time.perf_counter() - start
        if len([name for name in os.listdir(folder) if name.startswith("new-")]) != count:
            raise RuntimeError(f"{command.name}: not every file was written")
        return seconds
    finally:
        stop_agent(folder)
        shutil.rmtree(folder)


def shell(folder: str, script: str, **more) -> None:
    environment = {**os.environ, "GNUPGHOME": folder, "ANSIBLE_HOME": folder, "ANSIBLE_LOCAL_TEMP": folder, **more}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{script}: {done.stderr.decode(errors='replace')[-400:]}")


def stop_agent(folder: str) -> None:
    subprocess.run(["gpgconf", "--homedir", folder, "--kill", "all"], check=False, capture_output=True)


def plain(folder: str, count: int, size: int) -> None:
    for number in range(count):
        with open(os.path.join(folder, f"plain-{number:07d}"), "wb") as file:
            file.write(os.urandom(size))


def one_by_one(processes: int, script: str):
    """Runs a script for each old file, $1 being it; with several at a time where asked."""
    def turn(folder, _):
        shell(folder, f"""printf '%s\\0' old-* | xargs -0 -n 1 -P {processes} bash -euo pipefail -c '{script}' _""")
    return turn


def prepare_age(folder, count, size):
    plain(folder, count, size)
    shell(folder, "age-keygen -o old.key; age-keygen -o new.key; age-keygen -y old.key >old.pub; age-keygen -y new.key >new.pub;"
                  'for file in plain-*; do age -e -R old.pub -o "old-${file#plain-}" "$file"; rm "$file"; done')


AGE = 'age -d -i old.key "$1" | age -e -R new.pub -o "new-${1#old-}"'


def prepare_symmetric(folder, count, size):
    plain(folder, count, size)
    for name in ("old", "new"):
        with open(os.path.join(folder, f"{name}.pass"), "w", encoding="ascii") as file:
            file.write(os.urandom(16).hex())
    shell(folder, 'for file in plain-*; do gpg -q --batch --pinentry-mode loopback --passphrase-file old.pass'
                  ' -o "old-${file#plain-}" -c "$file"; rm "$file"; done')


SYMMETRIC = ('gpg -q --batch --pinentry-mode loopback --passphrase-file old.pass -d "$1"'
             ' | gpg -q --batch --pinentry-mode loopback --passphrase-file new.pass -o "new-${1#old-}" -c')


def prepare_recipient(folder, count, size):
    plain(folder, count, size)
    shell(folder, "for name in old new; do gpg -q --batch --pinentry-mode loopback --passphrase '' --quick-generate-key"
                  " $name@example.invalid future-default default never; done;"
                  " gpg -q --batch --trust-model always -r old@example.invalid --multifile --encrypt plain-*; rm plain-???????;"
                  ' for file in plain-*.gpg; do mv "$file" "old-${file#plain-}"; done')


def turn_recipient(folder, _):
    shell(folder, "gpg -q --batch --multifile --decrypt old-*.gpg;"
                  ' for file in old-???????; do mv "$file" "new-${file#old-}"; done;'
                  " gpg -q --batch --trust-model always -r new@example.invalid --multifile --encrypt new-???????;"
                  " rm new-???????")


def prepare_vault(folder, count, size):
    # Text, as a vault is for YAML.
    plain(folder, count, size // 2)
    for name in ("old", "new"):
        with open(os.path.join(folder, f"{name}.pass"), "w", encoding="ascii") as file:
            file.write(os.urandom(16).hex())
    shell(folder, 'for file in plain-*; do od -An -v -tx1 "$file" >"new-${file#plain-}"; rm "$file"; done;'
                  " ansible-vault encrypt --vault-password-file old.pass new-*", PATH=venv_path())


def turn_vault(folder, _):
    shell(folder, "ansible-vault rekey --vault-password-file old.pass --new-vault-password-file new.pass new-*",
          PATH=venv_path())


def venv_path() -> str:
    import sys
    return os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]


COMMANDS = [
    Command("age", "X25519 and ChaCha20-Poly1305, a process to decrypt and one to encrypt", ["age", "--version"],
            prepare_age, one_by_one(1, AGE), f"With re-encrypt; to a public key. {FILES}"),
    Command("age, two at a time", "the same, xargs -P 2", ["age", "--version"],
            prepare_age, one_by_one(2, AGE), f"With re-encrypt; to a public key. {FILES}"),
    Command("gpg --symmetric", "a passphrase stretched for each file, two processes each", ["gpg", "--version"],
            prepare_symmetric, one_by_one(1, SYMMETRIC), f"With re-encrypt; stretching is slow on purpose. {FILES}"),
    Command("gpg, all files in one process", "--multifile, to a Curve25519 recipient; plaintexts lie in files meanwhile",
            ["gpg", "--version"], prepare_recipient, turn_recipient, f"With re-encrypt; to a public key. {FILES}"),
    Command("ansible-vault rekey", "all files in one call", ["ansible-vault", "--version"], prepare_vault, turn_vault,
            f"With re-encrypt; each file derives its key from a passphrase, on purpose slowly. {FILES}"),
]


def version(command: Command) -> str:
    """The first line that it says of itself."""
    done = subprocess.run(command.version, capture_output=True, text=True, check=False,
                          env={**os.environ, "PATH": venv_path()})
    return done.stdout.splitlines()[0].strip()
