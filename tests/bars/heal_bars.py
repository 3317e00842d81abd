"""The bars of island healing: runs `tombolo-sim bench heal` over many seeds and judges every row.

    python3 tests/bars/heal_bars.py [--row NAME ...] [--seeds N] [--first S] [--jobs J] [--build DIR]

Each row is one experiment and its bars; `--list` shows them. Seeds are `--first` to `--first` + N - 1,
5 by default; the stated bars are for 200 (1,000 for `mixed`), and expensive rows stop at fewer, which
the table says. Times are in mean one-way delays of the simulated network unless they carry a unit;
counts are exact. A run that never gets there counts as infinite. The table, in Markdown, comes row by
row, with one line for each seed that did not heal, to be repeated as it stands.

At most two runs at a time, so that CPU times mean something; nothing is built. Needs only Python and
a finished build (build/release by default).
Exit status: 0 every bar is met, 1 one is not, 2 bad usage or no program.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = "sim/tombolo-sim"
MOST_JOBS = 2
JITTER = ("--set", "latency.model=uniform", "--set", "latency.shortest_ms=25")
JITTER += ("--set", "latency.longest_ms=75")

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


@dataclass
class Tally:
    """What the runs of a row have come to."""

    reports: dict[str, Reports] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


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


# ---- The experiments.


def heal(*arguments: str) -> Callable[[int], list[str]]:
    return lambda seed: ["bench", "heal", "--json", *arguments, "--seed", str(seed)]


def two_islands(k: int, *more: str) -> Callable[[int], list[str]]:
    return heal("--peers", "10240", "--set", f"kademlia.k={k}", *more)


def two_rows() -> list[Row]:
    rows = []
    for k in (8, 20):
        rows.append(
            Row(
                f"two-k{k}",
                f"2 x 5,120, k = {k}, one bridge",
                {"": two_islands(k)},
                [
                    healed(),
                    *ring(32, 40),
                    *messages(4, 8),
                    Check(
                        "busiest node, most", "<= 20", largest("busiest_node_messages"), at_most(20)
                    ),
                    *tables(),
                    *routable(),
                    delivered(),
                ],
            )
        )
        rows.append(
            Row(
                f"split-k{k}",
                f"10,240 cut in halves for 75 minutes, k = {k}",
                {"": two_islands(k, "--start", "split")},
                [
                    Check("seeds that heal", "-", share_of("healed"), None),
                    Check("ring, median", "-", at_quantile("ring_ok_delays", 0.5), None),
                    Check("detected, s, p50", "-", at_quantile("detected_seconds", 0.5), None),
                    Check("merge messages per node, most", "-", largest("messages_per_node"), None),
                    Check("false-empty, most", "-", largest("false_empty_buckets"), None),
                    Check("routable after, least", "-", smallest("routable_after_ratio"), None),
                ],
                most=5,
            )
        )
        stale = ("--dead", "0.05")
        for name, what, loss, median in (
            ("stale", "5 % stale entries", (), 70),
            ("stale-loss", "5 % stale entries, 20 % loss", ("--loss", "0.2"), 150),
        ):
            rows.append(
                Row(
                    f"{name}-k{k}",
                    f"2 x 5,120, k = {k}, {what}",
                    {"": two_islands(k, *stale, *loss)},
                    [healed(), *ring(median), *tables(), *routable()[1:]],
                )
            )
        rows.append(loss_row(k))
    return rows


def loss_row(k: int) -> Row:
    def ratio(share: float) -> Callable[[dict[str, Reports]], float]:
        key = "ring_ok_delays"
        return lambda runs: (
            quantile(values(runs["loss"], key), share) / quantile(values(runs["none"], key), 0.5)
        )

    return Row(
        f"loss-k{k}",
        f"2 x 5,120, k = {k}, delays .5 to 1.5, 20 % loss against none",
        {"none": two_islands(k, *JITTER), "loss": two_islands(k, *JITTER, "--loss", "0.2")},
        [
            healed("loss"),
            Check("ring, median / lossless median", "<= 2.3", ratio(0.5), at_most(2.3)),
            Check("ring, p99 / lossless median", "<= 2.8", ratio(0.99), at_most(2.8)),
            *tables("loss"),
        ],
        most=100,
    )


def several_rows() -> list[Row]:
    rows = []
    for topology in ("hub", "chain"):
        rows.append(
            Row(
                f"four-{topology}",
                f"4 x 2,560 at once, {topology} of bridges, k = 8",
                {"": two_islands(8, "--islands", "4", "--topology", topology)},
                [
                    healed(),
                    *ring(40),
                    Check("ring, most", "<= 40", largest("ring_ok_delays"), at_most(40)),
                    *tables(),
                    *routable(),
                    Check("merge messages per node, most", "-", largest("messages_per_node"), None),
                    Check("busiest node, most", "-", largest("busiest_node_messages"), None),
                ],
            )
        )
    return rows


def size_rows() -> list[Row]:
    small = ("--sizes", "1043,9197")
    tiny = ("--sizes", "66,65470")
    return [
        Row(
            "unequal",
            "1,043 against 9,197, k = 8",
            {"": heal(*small, "--set", "kademlia.k=8")},
            [healed(), per_small_node(20), *ring(40), *tables()],
        ),
        Row(
            "tiny",
            "66 against 65,470, k = 8",
            {"": heal(*tiny, "--set", "kademlia.k=8")},
            [healed(), per_small_node(60), *ring(40), *tables()],
            most=20,
        ),
        Row(
            "large",
            "2 x 65,536, k = 20",
            {"": heal("--peers", "131072")},
            [
                healed(),
                *ring(40),
                Check("ring, most", "<= 40", largest("ring_ok_delays"), at_most(40)),
                *tables(),
            ],
            most=10,
        ),
        Row(
            "alarms",
            "10 false alarms among 10,240, k = 8",
            {"": two_islands(8, "--islands", "1", "--false-alarms", "10")},
            [Check("messages in total, most", "<= 60", largest("merge_messages"), at_most(60))],
        ),
        Row(
            "million",
            "1,048,576 in halves, k = 8",
            {"": heal("--peers", "1048576", "--set", "kademlia.k=8")},
            [
                healed(),
                *ring(60),
                *messages(8),
                *tables(),
                Check("CPU after set-up, s, most", "<= 90", largest("cpu_seconds"), at_most(90)),
            ],
            most=1,
        ),
    ]


def mixed_arguments(seed: int) -> list[str]:
    """Everything that may be wrong at once, drawn from the seed, with 512 peers."""
    draw = random.Random(seed)
    cuts = sorted(draw.sample(range(1, 512 // 8), draw.randint(3, 8) - 1))
    sizes = [8 * (end - begin) for begin, end in zip([0, *cuts], [*cuts, 64], strict=True)]
    arguments = ["--sizes", ",".join(map(str, sizes)), "--missing", "0.05"]
    arguments += ["--churn-half-life", "1800", "--topology", draw.choice(["hub", "chain"])]
    arguments += ["--start", draw.choice(["separate", "split"]), "--cut", "600"]
    arguments += ["--limit", "7200"]
    arguments += ["--set", f"kademlia.k={draw.choice([8, 20])}"]
    links = draw.choice(["even", "latency", "one-way"])
    if links == "latency":
        arguments += [*JITTER, "--set", "latency.asymmetry=0.8"]
    if links == "one-way":
        arguments += ["--one-way", str(draw.choice([5, 30, 90]))]
    return heal(*arguments)(seed)


def mixed_row() -> Row:
    return Row(
        "mixed",
        "n = 512, 3 to 8 unequal islands, 5 % of contacts missing, half-life 30 min, asymmetry",
        {"": mixed_arguments},
        [
            healed(),
            *tables(),
            Check("routable after, least", "1", smallest("routable_after_ratio"), all_of),
        ],
        most=1000,
    )


def detection_rows() -> list[Row]:
    rows = []
    for peers in (100, 500, 2000):
        rows.append(
            Row(
                f"detection-{peers}",
                f"{peers} cut in halves, the path returns",
                {"": heal("--peers", str(peers), "--start", "split")},
                [
                    Check(
                        "detected, s, p50", "<= 2", at_quantile("detected_seconds", 0.5), at_most(2)
                    ),
                    Check(
                        "detected, s, p99",
                        "<= 10",
                        at_quantile("detected_seconds", 0.99),
                        at_most(10),
                    ),
                    Check("detected, s, most", "-", largest("detected_seconds"), None),
                    healed(),
                ],
            )
        )
    return rows


# Half of all die at once; what is said from then on.
FAILURE = """
peers = {peers}
overlay = "both"
duration_s = {seconds}
[heal]
enabled = {heals}
[[at]]
time_s = 0.001
crash = 0.5
[report]
check_peers = 0
check_lookups = 0
"""


def failure_row(peers: int, minutes: int, most: int) -> Row:
    folder = Path(tempfile.gettempdir())

    def run(heals: str) -> Callable[[int], list[str]]:
        scenario = FAILURE.format(peers=peers, seconds=minutes * 60, heals=heals)
        path = folder / f"tombolo-failure-{peers}-{minutes}-{heals}.toml"

        def arguments(seed: int) -> list[str]:
            path.write_text(scenario)
            return ["run", str(path), "--quiet", "--report", "/dev/stdout", "--seed", str(seed)]

        return arguments

    def added(share: float) -> Callable[[dict[str, Reports]], float]:
        def measure(runs: dict[str, Reports]) -> float:
            pairs = zip(runs["on"], runs["off"], strict=True)
            return quantile(sorted(a["messages"] / b["messages"] - 1 for a, b in pairs), share)

        return measure

    return Row(
        f"failure-{peers}-{minutes}",
        f"half of {peers} die, {minutes} minutes with healing against without",
        {"on": run("true"), "off": run("false")},
        [
            Check("messages added, median", "<= 0.05", added(0.5), at_most(0.05)),
            Check("messages added, most", "<= 0.05", added(1), at_most(0.05)),
        ],
        most=most,
    )


def all_rows() -> list[Row]:
    failures = [failure_row(*case) for case in ((100, 10, 50), (100, 60, 20), (1000, 10, 20))]
    failures += [failure_row(10_000, 10, 3)]
    return [*two_rows(), *several_rows(), *size_rows(), mixed_row(), *detection_rows(), *failures]


# ---- Running and telling.


def run_one(program: Path, arguments: list[str]) -> tuple[Report, str]:
    """The report, and the command if the run says that it fell short."""
    done = subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True)
    command = f"tombolo-sim {shlex.join(arguments)}"
    if done.returncode not in (0, 1) or not done.stdout:
        sys.exit(f"heal_bars.py: {command}: exit status {done.returncode}\n{done.stderr}")
    short = f"{command}  # {done.stderr.strip()}" if done.returncode == 1 else ""
    return json.loads(done.stdout), short


def measure(row: Row, program: Path, seeds: Sequence[int], jobs: int) -> Tally:
    work = [(name, make(seed)) for seed in seeds for name, make in row.variants.items()]
    tally = Tally({name: [] for name in row.variants})
    with ThreadPoolExecutor(jobs) as pool:
        results = pool.map(lambda item: run_one(program, item[1]), work)
        for (name, _), (report, short) in zip(work, results, strict=True):
            tally.reports[name].append(report)
            if short:
                tally.failures.append(short)
    return tally


def tell(row: Row, tally: Tally, seeds: int) -> bool:
    """Prints the rows of the table; true if all bars are met."""
    good = True
    for check in row.checks:
        value = check.measured(tally.reports)
        verdict = "-"
        if check.good is not None:
            met = check.good(value)
            good = good and met
            verdict = "met" if met else "MISSED"
        print(
            f"| {row.name} | {row.what} | {seeds} | {check.what} | {check.bar} | {value:.4g} | {verdict} |"
        )
    for failure in tally.failures:
        print(f"|  | `{failure}` |  |  |  |  |  |")
    sys.stdout.flush()
    return good


def arguments_of(rows: dict[str, Row]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--row", action="append", metavar="NAME", help="only this; may be repeated")
    parser.add_argument("--seeds", type=int, default=5, help="at most, per row (5)")
    parser.add_argument("--first", type=int, default=1, help="first seed (1)")
    parser.add_argument("--jobs", type=int, default=1, choices=range(1, MOST_JOBS + 1))
    parser.add_argument(
        "--build", default="build/release", help="build tree with tombolo-sim in it"
    )
    parser.add_argument("--list", action="store_true", help="names the rows and ends")
    arguments = parser.parse_args()
    for name in arguments.row or []:
        if name not in rows:
            parser.error(f"no row '{name}'; there are {', '.join(rows)}")
    if arguments.seeds < 1:
        parser.error("--seeds: at least 1")
    return arguments


def main() -> int:
    rows = {row.name: row for row in all_rows()}
    arguments = arguments_of(rows)
    if arguments.list:
        for row in rows.values():
            print(f"{row.name:18} {row.what}; at most {row.most} seeds")
        return 0
    program = ROOT / arguments.build / PROGRAM
    if not program.exists():
        print(f"heal_bars.py: {program} is not there: run ./dev build", file=sys.stderr)
        return 2
    print("| row | what | seeds | measure | bar | measured | verdict |\n|--|--|--|--|--|--|--|")
    good = True
    for name in arguments.row or rows:
        row = rows[name]
        seeds = range(arguments.first, arguments.first + min(arguments.seeds, row.most))
        good = tell(row, measure(row, program, seeds, arguments.jobs), len(seeds)) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
