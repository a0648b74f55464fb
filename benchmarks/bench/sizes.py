"""How much is measured: the whole run, and a quick one for development and `make bench-check`."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Sizes:
    name: str
    # Secrets of the jobs and of the comparison with peers.
    main: int
    # Secrets as the store grows, embedded and on a server.
    growth: tuple
    served_growth: tuple
    # (length of a content, secrets)
    contents: tuple
    # Secrets of 256 bytes for the stages, and rounds through them.
    stage_secrets: int
    stage_rounds: int
    # Rounds of RotationBenchmark, and of a job as a whole process.
    bare_rounds: int
    rounds: int
    # Seconds that a slow peer has, one that does less than the whole number in it.
    peer_seconds: float
    # Times that a peer that a bar is about is measured beside keyroll.
    pairs: int
    openssl_seconds: int


FULL = Sizes(
    name="full", main=1_000_000, growth=(100_000, 1_000_000, 10_000_000), served_growth=(100_000, 1_000_000, 10_000_000),
    contents=((64, 200_000), (1024, 200_000), (64 << 10, 10_000), (MIB, 1_000)), stage_secrets=300_000, stage_rounds=6,
    bare_rounds=4, rounds=5, peer_seconds=3, pairs=3, openssl_seconds=1)

QUICK = Sizes(
    name="quick", main=200_000, growth=(50_000, 200_000), served_growth=(50_000,),
    contents=((64, 20_000), (1024, 20_000), (64 << 10, 1_000), (MIB, 60)), stage_secrets=60_000, stage_rounds=3,
    bare_rounds=3, rounds=3, peer_seconds=0.5, pairs=3, openssl_seconds=1)
