"""What a run found: parts for people to read, ratios for the comparison with another run, bars."""

import json
import statistics


class Document:
    """Filled part by part; written as JSON."""

    def __init__(self, kind: str, machine: dict):
        self.content = {"benchmark": "bench", "format": 1, "kind": kind, "machine": machine, "parts": {}, "ratios": {},
                        "bars": []}

    def __getitem__(self, name: str):
        return self.content[name]

    def __setitem__(self, name: str, value) -> None:
        self.content[name] = value

    @property
    def parts(self) -> dict:
        return self.content["parts"]

    def ratio(self, part: str, name: str, values: list, better: str = "higher") -> None:
        """A figure that another machine can be held against, once a round; `part` is what measures it again."""
        self.content["ratios"][name] = {
            "part": part, "better": better, "median": statistics.median(values), "values": values}

    def bar(self, name: str, value: float, least, values: list, against: str = "", sign: str = ">=") -> None:
        """A promise; `least` is None for a ratio that is shown beside the bars and promises nothing."""
        holds = None if least is None else value >= least if sign == ">=" else value <= least
        self.content["bars"].append({"name": name, "value": value, "sign": sign, "bar": least, "holds": holds,
                                     "values": values, "against": against})

    def write(self, path: str) -> None:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(rounded(self.content), file, indent=1, ensure_ascii=False)
            file.write("\n")


def rounded(value):
    """Five digits tell everything that such a measurement can tell."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item) for item in value]
    return value
