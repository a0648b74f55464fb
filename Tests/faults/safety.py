"""Whether a home is safe, decided without keyroll.

The independent reader of `Tests/interop` opens both copies of the ring, and each secret goes through the COSE library
`cwt` (or, where there are many, through `cryptography` in one batch). Safe means: every secret has the plaintext it may
have, each has exactly one slot that names one generation whose key is there, the databases are whole, the chains of
evidence and audit follow, and no plaintext lies in any file in clear.
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
from cwt import COSE, COSEKey

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "interop"))
from independent_reader import live_slots, open_content, unwrap  # noqa: E402
from ring import Ring, open_database, read_ring  # noqa: E402

from runner import SCRATCH, Unsafe, demand  # noqa: E402

# What a secret may be: digests, and None for "not there".
Expected = dict[str, set[str | None]]
# Up to here each secret goes through cwt, which takes its time.
FEW = 200


def digest(plaintext: bytes) -> str:
    """How plaintexts are written down."""
    return hashlib.sha256(plaintext).hexdigest()


def exactly(secrets: dict[str, bytes]) -> Expected:
    """These and no others."""
    return {name: {digest(plaintext)} for name, plaintext in secrets.items()}


def either(first: Expected, second: Expected) -> Expected:
    """Each secret as in the one or as in the other."""
    names = first.keys() | second.keys()
    return {name: first.get(name, {None}) | second.get(name, {None}) for name in names}


def open_with_cwt(ring: Ring, slot: bytes, name: str, birth: int, context: str | None, body: bytes) -> bytes:
    """One secret as a whole COSE message, opened by a library that knows nothing of keyroll."""
    generation = ring.generations[int.from_bytes(slot[:4], "big")]
    kid = ring.group + generation.number.to_bytes(4, "big")
    recipient = [b"", {1: -5, 4: kid}, slot[4:]]
    message = cbor2.loads(body + b"\x80").value[:3] + [[recipient]]
    aad = cbor2.dumps(["keyroll/1", ring.group, name, context, birth], canonical=True)
    key = COSEKey.new({1: 4, 3: -5, 2: kid, -1: generation.key})
    return COSE.new().decode(cbor2.dumps(cbor2.CBORTag(96, message), canonical=True), key, external_aad=aad)


def read_store(path: str, ring: Ring) -> tuple[dict[str, str], Counter]:
    """The digest of every secret, and how many each generation protects."""
    connection = open_database(path)
    connection.execute("BEGIN")
    [(group, per_page, fence)] = connection.execute("SELECT group_identity, slots_per_page, fence FROM store")
    demand(group == ring.group and fence in ring.generations, "the store's fence is not at a generation of the ring")
    slots = live_slots(connection, per_page)
    census = Counter(int.from_bytes(slot[:4], "big") for slot in slots.values())
    counted = dict(connection.execute("SELECT generation, live FROM census WHERE live <> 0"))
    demand(counted == dict(census), f"the counts say {counted}, the slots {dict(census)}")
    missing = set(census) - set(ring.generations)
    demand(not missing, f"slots name generations {missing}, whose keys are not there")
    keys = {}
    if len(slots) > FEW:
        for number in census:
            places = [place for place, slot in slots.items() if int.from_bytes(slot[:4], "big") == number]
            keys.update(zip(places, unwrap(ring.generations[number].key, [slots[place][4:] for place in places])))
    found = {}
    for place, name, birth, context, body in connection.execute("SELECT id, name, birth, context, body FROM secret"):
        demand(place in slots, f"{name} has no slot")
        slot = slots.pop(place)
        if place in keys:
            plaintext = open_content(ring, keys[place], name, birth, context, body)
        else:
            plaintext = open_with_cwt(ring, slot, name, birth, context, body)
        found[name] = digest(plaintext)
    demand(not slots, f"{len(slots)} slots are in use without a secret")
    connection.close()
    return found, census


def check_chain(path: str, is_torn: bool, first: int = 1, previous: str = "0" * 64) -> tuple[int, str]:
    """A file of lines, each with the hash of the one before; what follows the last new line was torn off.

    After a power cut (`is_torn`) what was not synced yet may be garbage, new lines in it or not.
    """
    number = first - 1
    with open(path, "rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):
                break
            try:
                entry = json.loads(line)
            except ValueError as error:
                if is_torn:
                    break
                raise Unsafe(f"{os.path.basename(path)}: line {number + 1} is none: {line[:80]!r}") from error
            demand(entry["number"] == number + 1, f"{path}: entry {number + 1} is missing")
            demand(entry["previous"] == previous, f"{path}: entry {number + 1} does not follow")
            number, previous = number + 1, hashlib.sha256(line[:-1]).hexdigest()
    return number, previous


def check_chains(home: str, is_torn: bool) -> None:
    """The evidence, and the segments of the audit log."""
    if os.path.exists(os.path.join(home, "evidence.jsonl")):
        check_chain(os.path.join(home, "evidence.jsonl"), is_torn)
    number, previous = 0, "0" * 64
    folder = os.path.join(home, "audit")
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if name.endswith(".jsonl"):
            demand(int(name[:20]) == number + 1, f"audit entry {number + 1} is missing")
            number, previous = check_chain(os.path.join(folder, name), is_torn, number + 1, previous)


def check_bundles(home: str, ring: Ring) -> None:
    """Each generation's bundle lies on the disk as it was verified: of one that is archived it is all there is."""
    for file, digests in ring.bundles.items():
        path = os.path.join(home, "bundles", file)
        demand(os.path.exists(path), f"the bundle {file} is gone")
        with open(path, "rb") as bundle:
            demand(hashlib.sha256(bundle.read()).digest() in digests, f"the bundle {file} is not the one that was verified")


def check_no_plaintext(home: str, plaintexts: list[bytes]) -> None:
    """No file has one of these in clear, as base64 or as hexadecimal digits."""
    # Shorter ones come up by chance.
    forms = [form for plaintext in plaintexts if len(plaintext) >= 16 for form in (
        plaintext[:64], base64.b64encode(plaintext[:63]), plaintext[:64].hex().encode())]
    for folder, _, names in os.walk(home):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                content = file.read()
            for form in forms:
                demand(form not in content, f"{name} holds a plaintext")


def check(
    home: str, expected: Expected, plaintexts: list[bytes] = [], is_torn: bool = False
) -> tuple[Ring, Counter]:
    """Raises `Unsafe` unless the home is safe. It works on a copy: the home stays as the crash left it."""
    check_no_plaintext(home, plaintexts)
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        copy = shutil.copytree(home, os.path.join(folder, "home"))
        try:
            ring, other = read_ring(copy), read_ring(copy, "keys-copy.sqlite")
            demand(other.sequence <= ring.sequence <= other.sequence + 1, "the ring's copies are more than a change apart")
            demand(ring.active, "no generation is active")
            found, census = read_store(os.path.join(copy, "secrets.sqlite"), ring)
            check_bundles(copy, ring)
            check_chains(copy, is_torn)
        except Unsafe:
            raise
        except Exception as error:
            raise Unsafe(f"the independent reader fails: {type(error).__name__}: {error}") from error
    for name, allowed in expected.items():
        state = found.pop(name, None)
        demand(state in allowed, f"{name} is " + ("lost" if state is None else "another plaintext, or should be gone"))
    demand(not found, f"{sorted(found)[:3]} should not be there")
    return ring, census
