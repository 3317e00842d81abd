"""What the bars of island healing are: experiments with `tombolo-sim`, and how good is good enough.

Used by heal_bars.py, which runs them.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from heal_checks import (
    Check,
    Report,
    Reports,
    Row,
    all_of,
    at_most,
    at_quantile,
    delivered,
    healed,
    largest,
    messages,
    per_small_node,
    quantile,
    ring,
    routable,
    share_of,
    smallest,
    tables,
    values,
)

JITTER = ("--set", "latency.model=uniform", "--set", "latency.shortest_ms=25")
JITTER += ("--set", "latency.longest_ms=75")

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


def healing_messages(report: Report) -> int:
    kinds = report["messages_by_kind"].items()
    return sum(n for kind, n in kinds if kind.startswith(("island_", "merge_", "unify_")))


def failure_row(peers: int, minutes: int, most: int) -> Row:
    folder = Path(tempfile.gettempdir())

    def run(heals: str) -> Callable[[int], list[str]]:
        scenario = FAILURE.format(peers=peers, seconds=minutes * 60, heals=heals)
        path = folder / f"tombolo-failure-{peers}-{minutes}-{heals}.toml"

        def arguments(seed: int) -> list[str]:
            path.write_text(scenario)
            return ["run", str(path), "--quiet", "--report", "/dev/stdout", "--seed", str(seed)]

        return arguments

    def own(runs: dict[str, Reports]) -> float:
        """What healing itself said. The runs differ by more than that: their pings are drawn anew."""
        pairs = zip(runs["on"], runs["off"], strict=True)
        return max(healing_messages(a) / b["messages"] for a, b in pairs)

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
            Check("healing's own messages, most", "<= 0.05", own, at_most(0.05)),
        ],
        most=most,
    )


def all_rows() -> list[Row]:
    failures = [failure_row(*case) for case in ((100, 10, 50), (100, 60, 20), (1000, 10, 20))]
    failures += [failure_row(10_000, 10, 3)]
    return [*two_rows(), *several_rows(), *size_rows(), mixed_row(), *detection_rows(), *failures]
