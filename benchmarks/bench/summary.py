"""Medians and percentiles."""

import math
import statistics


def percentile(values: list, share: float) -> float:
    """The smallest value that `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def spread(values: list) -> dict:
    return {"median": statistics.median(values), "smallest": min(values), "largest": max(values), "rounds": len(values)}


def quotients(left: list, right: list) -> list:
    """Round by round: what slows a whole round cancels out."""
    return [one / other for one, other in zip(left, right)]
