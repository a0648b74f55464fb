"""R18: what belongs to one secret is no other's: a thousand pairs of each kind, altered in the database by hand, all refused.

Only both of an older slot and an older content together are a secret's own again; that is R14.
"""

import json
import os
import sqlite3
from collections.abc import Callable

from bench import Bench
from life import World, json_lines, plaintexts
from runner import demand, note

SLOT = 44
FAILED = 65


class Store:
    """A store that an enemy writes to."""

    def __init__(self, home: str) -> None:
        self.connection = sqlite3.connect(os.path.join(home, "secrets.sqlite"))
        [(self.per_page,)] = self.connection.execute("SELECT slots_per_page FROM store")
        self.pages = {page: bytearray(image) for page, image in self.connection.execute("SELECT page, slots FROM key_page")}
        self.rows = {
            name: (place, birth, context, body)
            for place, name, birth, context, body in
            self.connection.execute("SELECT id, name, birth, context, body FROM secret")}

    def slot(self, name: str) -> bytes:
        """A secret's slot."""
        page, number = divmod(self.rows[name][0], self.per_page)
        return bytes(self.pages[page][SLOT * number : SLOT * (number + 1)])

    def set_slot(self, name: str, slot: bytes) -> None:
        """Another one in its place."""
        page, number = divmod(self.rows[name][0], self.per_page)
        self.pages[page][SLOT * number : SLOT * (number + 1)] = slot

    def set_columns(self, secret: str, **values: object) -> None:
        """Other columns of its row."""
        for column, value in values.items():
            self.connection.execute(f"UPDATE secret SET {column} = ? WHERE id = ?", (value, self.rows[secret][0]))

    def close(self) -> None:
        """Writes everything."""
        for page, image in self.pages.items():
            self.connection.execute("UPDATE key_page SET slots = ? WHERE page = ?", (bytes(image), page))
        self.connection.commit()
        self.connection.close()


def whole(store: Store, first: str, second: str, _: Store) -> None:
    """Content and slot of A in B's place, and the other way round."""
    slots = store.slot(first), store.slot(second)
    store.set_slot(first, slots[1])
    store.set_slot(second, slots[0])
    content(store, first, second, _)


def content(store: Store, first: str, second: str, _: Store) -> None:
    """The contents alone."""
    store.set_columns(first, body=store.rows[second][3])
    store.set_columns(second, body=store.rows[first][3])


def slot(store: Store, first: str, second: str, _: Store) -> None:
    """The slots alone."""
    slots = store.slot(first), store.slot(second)
    store.set_slot(first, slots[1])
    store.set_slot(second, slots[0])


def name(store: Store, first: str, second: str, _: Store) -> None:
    """The names."""
    store.set_columns(first, name=f"{first} meanwhile")
    store.set_columns(second, name=first)
    store.set_columns(first, name=second)


def birth(store: Store, first: str, second: str, _: Store) -> None:
    """The birth generation."""
    for one in (first, second):
        store.set_columns(one, birth=3 - store.rows[one][1])


def context(store: Store, first: str, second: str, _: Store) -> None:
    """A context that it was not protected with."""
    for one in (first, second):
        store.set_columns(one, context=b"another")


def generation(store: Store, first: str, second: str, _: Store) -> None:
    """The generation that the slot names."""
    for one in (first, second):
        store.set_slot(one, (1).to_bytes(4, "big") + store.slot(one)[4:])


def unknown_generation(store: Store, first: str, second: str, _: Store) -> None:
    """One that the ring does not have: no other key is tried."""
    for one in (first, second):
        store.set_slot(one, (99).to_bytes(4, "big") + store.slot(one)[4:])


def older_slot(store: Store, first: str, second: str, old: Store) -> None:
    """The slot of an earlier day."""
    for one in (first, second):
        store.set_slot(one, old.slot(one))


def older_content(store: Store, first: str, second: str, old: Store) -> None:
    """The content of an earlier day."""
    for one in (first, second):
        store.set_columns(one, body=old.rows[one][3], birth=old.rows[one][1])


KINDS: tuple[Callable[[Store, str, str, Store], None], ...] = (
    whole, content, slot, name, birth, context, generation, unknown_generation, older_slot, older_content)


def run(bench: Bench, pairs: int) -> dict:
    """So many pairs of each kind."""
    template = World(bench.path("places"), bench.keyroll)
    template.create({"soakTime": "1h"})
    names = [f"row/{number}" for number in range(2 * pairs)]
    template.fill(plaintexts(2 * pairs, "row", sizes=(32,)))
    earlier = template.copy(bench.path("earlier"))
    template.run("rotate", "--force")
    template.run(
        "import", "-", "--format", "jsonl", "--replace", data=json_lines(plaintexts(2 * pairs, "row", seed=2, sizes=(32,))))
    old = Store(earlier.home)
    result: dict[str, int] = {}
    words: dict[str, str] = {}
    for kind in KINDS:

        def body() -> None:
            with bench.scratch(f"places {kind.__name__}") as path:
                world = template.copy(path)
                store = Store(world.home)
                for first, second in zip(names[::2], names[1::2]):
                    kind(store, first, second, old)
                store.close()
                outcome = bench.keyroll.run(world.home, ["verify", "--json"]).expect(FAILED)
                report = json.loads(outcome.output)
                failed = report["failed"]["total"]
                demand(failed == 2 * pairs, f"{failed} of {2 * pairs} are refused: {report['failed']}")
                for one in (names[0], names[-1]):
                    get = bench.keyroll.run(world.home, ["get", one]).expect(FAILED)
                    demand(not get.output, f"get {one} wrote {len(get.output)} bytes")
                    words[kind.__name__] = get.errors.replace(one, "NAME")
                result[kind.__name__] = failed

        bench.attempt(kind.__doc__ or "", body)
        note(f"{kind.__name__}: {result.get(kind.__name__)}")
    # R21: who asks does not learn whether the key or the content was wrong.
    alike = {words.get(kind) for kind in ("whole", "content", "slot", "birth", "context", "older_slot", "older_content")}
    bench.attempt("one message for all", lambda: demand(len(alike) == 1, f"messages tell them apart: {alike}"))
    return {"refused": result}
