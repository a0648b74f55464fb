"""Opens what `keyroll export --format cose` wrote with the COSE library `cwt`.

    open_cose.py HOME < EXPORT
    open_cose.py --key-file FILE < EXPORT     with one generation's key in hexadecimal digits, and no home

For each line it prints a JSON object: name, generation, birth, the plaintext in base64, a digest of the message
without its recipient, and whether the library refused another external_aad, another generation's key, and an altered
content.
"""

import base64
import hashlib
import json
import sys

import cbor2
from cwt import COSE, COSEKey

from ring import Generation, Ring, read_ring

A256GCM, A256KW = 3, -5


def refuses(message: bytes, key: COSEKey, aad: bytes) -> bool:
    """Whether the library does not open it."""
    try:
        COSE.new().decode(message, key, external_aad=aad)
    except Exception:
        return True
    return False


def open_line(line: dict, ring: Ring) -> dict:
    """Opens one exported secret."""
    message, aad = base64.b64decode(line["message"]), base64.b64decode(line["externalAAD"])
    tagged = cbor2.loads(message)
    assert tagged.tag == 96, "not COSE_Encrypt"
    assert cbor2.dumps(tagged, canonical=True) == message, "not deterministic CBOR"
    protected, unprotected, ciphertext, recipients = tagged.value
    assert cbor2.loads(protected)[1] == A256GCM and set(unprotected) == {5} and len(unprotected[5]) == 12
    [[empty, header, wrapped]] = recipients
    generation = ring.generations[line["generation"]]
    kid = ring.group + generation.number.to_bytes(4, "big")
    assert empty == b"" and header == {1: A256KW, 4: kid} and len(wrapped) == 40

    context = line["context"].encode() if "context" in line else None
    expected = ["keyroll/1", ring.group, line["name"], context, line["birth"]]
    assert cbor2.loads(aad) == expected and cbor2.dumps(expected, canonical=True) == aad

    key = COSEKey.from_symmetric_key(key=generation.key, alg="A256KW", kid=kid)
    plaintext = COSE.new().decode(message, key, external_aad=aad)
    other = cbor2.dumps(expected[:2] + [line["name"] + "x"] + expected[3:], canonical=True)
    wrong_key = COSEKey.from_symmetric_key(key=bytes(reversed(generation.key)), alg="A256KW", kid=kid)
    flipped = ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])
    altered = cbor2.dumps(cbor2.CBORTag(96, [protected, unprotected, flipped, recipients]), canonical=True)
    return {
        "name": line["name"],
        "generation": line["generation"],
        "birth": line["birth"],
        "plaintext": base64.b64encode(plaintext).decode(),
        "content": hashlib.sha256(cbor2.dumps([protected, unprotected, ciphertext], canonical=True)).hexdigest(),
        "wrappedKey": wrapped.hex(),
        "refusesOtherAAD": refuses(message, key, other) and refuses(message, key, b""),
        "refusesOtherKey": refuses(message, wrong_key, aad),
        "refusesAlteredContent": refuses(altered, key, aad),
    }


def ring_of_one(line: dict, key: bytes) -> Ring:
    """A ring that knows what the message's own kid says, and one key."""
    kid = cbor2.loads(base64.b64decode(line["message"])).value[3][0][1][4]
    number = int.from_bytes(kid[16:], "big")
    return Ring(kid[:16], 0, {number: Generation(number, b"", b"", (), key)})


def main() -> None:
    """Opens every line of standard input."""
    match sys.argv[1:]:
        case ["--key-file", path]:
            with open(path, encoding="ascii") as file:
                key = bytes.fromhex(file.read())
            ring = None
        case [home]:
            ring = read_ring(home)
        case _:
            sys.exit(__doc__)
    for text in sys.stdin:
        line = json.loads(text)
        print(json.dumps(open_line(line, ring or ring_of_one(line, key))))


if __name__ == "__main__":
    main()
