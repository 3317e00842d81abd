"""How a row of the bars of island healing is judged: statistics over its runs, and shared bars.

A report is what `tombolo-sim` prints as JSON; a row has one per seed and variant. What was not reached
is infinite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Report = dict
Reports = list[Report]


@dataclass(frozen=True)
class Check:
    """One bar: what is measured, in words, and whether it is good enough."""

    what: str
    bar: str
    measured: Callable[[dict[str, Reports]], float]
    good: Callable[[float], bool] | None  # None: reported only


@dataclass(frozen=True)
class Row:
    """An experiment: for every seed one run of each of its variants."""

    name: str
    what: str
    variants: dict[str, Callable[[int], list[str]]]  # arguments of tombolo-sim by seed
    checks: Sequence[Check]
    most: int = 200  # seeds


# ---- Statistics of a variant. What was not reached is infinite.


def values(reports: Reports, key: str) -> list[float]:
    found = [report.get(key) for report in reports]
    return sorted(math.inf if value is None else float(value) for value in found)


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all do not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def at_quantile(key: str, share: float, variant: str = "") -> Callable[[dict[str, Reports]], float]:
    return lambda runs: quantile(values(runs[variant], key), share)


def largest(key: str, variant: str = "") -> Callable[[dict[str, Reports]], float]:
    return at_quantile(key, 1, variant)


def smallest(key: str, variant: str = "") -> Callable[[dict[str, Reports]], float]:
    return lambda runs: min(
        (report[key] for report in runs[variant] if report.get(key) is not None), default=math.nan
    )


def share_of(key: str, variant: str = "") -> Callable[[dict[str, Reports]], float]:
    return lambda runs: sum(bool(r.get(key)) for r in runs[variant]) / len(runs[variant])


def at_most(limit: float) -> Callable[[float], bool]:
    return lambda value: value <= limit


def all_of(value: float) -> bool:
    return value == 1


# ---- Bars that several rows share.


def healed(variant: str = "") -> Check:
    name = f"{variant}: " if variant else ""
    return Check(f"{name}seeds that heal", "all", share_of("healed", variant), all_of)


def ring(median: float, p99: float | None = None, variant: str = "") -> list[Check]:
    name = f"{variant}: " if variant else ""
    key = "ring_ok_delays"
    checks = [
        Check(
            f"{name}ring, median", f"<= {median}", at_quantile(key, 0.5, variant), at_most(median)
        )
    ]
    if p99 is not None:
        checks.append(
            Check(f"{name}ring, p99", f"<= {p99}", at_quantile(key, 0.99, variant), at_most(p99))
        )
    return checks


def tables(variant: str = "") -> list[Check]:
    name = f"{variant}: " if variant else ""
    return [
        Check(
            f"{name}false-empty before the refresh, most",
            "-",
            largest("false_empty_before_refresh", variant),
            None,
        ),
        Check(
            f"{name}false-empty after it, most",
            "0",
            largest("false_empty_buckets", variant),
            at_most(0),
        ),
    ]


def routable(variant: str = "") -> list[Check]:
    name = f"{variant}: " if variant else ""
    return [
        Check(
            f"{name}{when}, least",
            "1",
            smallest(f"{key}_ratio", variant),
            all_of,
        )
        for when, key in (
            ("routable while merging", "routable_during_merge"),
            ("routable after", "routable_after"),
        )
    ]


def delivered() -> Check:
    return Check(
        "sends delivered while merging, least", "-", smallest("delivered_during_merge_ratio"), None
    )


def messages(limit: float, refreshed: float | None = None) -> list[Check]:
    checks = [
        Check(
            "merge messages per node, most",
            f"<= {limit}",
            largest("messages_per_node"),
            at_most(limit),
        )
    ]
    if refreshed is not None:
        checks.append(
            Check(
                "with refresh, most",
                f"<= {refreshed}",
                lambda runs: max(
                    r["messages_per_node"] + r["refresh_messages_per_node"] for r in runs[""]
                ),
                at_most(refreshed),
            )
        )
    return checks


def per_small_node(limit: float) -> Check:
    return Check(
        "merge messages per node of the small island, most",
        f"<= {limit}",
        largest("messages_per_small_island_node"),
        at_most(limit),
    )
