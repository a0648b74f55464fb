"""Opens a whole home without keyroll: sqlite3, cryptography and cbor2.

    independent_reader.py digests IMPORT.jsonl EXPECTED.json   what the home has to hold, from what was imported
    independent_reader.py check HOME EXPECTED.json             whether it does

`check` works on a copy, so that the home stays as a crash left it. It fails unless both copies of the ring are whole
and authentic, the store is whole, every secret has exactly one live slot under a generation of the ring, no slot is
without a secret, the counts by generation are right, and every plaintext has the SHA-256 that is expected. It prints
the number of secrets by generation.
"""

import base64
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections import Counter

import cbor2
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ring import Ring, open_database, read_ring

SLOT = 44
INTEGRITY = 0xA6A6A6A6A6A6A6A6


def unwrap(key: bytes, wrapped: list[bytes]) -> list[bytes]:
    """AES key unwrap (RFC 3394, section 2.2.2) of many 32-byte keys: each of its 24 steps is one ECB call for all."""
    decryptor = Cipher(algorithms.AES(key), modes.ECB()).decryptor()
    a = [one[:8] for one in wrapped]
    r = [[one[8 * i : 8 * i + 8] for one in wrapped] for i in range(1, 5)]
    for step in range(24, 0, -1):
        i = (step - 1) % 4
        blocks = b"".join(
            (int.from_bytes(high, "big") ^ step).to_bytes(8, "big") + low for high, low in zip(a, r[i])
        )
        opened = decryptor.update(blocks)
        a = [opened[at : at + 8] for at in range(0, len(opened), 16)]
        r[i] = [opened[at + 8 : at + 16] for at in range(0, len(opened), 16)]
    assert all(int.from_bytes(high, "big") == INTEGRITY for high in a), "a wrapped key's integrity value is wrong"
    return [b"".join(parts) for parts in zip(*r)]


def live_slots(connection, slots_per_page: int) -> dict[int, bytes]:
    """Every slot that is in use, by its place; free ones have to be all zero and counted right."""
    slots = {}
    for page, free, image in connection.execute("SELECT page, free, slots FROM key_page"):
        assert len(image) == SLOT * slots_per_page
        used = 0
        for number in range(slots_per_page):
            slot = image[SLOT * number : SLOT * (number + 1)]
            if slot[:4] == bytes(4):
                assert slot == bytes(SLOT), f"page {page}, slot {number}: free, but not cleared"
            else:
                slots[page * slots_per_page + number] = slot
                used += 1
        assert free == slots_per_page - used, f"page {page}: free slots are counted wrong"
    return slots


def open_content(ring: Ring, data_key: bytes, name: str, birth: int, context: bytes | None, body: bytes) -> bytes:
    """Decrypts one content: COSE_Encrypt without its recipients (RFC 9052, sections 5.1 and 5.3)."""
    # The body is an array of four whose last element, the recipients, is not stored with it.
    protected, unprotected, ciphertext, recipients = cbor2.loads(body + b"\x80").value
    assert recipients == [] and cbor2.loads(protected)[1] == 3
    aad = cbor2.dumps(["keyroll/1", ring.group, name, context, birth], canonical=True)
    structure = cbor2.dumps(["Encrypt", protected, aad], canonical=True)
    return AESGCM(data_key).decrypt(unprotected[5], ciphertext, structure)


def check_store(home: str, ring: Ring, expected: dict[str, str]) -> Counter:
    """Opens every secret of secrets.sqlite."""
    connection = open_database(os.path.join(home, "secrets.sqlite"))
    # One snapshot, whatever else goes on.
    connection.execute("BEGIN")
    [(group, slots_per_page, fence)] = connection.execute("SELECT group_identity, slots_per_page, fence FROM store")
    assert group == ring.group and fence in ring.generations
    for number, identity, check in connection.execute("SELECT number, identity, check_value FROM generation"):
        known = ring.generations[number]
        assert (known.identity, known.check_value) == (identity, check)

    slots = live_slots(connection, slots_per_page)
    census = Counter(int.from_bytes(slot[:4], "big") for slot in slots.values())
    counted = dict(connection.execute("SELECT generation, live FROM census WHERE live <> 0"))
    assert counted == dict(census), f"the counts say {counted}, the slots {dict(census)}"

    keys = {}
    for number in census:
        places = [place for place, slot in slots.items() if slot[:4] == number.to_bytes(4, "big")]
        opened = unwrap(ring.generations[number].key, [slots[place][4:] for place in places])
        keys.update(zip(places, opened))
    assert len(set(keys.values())) == len(keys), "two secrets share a data key"

    names = set()
    for place, name, birth, context, body in connection.execute("SELECT id, name, birth, context, body FROM secret"):
        plaintext = open_content(ring, keys.pop(place), name, birth, context, body)
        assert hashlib.sha256(plaintext).hexdigest() == expected[name], f"{name}: another plaintext"
        names.add(name)
    assert not keys, f"{len(keys)} slots are in use without a content"
    assert names == set(expected), f"{len(set(expected) - names)} secrets are missing"
    return census


def check_home(home: str, expected: dict[str, str]) -> Counter:
    """Reads both copies of the ring, and every secret."""
    ring, copy = read_ring(home), read_ring(home, "keys-copy.sqlite")
    assert copy.sequence <= ring.sequence <= copy.sequence + 1, "the copies are more than one change apart"
    assert ring.active
    return check_store(home, ring, expected)


def write_digests(source: str, target: str) -> None:
    """SHA-256 of every secret in a JSON Lines file."""
    digests = {}
    with open(source, encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            secret = record["secret"].encode() if "secret" in record else base64.b64decode(record["secretBase64"])
            digests[record["name"]] = hashlib.sha256(secret).hexdigest()
    with open(target, "w", encoding="utf-8") as file:
        json.dump(digests, file)


def main() -> None:
    """See above."""
    match sys.argv[1:]:
        case ["digests", source, target]:
            write_digests(source, target)
        case ["check", home, path]:
            with open(path, encoding="utf-8") as file:
                expected = json.load(file)
            with tempfile.TemporaryDirectory() as folder:
                copy = shutil.copytree(home, os.path.join(folder, "home"))
                print(json.dumps({str(number): count for number, count in check_home(copy, expected).items()}))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
