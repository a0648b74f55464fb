"""Writes secrets as JSON Lines to standard output: generate.py COUNT [--scattered] [--but-every N] [--bytes LENGTH].

Names ascend, as an exported list does; with --scattered they come in no order, with --but-every each Nth is left out.
Secrets are text of 64 characters, or with --bytes random bytes of that length in base64.
"""

import argparse
import base64
import os
import sys


def text_lines(count: int, scattered: bool, left_out: int) -> None:
    """Many a write, since the importer is faster than a line at a time."""
    prefix = os.urandom(28).hex()
    for first in range(0, count, 20_000):
        numbers = range(first, min(first + 20_000, count))
        if left_out:
            numbers = [number for number in numbers if number % left_out]
        # An odd multiplier makes a permutation of the 32-bit numbers, so that no name comes twice.
        names = [number * 2654435761 & 0xFFFFFFFF for number in numbers] if scattered else numbers
        sys.stdout.write("".join(
            f'{{"name":"app/{name:010d}","secret":"{prefix}{number:08d}"}}\n' for name, number in zip(names, numbers)))


def large_lines(count: int, length: int) -> None:
    """One random block, of which each secret changes the first bytes."""
    block = base64.b64encode(os.urandom(length)).decode()
    for number in range(count):
        start = base64.b64encode(number.to_bytes(12, "big")).decode()
        sys.stdout.write(f'{{"name":"file/{number:010d}","secretBase64":"{start}{block[len(start):]}"}}\n')


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("--scattered", action="store_true")
    parser.add_argument("--but-every", type=int, default=0)
    parser.add_argument("--bytes", type=int)
    arguments = parser.parse_args()
    if arguments.bytes:
        large_lines(arguments.count, arguments.bytes)
    else:
        text_lines(arguments.count, arguments.scattered, arguments.but_every)


main()
