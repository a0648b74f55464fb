"""Draws the plots and writes the page of a run: python -m bench.draw bench.json RESULTS.md"""

import json
import os
import sys

from . import page, plots


def main() -> None:
    source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        found = json.load(file)
    pictures = plots.draw(found, os.path.dirname(source))
    base = os.path.dirname(os.path.abspath(target))
    links = {name: os.path.relpath(path, base) for name, path in pictures.items()}
    with open(target, "w", encoding="utf-8") as file:
        file.write(page.text(found, links, os.path.relpath(source, base)))


main()
