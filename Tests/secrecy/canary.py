"""Bytes that must not be found, in every form in which somebody might have written them down."""

import base64
import secrets
import string
from dataclasses import dataclass


@dataclass(frozen=True)
class Canary:
    """A secret of a test; 16 bytes of it in a row count as found."""

    name: str
    data: bytes

    @staticmethod
    def text(name: str) -> "Canary":
        """64 letters and digits: a plaintext or a passphrase."""
        alphabet = string.ascii_letters + string.digits
        return Canary(name, "".join(secrets.choice(alphabet) for _ in range(64)).encode())

    def forms(self) -> list[bytes]:
        """Raw, hexadecimal and base64 (whatever comes before it), in windows of 16 bytes."""
        found = []
        for start in range(0, len(self.data) - 15, 16):
            window = self.data[start : start + 16]
            found += [window, window.hex().encode(), window.hex().upper().encode()]
            for shift in range(3):
                coded = base64.b64encode(bytes(shift) + window)
                # The first and last characters depend on the neighbours.
                found += [coded[4:20], coded[4:20].translate(bytes.maketrans(b"+/", b"-_"))]
        return found


def raw(content: bytes, canaries: list[Canary]) -> set[str]:
    """The canaries that are in these bytes as they are: for what is large."""
    return {one.name for one in canaries if any(one.data[at : at + 16] in content for at in range(0, len(one.data) - 15, 16))}


def hits(content: bytes, canaries: list[Canary]) -> set[str]:
    """The canaries that are in these bytes."""
    return {one.name for one in canaries if any(form in content for form in one.forms())}
