"""What the parts share: binaries, folders, the server, sizes, the document."""

import os
import sys
from types import SimpleNamespace

from home import Home
from served import Homes, ServedHome, Server

from .document import Document
from .sizes import Sizes


class Context:
    def __init__(self, release: str, scratch: str, sizes: Sizes, document: Document):
        self.release, self.scratch, self.sizes, self.document = release, scratch, sizes, document
        self.server = Server(os.path.join(scratch, "server"))
        self.homes = Homes(SimpleNamespace(
            binary=self.binary("keyroll"), scratch=scratch, sizes=str(sizes.main), runs=sizes.rounds), self.server)
        self.made = 0

    def binary(self, name: str) -> str:
        return os.path.join(self.release, name)

    def folder(self) -> str:
        return os.path.join(self.scratch, "homes")

    def home(self, kind: str = "SQLite", *options: str):
        """A new home; `kind` is SQLite or PostgreSQL, the options are those of init."""
        self.made += 1
        name = f"bench-{self.made}"
        if kind == "PostgreSQL":
            return ServedHome(self.homes, name, *options)
        return Home(self.binary("keyroll"), self.folder(), name, *options)

    @property
    def allocations(self) -> str:
        """The library that counts them, for LD_PRELOAD."""
        return os.path.join(self.scratch, "allocations.so")

    def say(self, line: str) -> None:
        print(f"bench: {line}", file=sys.stderr, flush=True)
