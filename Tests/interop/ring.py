"""A second, independent reader of a keyroll home's ring: no line of keyroll's own code is behind it.

What it needs to know is what docs and sources say of the format: `root.key` is a line of text, `keys.sqlite` has one
row, the row's document is deterministic CBOR under an HMAC, each generation's key lies in it under AES-256-GCM.
"""

import hashlib
import hmac
import os
import sqlite3
from dataclasses import dataclass, field

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derive(key: bytes, label: str) -> bytes:
    """HKDF-SHA-256 (RFC 5869) without salt."""
    return HKDF(hashes.SHA256(), 32, salt=None, info=label.encode()).derive(key)


def open_database(path: str) -> sqlite3.Connection:
    """Opens a database, rolling back what a killed process left half done; it has to be whole."""
    connection = sqlite3.connect(f"file:{path}?mode=rw", uri=True)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)], f"{path}: integrity_check"
    return connection


@dataclass(frozen=True)
class Generation:
    """One generation with its key in clear."""

    number: int
    identity: bytes
    check_value: bytes
    states: tuple[str, ...]
    key: bytes


@dataclass(frozen=True)
class Ring:
    """A ring whose MAC was right."""

    group: bytes
    sequence: int
    generations: dict[int, Generation]
    # The bundles that have to be there: the file, and the SHA-256 that it may have (of two while one replaces the other).
    bundles: dict[str, set[bytes]] = field(default_factory=dict)

    @property
    def active(self) -> Generation:
        """The one generation that protects."""
        found = [one for one in self.generations.values() if one.states[-1] == "active"]
        assert len(found) == 1, f"{len(found)} generations are active"
        return found[0]


def root_key(home: str, name: str = "root.key") -> bytes:
    """The 32 bytes of a root key's file."""
    with open(os.path.join(home, name), encoding="ascii") as file:
        label, digits = file.read().split()
    assert label == "keyroll-root-key-1" and len(digits) == 64
    return bytes.fromhex(digits)


def fitting_root_key(home: str, suffix: str, check: bytes) -> bytes:
    """The root key that a ring is sealed under: while it is being changed there are two."""
    for name in sorted(os.listdir(home)):
        if name.endswith(".key"):
            key = root_key(home, name)
            if derive(key, "keyroll/1 root key check" + suffix)[:16] == check:
                return key
    raise AssertionError("another root key")


def read_ring(home: str, file: str = "keys.sqlite") -> Ring:
    """Reads one copy of the ring, checks its MAC, and opens every generation in it."""
    with open_database(os.path.join(home, file)) as connection:
        row = connection.execute(
            "SELECT format, sequence, group_identity, root_key_check, root_key_parameters, document, mac FROM ring"
        ).fetchall()
    assert len(row) == 1
    form, sequence, group, check, parameters, document, mac = row[0]
    assert form == 1
    suffix = f" of group {group.hex()}"
    root = fitting_root_key(home, suffix, check)
    covered = cbor2.dumps(["keyroll/1 ring", sequence, group, check, parameters, document], canonical=True)
    authenticator = hmac.new(derive(root, "keyroll/1 authenticate ring" + suffix), covered, hashlib.sha256)
    assert hmac.compare_digest(authenticator.digest(), mac), "the ring's MAC is wrong"

    ring = cbor2.loads(document)
    assert cbor2.dumps(ring, canonical=True) == document, "the ring is not deterministic CBOR"
    assert ring["format"] == 2 and ring["group"] == group and ring["sequence"] == sequence
    sealing = AESGCM(derive(root, "keyroll/1 seal generations" + suffix))
    generations, bundles = {}, {}
    for entry in ring["generations"]:
        escrow = entry.get("escrow")
        # Where a destruction was asked for the bundle may be gone already.
        if escrow and not entry.get("destruction") and entry["history"][-1]["state"] != "destroyed":
            bundles[escrow["file"]] = {escrow["digest"], escrow.get("replacement")} - {None}
        number, identity, sealed = entry["number"], entry["identity"], entry["sealed"]
        if sealed is None:  # archived or destroyed
            continue
        bound = b"keyroll/1 generation" + group + number.to_bytes(4, "big") + identity
        key = sealing.decrypt(sealed[:12], sealed[12:], bound)
        assert derive(key, "keyroll/1 key check value")[:8] == entry["checkValue"]
        states = tuple(step["state"] for step in entry["history"])
        generations[number] = Generation(number, identity, entry["checkValue"], states, key)
    assert max(generations) <= ring["highest"]
    return Ring(group, sequence, generations, bundles)
