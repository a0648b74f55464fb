"""Damages a keyroll home the way a failing disk, or somebody with write access, would.

    damage.py HOME flip-key NAME            one bit of the wrapped data key in the secret's slot
    damage.py HOME flip-content NAME        one bit of the secret's ciphertext
    damage.py HOME set-generation NAME N    the generation's number in the slot
    damage.py HOME swap-contents A B        the contents of two secrets, their slots stay
    damage.py HOME swap-slots A B           the slots of two secrets, their contents stay
    damage.py HOME swap-both A B            contents and slots
    damage.py HOME sql FILE STATEMENT       anything else

Standard library only; every edit is one committed transaction.
"""

import os
import sqlite3
import sys

SLOT = 44


class Store:
    """secrets.sqlite, open for damage."""

    def __init__(self, home: str) -> None:
        self.connection = sqlite3.connect(os.path.join(home, "secrets.sqlite"))
        [(self.slots_per_page,)] = self.connection.execute("SELECT slots_per_page FROM store")

    def place(self, name: str) -> int:
        """Where the secret's slot is."""
        [(place,)] = self.connection.execute("SELECT id FROM secret WHERE name = ?", (name,))
        return place

    def slot(self, name: str) -> bytes:
        """The secret's 44 bytes."""
        page, number = divmod(self.place(name), self.slots_per_page)
        [(image,)] = self.connection.execute("SELECT slots FROM key_page WHERE page = ?", (page,))
        return image[SLOT * number : SLOT * (number + 1)]

    def set_slot(self, name: str, slot: bytes) -> None:
        """Writes other 44 bytes."""
        assert len(slot) == SLOT
        page, number = divmod(self.place(name), self.slots_per_page)
        [(image,)] = self.connection.execute("SELECT slots FROM key_page WHERE page = ?", (page,))
        image = image[: SLOT * number] + slot + image[SLOT * (number + 1) :]
        self.connection.execute("UPDATE key_page SET slots = ? WHERE page = ?", (image, page))

    def content(self, name: str) -> tuple:
        """Birth, context and body."""
        [row] = self.connection.execute("SELECT birth, context, body FROM secret WHERE name = ?", (name,))
        return row

    def set_content(self, name: str, content: tuple) -> None:
        """Writes another content."""
        self.connection.execute("UPDATE secret SET birth = ?, context = ?, body = ? WHERE name = ?", (*content, name))


def flipped(data: bytes, at: int) -> bytes:
    """The same with one bit changed."""
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


def damage(store: Store, command: list[str]) -> None:
    """Carries one command out."""
    match command:
        case ["flip-key", name]:
            store.set_slot(name, flipped(store.slot(name), 20))
        case ["flip-content", name]:
            birth, context, body = store.content(name)
            store.set_content(name, (birth, context, flipped(body, len(body) - 1)))
        case ["set-generation", name, number]:
            store.set_slot(name, int(number).to_bytes(4, "big") + store.slot(name)[4:])
        case [("swap-contents" | "swap-slots" | "swap-both") as what, first, second]:
            slots, contents = (store.slot(first), store.slot(second)), (store.content(first), store.content(second))
            if what != "swap-slots":
                store.set_content(first, contents[1])
                store.set_content(second, contents[0])
            if what != "swap-contents":
                store.set_slot(first, slots[1])
                store.set_slot(second, slots[0])
        case _:
            sys.exit(__doc__)


def main() -> None:
    """See above."""
    home, command = sys.argv[1], sys.argv[2:]
    if command[0] == "sql":
        connection = sqlite3.connect(os.path.join(home, command[1]))
        changed = connection.execute(command[2]).rowcount
        assert changed != 0, "the statement changed nothing"
    else:
        store = Store(home)
        damage(store, command)
        connection = store.connection
    connection.commit()
    connection.close()


if __name__ == "__main__":
    main()
