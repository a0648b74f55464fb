"""The run's tables and bars: text for people, JSON for machines."""

import json
import operator
import os
import platform
import time

SIGNS = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}


class Report:
    """Collects what the parts measured, in order."""

    def __init__(self):
        self.parts = []
        self.bars = []
        self.notes = []
        self.machine = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "processor": processor(),
            "cores": os.cpu_count(),
            "kernel": platform.release(),
            "loadBefore": os.getloadavg(),
        }

    def table(self, title: str, columns: list[str], rows: list[list]) -> None:
        self.parts.append({"title": title, "columns": columns, "rows": rows})

    def bar(self, name: str, value: float, sign: str, limit: float) -> None:
        self.bars.append(
            {"name": name, "value": value, "sign": sign, "bar": limit, "holds": bool(SIGNS[sign](value, limit))})

    def note(self, name: str, value: float) -> None:
        self.notes.append({"name": name, "value": value})

    @property
    def all_hold(self) -> bool:
        return all(bar["holds"] for bar in self.bars)

    def show(self) -> None:
        for part in self.parts:
            print(f"\n{part['title']}")
            print(aligned([part["columns"], *([shown(cell) for cell in row] for row in part["rows"])]))
        if self.bars or self.notes:
            rows = [[bar["name"], shown(bar["value"]), f"{bar['sign']} {shown(bar['bar'])}",
                     "yes" if bar["holds"] else "NO"] for bar in self.bars]
            rows += [[note["name"], shown(note["value"]), "", ""] for note in self.notes]
            print(f"\n{aligned([['bar', 'measured', 'bar', 'holds'], *rows])}")
        before = " ".join(f"{load:.2f}" for load in self.machine["loadBefore"])
        after = " ".join(f"{load:.2f}" for load in os.getloadavg())
        print(f"\n{self.machine['processor']}, {self.machine['cores']} cores, Linux {self.machine['kernel']}")
        print(f"{self.machine['time']}, load average {before} before, {after} after", flush=True)

    def write(self, path: str, benchmark: str = "scale", **more) -> None:
        document = {
            "benchmark": benchmark, "format": 1, **more, "machine": {**self.machine, "loadAfter": os.getloadavg()},
            "parts": self.parts, "bars": self.bars, "notes": self.notes,
        }
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)
            file.write("\n")


def aligned(rows: list[list[str]]) -> str:
    """Columns of text, the first to the left."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) if column == 0 else cell.rjust(width)
                 for column, (cell, width) in enumerate(zip(row, widths))]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def shown(value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}"


def processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return "unknown processor"
