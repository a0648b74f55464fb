"""Plots as SVG: small, the same bytes for the same figures, and readable on a light and on a dark page."""

import os

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({
    # Else identifiers are random, and a run that measured the same differs.
    "svg.hashsalt": "keyroll", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True,
})
# A grey that stands out from white and from black alike; there is no background.
GREY = "#808890"
for part in ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"):
    matplotlib.rcParams[part] = GREY
matplotlib.rcParams.update({"grid.color": GREY, "grid.alpha": 0.25})

from matplotlib import pyplot  # noqa: E402

OURS, THEIRS, SECOND = "#2f81f7", "#9a8fb8", "#d98032"


def draw(found: dict, folder: str) -> dict:
    """Writes one file for each plot whose part was measured; gives their paths by name."""
    makers = {"peers": peers, "stages": stages, "jobs": jobs, "growth": growth, "contents": contents}
    paths = {}
    for name, make in makers.items():
        if ("growth" if name == "contents" else name) not in found["parts"]:
            continue
        figure = make(found["parts"])
        paths[name] = os.path.join(folder, f"{name}.svg")
        figure.savefig(paths[name], transparent=True, bbox_inches="tight", metadata={"Date": None, "Creator": None})
        pyplot.close(figure)
    return paths


def peers(parts: dict):
    rows = [(f"{row['name']}  ({row['way']})", row["perSecond"], OURS if row["name"].startswith("keyroll") else
             SECOND if row["durable"] else THEIRS)
            for row in [{**row, "durable": True} for row in parts["peers"]["keyroll"]] + best(parts["peers"]["rows"])]
    return bars(sorted(rows, key=lambda row: row[1]), "secrets a second (each step of the grid: ten times)",
                {"keyroll, durable": OURS, "peer, durable (SQLite)": SECOND, "peer, in memory or files": THEIRS})


def best(rows: list) -> list:
    """The fastest size of each way."""
    kept = {}
    for row in rows:
        key = row["name"], row["way"]
        if key not in kept or row["perSecond"] > kept[key]["perSecond"]:
            kept[key] = row
    return list(kept.values())


def stages(parts: dict):
    rows = [(f"{row['stage']}{' (' + row['store'] + ')' if row['store'] else ''}", row["perSecond"],
             SECOND if row["store"] == "PostgreSQL" else OURS if row["unit"] == "secrets" else THEIRS)
            for row in parts["stages"]["rows"] if row["unit"] != "bytes"]
    return bars(rows[::-1], "a second, on one core (each step of the grid: ten times)",
                {"secrets": OURS, "secrets, PostgreSQL": SECOND, "messages (CMS)": THEIRS})


def bars(rows: list, label: str, colours: dict):
    figure, axes = pyplot.subplots(figsize=(7.5, 0.27 * len(rows) + 0.9))
    axes.barh([row[0] for row in rows], [row[1] for row in rows], color=[row[2] for row in rows], height=0.7)
    axes.set_xscale("log")
    axes.grid(axis="y", visible=False)
    axes.margins(y=0.01)
    axes.set_xlim(right=max(row[1] for row in rows) * 12)
    for place, row in enumerate(rows):
        axes.text(row[1] * 1.1, place, short(row[1]), va="center", fontsize=9)
    axes.set_xlabel(label)
    legend(axes, [matplotlib.patches.Patch(color=colour, label=name) for name, colour in colours.items()])
    return figure


def jobs(parts: dict):
    rows = parts["jobs"]["rows"]
    names = list(dict.fromkeys(row["job"] for row in rows))[::-1]
    figure, axes = pyplot.subplots(figsize=(7.5, 0.42 * len(names) + 0.9))
    for store, colour, shift in (("SQLite", OURS, 0.2), ("PostgreSQL", SECOND, -0.2)):
        found = {row["job"]: row["seconds"] for row in rows if row["store"] == store}
        places = [place + shift for place, name in enumerate(names) if name in found]
        values = [found[name] for name in names if name in found]
        axes.barh(places, values, height=0.38, color=colour, label=store)
        for place, value in zip(places, values):
            axes.text(value * 1.08, place, f"{value:.2g} s", va="center", fontsize=8)
    axes.set_yticks(range(len(names)), names)
    axes.set_xscale("log")
    axes.set_xlim(right=max(row["seconds"] for row in rows) * 4)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(f"seconds for {parts['jobs']['secrets']:,} secrets, whole process")
    legend(axes, None)
    return figure


def growth(parts: dict):
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(8.5, 3.4))
    for store, line, mark in (("SQLite", "-", "o"), ("PostgreSQL", "--", "s")):
        rows = [row for row in parts["growth"]["stores"] if row["store"] == store]
        counts = [row["secrets"] for row in rows]
        for name, key, colour in (("rotate", "rotatePerSecond", OURS), ("verify", "verifyPerSecond", THEIRS),
                                  ("import", "importPerSecond", SECOND)):
            left.plot(counts, [row[key] for row in rows], line, color=colour, marker=mark, markersize=4,
                      label=f"{name}, {store}")
        right.plot(counts, [row["rotatePeakMiB"] for row in rows], line, color=OURS, marker=mark, markersize=4,
                   label=f"rotate, {store}")
        right.plot(counts, [row["verifyPeakMiB"] for row in rows], line, color=THEIRS, marker=mark, markersize=4,
                   label=f"verify, {store}")
    for axes, label in ((left, "secrets a second"), (right, "peak memory, MiB")):
        axes.set_xscale("log")
        axes.set_xlabel("secrets in the store")
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(lambda value, _: short(value))
        legend(axes, None)
    figure.tight_layout()
    return figure


def contents(parts: dict):
    rows = parts["growth"]["contents"]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(8.5, 3.2))
    lengths = [row["length"] for row in rows]
    left.plot(lengths, [row["rotateWrittenBytesPerSecret"] for row in rows], color=OURS, marker="o", markersize=4,
              label="written by rotate")
    left.plot(lengths, lengths, color=GREY, linestyle=":", label="the content itself")
    left.set_ylabel("bytes a secret")
    left.set_yscale("log")
    for name, key, colour in (("re-encrypt", "reencryptMiBs", OURS), ("verify", "verifyMiBs", THEIRS),
                              ("import", "importMiBs", SECOND)):
        right.plot(lengths, [row[key] for row in rows], color=colour, marker="o", markersize=4, label=name)
    right.set_ylabel("MiB a second")
    right.set_ylim(bottom=0)
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        axes.set_xticks(lengths, ["64 B", "1 KiB", "64 KiB", "1 MiB"][:len(lengths)])
        axes.set_xlabel("length of a content")
        legend(axes, None)
    figure.tight_layout()
    return figure


def legend(axes, handles) -> None:
    axes.legend(handles=handles, fontsize=8, frameon=False, loc="best") if handles else axes.legend(
        fontsize=8, frameon=False, loc="best")


def short(value: float) -> str:
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:.3g} {name}"
    return f"{value:.3g}"
