"""Jobs as whole processes on a home, each checked: what was not done is not measured."""

import os

from home import Failure


def settled(home) -> None:
    """What earlier runs left to be written is nobody's to wait for."""
    if hasattr(home, "settle"):
        home.server.checkpoint()
    os.sync()


def rotate(home, count: int, *options: str):
    settled(home)
    used = home.run("rotate", "--force", "--json", *options)
    moved(used, count, "rotate")
    return used


def reencrypt(home, count: int, *options: str):
    """Everything: the newest generation is said to be compromised."""
    settled(home)
    used = home.run("reencrypt", "--compromised", str(newest(home)), "--json", *options)
    moved(used, count, "reencrypt")
    return used


def verify(home, count: int, *options: str):
    settled(home)
    used = home.run("verify", "--json", *options)
    if used.output["current"] + used.output["moved"] < count:
        raise Failure(f"verify opened {used.output['current']} of {count}")
    return used


def newest(home) -> int:
    """The number of the active generation."""
    for generation in home.run("status", "--json", needs_success=False).output["generations"]:
        if generation["state"] == "active":
            return generation["number"]
    raise Failure("no generation is active")


def moved(used, count: int, job: str) -> None:
    if used.output["moved"] != count:
        raise Failure(f"{job} moved {used.output['moved']} of {count}")
