"""R19: no data key and no nonce twice, whoever protects; and what a stolen key still opens after each kind of rotation.

Several processes protect into one store at a time. Then the store of that day, with the generation's key of that day, is
what a thief has: after a rewrap it opens today's contents, after a re-encryption none.
"""

import os
import subprocess

import cbor2
from cryptography.exceptions import InvalidTag

from bench import Bench
from life import World, json_lines, plaintexts
from runner import demand, note
from safety import live_slots, open_content, open_database, read_ring, unwrap

PROCESSES = 8


class Contents:
    """A store as the independent reader sees it."""

    def __init__(self, home: str) -> None:
        self.ring = read_ring(home)
        connection = open_database(os.path.join(home, "secrets.sqlite"))
        [(per_page,)] = connection.execute("SELECT slots_per_page FROM store")
        slots = live_slots(connection, per_page)
        keys: dict[int, bytes] = {}
        for number, generation in self.ring.generations.items():
            places = [place for place, slot in slots.items() if int.from_bytes(slot[:4], "big") == number]
            keys.update(zip(places, unwrap(generation.key, [slots[place][4:] for place in places])))
        demand(len(keys) == len(slots), "slots name generations whose keys are not there")
        self.keys: dict[str, bytes] = {}
        self.nonces: dict[str, bytes] = {}
        self.rows: dict[str, tuple] = {}
        for place, *row in connection.execute("SELECT id, name, birth, context, body FROM secret"):
            self.keys[row[0]] = keys[place]
            self.nonces[row[0]] = cbor2.loads(row[3] + b"\x80").value[1][5]
            self.rows[row[0]] = tuple(row)
        connection.close()

    def opened_by(self, keys: dict[str, bytes]) -> int:
        """How many of today's contents these data keys open."""
        count = 0
        for name, row in self.rows.items():
            try:
                open_content(self.ring, keys[name], *row)
                count += 1
            except InvalidTag:
                pass
        return count


def run(bench: Bench, count: int) -> dict:
    """So many secrets, by eight processes at a time."""
    world = World(bench.path("fresh"), bench.keyroll)
    world.create({"soakTime": "1h"})
    each = count // PROCESSES
    files = [
        world.write(f"{number}.jsonl", json_lines(plaintexts(each, f"process/{number}", sizes=(8,))))
        for number in range(PROCESSES)]
    children = [
        bench.keyroll.start(
            world.home, ["import", file], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for file in files]
    for child in children:
        errors = child.communicate()[1].decode()
        demand(child.returncode == 0, f"import: {child.returncode}: {errors.strip()}")
    stolen = Contents(world.home)
    demand(len(stolen.keys) == each * PROCESSES, f"{len(stolen.keys)} secrets are there")
    demand(len(set(stolen.keys.values())) == len(stolen.keys), "two secrets share a data key")
    # Each key is used once, so that a nonce twice would do no harm; 96 random bits do not come twice all the same.
    demand(len(set(stolen.nonces.values())) == len(stolen.nonces), "two secrets share a nonce")
    note(f"{len(stolen.keys)} keys")

    world.run("rotate", "--force")
    rewrapped = Contents(world.home)
    demand(rewrapped.keys == stolen.keys, "a rewrap changed data keys")
    after_rewrap = rewrapped.opened_by(stolen.keys)
    demand(after_rewrap == len(stolen.keys), f"after a rewrap the stolen keys open {after_rewrap} only")
    warned = bench.keyroll.run(world.home, ["explain", "process/0/0"]).expect().output.decode()
    demand(
        "birth generation: 1 " in warned and "a rewrap does not change that" in warned,
        f"explain does not say which generation exposes it: {warned}")

    world.run("reencrypt", "--compromised", "1")
    renewed = Contents(world.home)
    demand(renewed.rows.keys() == stolen.rows.keys(), "secrets are missing")
    same = sum(renewed.keys[name] == key for name, key in stolen.keys.items())
    demand(not same and not set(renewed.keys.values()) & set(stolen.keys.values()), f"{same} data keys are the same")
    demand(len(set(renewed.keys.values())) == len(renewed.keys), "two secrets share a data key")
    opened = renewed.opened_by(stolen.keys)
    demand(not opened, f"after the re-encryption the stolen keys still open {opened} contents")
    return {
        "secrets": len(stolen.keys), "processes": PROCESSES, "opened after a rewrap": after_rewrap,
        "opened after a re-encryption": opened}
