"""What a peer in a library is: secrets as it stores them under an old key, and the same under a new one."""

from dataclasses import dataclass


@dataclass
class Library:
    """One peer whose users call it from a program."""

    name: str
    package: str
    # What it does to a secret, for the table.
    does: str
    # Makes (old, turn): old(count, size) gives stored secrets, turn(list) the same under the new key.
    make: object
    # Whether it does enough a second to run on the same number of secrets as keyroll.
    is_fast: bool = False
    # Whether it re-encrypts contents, or wraps keys only.
    takes_contents: bool = True
    # Ways to run it: see ways.py.
    ways: tuple = ("memory", "memory x 2")
    like: str = ""
    sizes: tuple = (256,)
    # Something that has to run beside it: a context manager that gives a word for `make`.
    beside: object = None
