"""Whether a history could have been one after the other (linearizable): each secret is a register of its own.

An operation takes effect at one instant between its call and its answer. One whose answer never came (the process was
killed) may take effect at any time after its call, or never.
"""

import math
from dataclasses import dataclass

ABSENT = None


@dataclass(frozen=True)
class Operation:
    """One call and its answer."""

    writer: int
    # put, new, rm or get
    what: str
    name: str
    # What was written, or what was read.
    value: str | None
    start: float
    end: float = math.inf
    # ok, exists, absent; None where the answer never came.
    answer: str | None = None

    def step(self, state: str | None) -> tuple[bool, str | None]:
        """Whether the answer is right in this state, and the state after it."""
        match self.what:
            case "put":
                return self.answer in ("ok", None), self.value
            case "new":
                if state is ABSENT:
                    return self.answer in ("ok", None), self.value
                return self.answer in ("exists", None), state
            case "rm":
                return self.answer in ("absent" if state is ABSENT else "ok", None), ABSENT
            case "get":
                return self.value == state or self.answer is None, state
        raise ValueError(self.what)


def by_name(history: list[Operation]) -> dict[str, list[Operation]]:
    """The history of each secret: they do not depend on one another."""
    parts: dict[str, list[Operation]] = {}
    for one in history:
        parts.setdefault(one.name, []).append(one)
    return parts


def could_be(history: list[Operation], state: str | None) -> bool:
    """Searches an order for the history of one secret that begins in this state (Wing and Gong, with Lowe's memory)."""
    # Reads without an answer say nothing.
    operations = sorted((one for one in history if one.answer or one.what != "get"), key=lambda one: one.start)
    count = len(operations)
    done = (1 << count) - 1
    # What may be left out altogether.
    optional = sum(1 << index for index, one in enumerate(operations) if one.answer is None)
    seen: set[tuple[int, str | None]] = set()
    stack = [(0, state)]
    while stack:
        taken, now = stack.pop()
        if taken | optional == done:
            return True
        if (taken, now) in seen:
            continue
        seen.add((taken, now))
        # The next one has to have begun before any other one that is left has ended.
        first_end = min(one.end for index, one in enumerate(operations) if not taken >> index & 1)
        for index, one in enumerate(operations):
            if one.start > first_end:
                break
            if not taken >> index & 1:
                right, after = one.step(now)
                if right:
                    stack.append((taken | 1 << index, after))
    return False


def violations(history: list[Operation], initial: dict[str, str]) -> list[str]:
    """The secrets whose history could not have been."""
    return [
        name for name, part in sorted(by_name(history).items()) if not could_be(part, initial.get(name))]


def test_itself() -> None:
    """The checker finds what it is there for."""

    def history(*lines: tuple) -> list[Operation]:
        return [Operation(0, what, "n", value, start, end, answer) for what, value, start, end, answer in lines]

    write = ("put", "b", 1, 2, "ok")
    lost = history(write, ("get", "a", 3, 4, "ok"))
    assert not could_be(lost, "a") and could_be(lost, "b") is False
    assert could_be(history(("put", "b", 1, 4, "ok"), ("get", "a", 2, 3, "ok")), "a")
    # A deletion that comes back.
    assert not could_be(history(("rm", None, 1, 2, "ok"), ("get", "a", 3, 4, "ok")), "a")
    # A killed write: seen or not, but not seen and then unseen.
    killed = ("put", "b", 1, math.inf, None)
    assert could_be(history(killed, ("get", "a", 2, 3, "ok")), "a")
    assert could_be(history(killed, ("get", "b", 2, 3, "ok")), "a")
    assert not could_be(history(killed, ("get", "b", 2, 3, "ok"), ("get", "a", 4, 5, "ok")), "a")
    assert not could_be(history(("new", "b", 1, 2, "ok")), "a")
