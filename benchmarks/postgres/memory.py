"""Memory and rates of whole processes, as stores grow: import, rotate, verify, re-encrypt."""

import statistics
import sys

MILLION = 1_000_000


def run(homes, report) -> None:
    peaks = []
    for count in homes.sizes:
        print(f"memory: {count} secrets", file=sys.stderr)
        home = homes.of(count)
        rows = []
        for name, times, words in (
                ("rotate", 5 if count <= MILLION else 3, ("rotate", "--force")), ("verify", 2, ("verify",))):
            used = [measured(home, count, *words) for _ in range(times)]
            rows.append(row(name, count, used))
        if count <= MILLION:
            number = used[-1].output["generation"]
            rows.append(row("reencrypt", count, [measured(home, count, "reencrypt", "--compromised", str(number))]))
        report.table(
            f"{count} secrets, whole processes; CPU in us a secret",
            ["what", "s", "secrets/s", "peak MiB", "client CPU", "server CPU"], rows)
        report.note(f"import of {count}, names in order, a second", homes.imports[count])
        peaks.append(max(line[3] for line in rows))
        report.bar(f"peak memory of a process at {count}, MiB", peaks[-1], "<=", 96)


def measured(home, count, *words):
    home.server.checkpoint()
    before = home.server.cpu_seconds()
    used = home.run(*words, "--json")
    used.server_cpu = home.server.cpu_seconds() - before
    return used


def row(name, count, used):
    def median(values):
        return statistics.median(values)

    seconds = median(one.seconds for one in used)
    return [name, seconds, count / seconds, max(one.peak_mib for one in used),
            median(one.cpu_seconds for one in used) / count * 1e6, median(one.server_cpu for one in used) / count * 1e6]
