"""Turns a home into what the first keyroll wrote: format 1 of the ring, without bundles, signer and evidence.

    format1.py HOME

The document of format 1 knows no recipients, signer and copies; its generations no bundle, restoration and
destruction; its policy no destroyRetention and rehearsalPeriod. Its MAC is made anew with the root key.
"""

import hashlib
import hmac
import os
import shutil
import sqlite3
import sys

import cbor2

from ring import derive, root_key

GENERATION = {"number", "identity", "checkValue", "archived", "sealed", "history"}
POLICY = {"cryptoperiod", "propagationDelay", "soakTime", "keepDeactivated"}
RING = {"group", "name", "sequence", "highest"}


def only(pairs: dict, names: set) -> dict:
    """These pairs alone."""
    return {name: pairs[name] for name in names}


def downgrade(home: str, file: str) -> None:
    """Writes one copy of the ring as format 1."""
    with sqlite3.connect(os.path.join(home, file)) as connection:
        [(sequence, group, check, parameters, document)] = connection.execute(
            "SELECT sequence, group_identity, root_key_check, root_key_parameters, document FROM ring"
        )
        ring = cbor2.loads(document)
        assert ring["format"] == 2
        older = only(ring, RING)
        older["format"] = 1
        older["policy"] = only(ring["policy"], POLICY)
        older["generations"] = [only(one, GENERATION) for one in ring["generations"]]
        document = cbor2.dumps(older, canonical=True)
        key = derive(root_key(home), f"keyroll/1 authenticate ring of group {group.hex()}")
        covered = cbor2.dumps(["keyroll/1 ring", sequence, group, check, parameters, document], canonical=True)
        mac = hmac.new(key, covered, hashlib.sha256).digest()
        connection.execute("UPDATE ring SET document = ?, mac = ?", (document, mac))
    connection.close()


def main() -> None:
    """See above."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    home = sys.argv[1]
    for file in ("keys.sqlite", "keys-copy.sqlite"):
        downgrade(home, file)
    for folder in ("bundles", "identity"):
        shutil.rmtree(os.path.join(home, folder))
    if os.path.exists(os.path.join(home, "evidence.jsonl")):
        os.remove(os.path.join(home, "evidence.jsonl"))


if __name__ == "__main__":
    main()
