"""What a power cut leaves: replays the changes that `faults.c` wrote down, as a disk would see them.

A change to a file's bytes is safe once the file was synced, a change to a folder's names once the folder was. Up to then
it may be kept, lost, or, of bytes, torn into sectors of 512 bytes, each of which is the new one, the old one or garbage.
The names of one folder change in order, as in a journal; everything else is independent.
"""

import os
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

HEAD = struct.Struct("<c3xIQQQ")
SECTOR = 512


@dataclass(frozen=True)
class Change:
    """One record of the log."""

    what: str
    inode: int
    offset: int
    text: str
    data: bytes


def read_log(path: str) -> list[Change]:
    """All of them; the last may be missing its end where the process was killed."""
    changes = []
    with open(path, "rb") as file:
        log = file.read()
    at = 0
    while at + HEAD.size <= len(log):
        what, length, inode, offset, count = HEAD.unpack_from(log, at)
        at += HEAD.size
        text = log[at : at + length].decode()
        at += length
        changes.append(Change(what.decode(), inode, offset, text, log[at : at + count]))
        at += count
    return changes


@dataclass
class File:
    """Bytes that are safe, and what was done to them since."""

    content: bytes = b""
    pending: list[tuple[str, int, bytes]] = field(default_factory=list)

    def sync(self) -> None:
        """All of it is safe."""
        self.content, self.pending = self.after(lambda change: [change]), []

    def after(self, choose: Callable[[tuple[str, int, bytes]], list[tuple[str, int, bytes]]]) -> bytes:
        """The bytes where this is left of each change."""
        if not self.pending:
            return self.content
        content = bytearray(self.content)
        for one in self.pending:
            for what, offset, data in choose(one):
                if what == "t":
                    del content[offset:]
                    content.extend(bytes(offset - len(content)))
                else:
                    content.extend(bytes(max(0, offset - len(content))))
                    content[offset : offset + len(data)] = data
        return bytes(content)


@dataclass
class Folder:
    """Names that are safe, and what was done to them since: groups that happen together."""

    names: dict[str, "File | Folder"] = field(default_factory=dict)
    pending: list[dict[str, "File | Folder | None"]] = field(default_factory=list)

    def after(self, count: int | None = None) -> dict[str, "File | Folder"]:
        """The names after the first `count` changes."""
        names = dict(self.names)
        for group in self.pending[:count]:
            for name, target in group.items():
                if target is None:
                    names.pop(name, None)
                else:
                    names[name] = target
        return names

    def sync(self) -> None:
        """All of it is safe."""
        self.names, self.pending = self.after(), []


class Disk:
    """A folder as it was when everything in it was safe, and what happens to it."""

    def __init__(self, root: str) -> None:
        self.inodes: dict[int, File | Folder] = {}
        self.root = self.load(root)

    def load(self, path: str) -> Folder:
        """Takes a folder as it lies there."""
        folder = Folder()
        self.inodes[os.stat(path).st_ino] = folder
        for entry in os.scandir(path):
            if entry.is_dir(follow_symlinks=False):
                folder.names[entry.name] = self.load(entry.path)
            else:
                with open(entry.path, "rb") as file:
                    folder.names[entry.name] = self.inodes[entry.inode()] = File(file.read())
        return folder

    def locate(self, path: str) -> tuple[Folder, str]:
        """The folder of a path, as the running system sees it, and the name in it."""
        *above, name = path.strip("/").split("/")
        folder = self.root
        for part in above:
            folder = folder.after()[part]
        return folder, name

    def at(self, path: str) -> File | Folder:
        """What a path names now."""
        if not path.strip("/"):
            return self.root
        folder, name = self.locate(path)
        return folder.after()[name]

    def apply(self, change: Change) -> None:
        """Carries out one record."""
        match change.what:
            case "w" | "t":
                if isinstance(file := self.inodes.get(change.inode), File):
                    file.pending.append((change.what, change.offset, change.data))
            case "s":
                if target := self.inodes.get(change.inode):
                    target.sync()
            case "c" | "m":
                made = self.inodes[change.inode] = File() if change.what == "c" else Folder()
                folder, name = self.locate(change.text)
                folder.pending.append({name: made})
            case "u" | "d":
                folder, name = self.locate(change.text)
                folder.pending.append({name: None})
            case "r" | "l":
                source, target = change.text.split("\0")
                (old, first), (new, second) = self.locate(source), self.locate(target)
                moved = old.after()[first]
                assert change.what == "l" or change.offset == 0, "an exchange of names is not replayed"
                if change.what == "l":
                    new.pending.append({second: moved})
                elif old is new:
                    new.pending.append({first: None, second: moved})
                else:
                    new.pending.append({second: moved})
                    old.pending.append({first: None})

    def image(self, variant: str, seed: int) -> dict[str, bytes | None]:
        """What is left when the power goes now: the bytes of each path, None for a folder."""
        dice = random.Random(f"{variant} {seed}")
        result: dict[str, bytes | None] = {}

        def walk(folder: Folder, path: str) -> None:
            count = {"kept": None, "none": 0}.get(variant, dice.randint(0, len(folder.pending)))
            for name, target in sorted(folder.after(count).items()):
                if isinstance(target, Folder):
                    result[path + name] = None
                    walk(target, path + name + "/")
                else:
                    result[path + name] = target.after(chooser(variant, dice))

        walk(self.root, "")
        return result


def chooser(variant: str, dice: random.Random) -> Callable[[tuple[str, int, bytes]], list[tuple[str, int, bytes]]]:
    """What is left of one change of bytes."""

    def torn(change: tuple[str, int, bytes]) -> Iterator[tuple[str, int, bytes]]:
        what, offset, data = change
        if what == "t":
            if dice.random() < 0.5:
                yield change
            return
        at = 0
        while at < len(data):
            end = min(len(data), at + SECTOR - (offset + at) % SECTOR)
            fate = dice.random()
            if fate < 0.4:
                yield "w", offset + at, data[at:end]
            elif fate < 0.6:
                yield "w", offset + at, dice.randbytes(end - at)
            at = end

    match variant:
        case "kept":
            return lambda change: [change]
        case "none":
            return lambda change: []
        case "subset":
            return lambda change: [change] if dice.random() < 0.5 else []
        case "torn":
            return lambda change: list(torn(change))
    raise ValueError(variant)


def write_image(image: dict[str, bytes | None], target: str) -> None:
    """Makes a folder of it, private as keyroll makes its own."""
    os.mkdir(target, 0o700)
    for path, content in sorted(image.items()):
        if content is None:
            os.mkdir(os.path.join(target, path), 0o700)
            continue
        descriptor = os.open(os.path.join(target, path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(content)
