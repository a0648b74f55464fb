"""R8: too little memory, at twenty levels: whatever becomes of the process, the secrets are safe."""

import resource

from bench import Bench
from life import named
from safety import check

LEVELS = 20


def run(bench: Bench, jobs: str = "rotate,import,reencrypt") -> dict:
    """Each level, from one at which the program hardly starts to one at which it is done."""
    result = {}
    for job in named(jobs):
        template = bench.template(job)

        def with_limit(mebibytes: int) -> int:
            with bench.scratch(f"memory {job.name} {mebibytes}") as path:
                world = template.world.copy(path)
                limit = mebibytes << 20
                outcome = bench.keyroll.run(
                    world.home, job.arguments(world), data=job.data,
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
                check(world.home, job.after if outcome.code == 0 else job.during, job.secrets)
                bench.come_back(template, world)
                return outcome.code

        # The least that is enough, by halving.
        low, high = 16, 4096
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if with_limit(middle) == 0 else (middle, high)
        codes: dict[str, int] = {}
        for level in range(LEVELS):

            def body() -> None:
                code = str(with_limit(max(16, high * (level + 1) // LEVELS)))
                codes[code] = codes.get(code, 0) + 1

            bench.attempt(f"{job.name}, memory level {level}", body)
        result[job.name] = {"levels": LEVELS, "enough from MiB": high, "exits": codes}
    return result
