"""The bars of real clusters: processes on loopback, over TLS, through the harness's proxy.

    build/venv/bin/python tests/bars/cluster_bars.py [kill] [start] [partition] [idle] [--runs N] [--first S]
                                     [--keep DIR] [--quiet-s S]

kill       30 nodes under load, a third is killed with SIGKILL: every send between survivors ends, and
           all pairs of survivors reach each other within 10 s
start      in a network of 24 nodes, a new one: launched to its first message relayed, within 2 s
partition  24 nodes, halves drawn at random, 10 s cut under traffic: all pairs within 15 s of the heal
idle       a node with 30 links and nothing to do for --quiet-s (60): at most 40 MiB resident, 0.5 % of a core

Each run starts a cluster of its own, with a seed of --first to --first + N - 1. The table, in Markdown,
comes row by row. Times hold for the machine they were taken on: all nodes share it with the harness. With
--keep, data, logs and a report.json of runs whose nodes did not all reach each other stay in DIR.

Needs numpy and finished programs (build/release, or TOMBOLO_PROGRAMS). Exit status: 0 every bar is met,
1 one is not, 2 bad usage.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "python" / "src"))

from tombolo.cluster import Cluster, DeadlineError, Traffic, until  # noqa: E402

LIMIT_S = 60.0  # after which a time counts as infinite
KEEP: list[Path] = []  # the folder of --keep
QUIET_S = [60.0]  # --quiet-s
Row = tuple[str, float, float]  # what was measured, figure, the most that is allowed


def keep(cluster: Cluster, error: DeadlineError) -> None:
    """Leaves in the folder of --keep what can tell why."""
    print(f"<!-- {error} -->", file=sys.stderr)
    for folder in KEEP:
        kept = Path(shutil.copytree(cluster.folder, folder / cluster.folder.name))
        topologies = {node.number: node.topology() for node in cluster.live}
        report = {**cluster.report(), "failed": str(error), "topologies": topologies}
        (kept / "report.json").write_text(json.dumps(report, indent=1))
        print(f"<!-- kept in {kept} -->", file=sys.stderr)


def settled(count: int, seed: int, **settings) -> Cluster:
    cluster = Cluster(count, bootstrap=3, seed=seed, limit_s=120, **settings)
    try:
        cluster.wait_joined()
        cluster.wait_reachable(60)
    except DeadlineError as error:
        keep(cluster, error)
        cluster.close()
        raise
    return cluster


def pass_time(seconds: float) -> None:
    end = time.monotonic() + seconds
    until("the time is over", lambda: time.monotonic() >= end, seconds + 10)


def reachable_after(cluster: Cluster) -> float:
    """Seconds until all pairs reach each other; infinite if they do not."""
    try:
        return cluster.wait_reachable(LIMIT_S)
    except DeadlineError as error:
        keep(cluster, error)
        return float("inf")


def kill(seed: int) -> list[Row]:
    with settled(30, seed) as cluster:
        dead = sorted(cluster.random.sample(range(30), 10))
        hung = 0
        traffic = Traffic(cluster, sends_per_s=30, deadline_s=5)
        try:
            with traffic:
                pass_time(2)
                began = time.monotonic()
                cluster.kill(dead)
                whole_s = reachable_after(cluster)
                pass_time(2)
        except DeadlineError as error:
            hung = int(str(error).split()[0])
        between = [s for s in traffic.sent if not {s.source, s.target} & set(dead)]
        flying = [s for s in between if s.began_s + s.latency_ms / 1000 >= began]
        reasons = Counter(s.reason or "delivered" for s in flying)
        print(
            f"<!-- kill, seed {seed}: sends between survivors from the kill on: {dict(reasons)} -->"
        )
        return [("sends that hung", hung, 0), ("full service after, s", whole_s, 10)]


def start(seed: int) -> list[Row]:
    with settled(24, seed) as cluster:
        began = time.monotonic()
        (number,) = cluster.add()
        target = cluster.random.randrange(24)
        until("a message is relayed", lambda: cluster.send(number, target, deadline_s=5).delivered)
        return [("launch to first relayed message, s", time.monotonic() - began, 2)]


def partition(seed: int) -> list[Row]:
    with settled(24, seed) as cluster, Traffic(cluster, sends_per_s=15, deadline_s=5):
        pass_time(1)
        cluster.partition([0.5, 0.5])
        pass_time(10)
        cluster.heal()
        return [("all pairs after the heal, s", reachable_after(cluster), 15)]


def _resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle(seed: int) -> list[Row]:
    with settled(31, seed) as cluster:
        pids = [node.pid for node in cluster.nodes if node.status()["links"] >= 30]
        if not pids:
            return [("nodes with 30 links", float("inf"), 31)]
        pass_time(10)  # what the joins have left to do
        before = [_cpu_s(pid) for pid in pids]
        began = time.monotonic()
        pass_time(QUIET_S[0])
        took = time.monotonic() - began
        shares = sorted(100 * (_cpu_s(pid) - b) / took for pid, b in zip(pids, before, strict=True))
        sizes = sorted(_resident_mib(pid) for pid in pids)
        middle = len(pids) // 2
        print(f"<!-- idle, seed {seed}: {len(pids)} nodes with 30 links and more -->")
        return [
            ("resident, median, MiB", sizes[middle], 40),
            ("resident, most, MiB", sizes[-1], 40),
            ("CPU, median, % of a core", shares[middle], 0.5),
            ("CPU, most, % of a core", shares[-1], 0.5),
        ]


BARS: dict[str, Callable[[int], list[Row]]] = {
    "kill": kill,
    "start": start,
    "partition": partition,
    "idle": idle,
}
RUNS = {"kill": 3, "start": 5, "partition": 20, "idle": 1}


def measure(name: str, seeds: range) -> bool:
    """Runs a bar and prints its rows; true if it is met every time."""
    figures: dict[str, tuple[list[float], float]] = {}
    for seed in seeds:
        for what, figure, most in BARS[name](seed):
            figures.setdefault(what, ([], most))[0].append(figure)
            print(f"<!-- {name}, seed {seed}: {what}: {figure:.4g} -->", file=sys.stderr)
    good = True
    for what, (found, most) in figures.items():
        met = sum(figure <= most for figure in found)
        good = good and met == len(found)
        found.sort()
        print(
            f"| {name} | {what} | {most:g} | {found[len(found) // 2]:.4g} | {found[-1]:.4g} "
            f"| {met} of {len(found)} |",
            flush=True,
        )
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="; ".join(BARS))
    parser.add_argument("--runs", type=int, help="of each; by default " + str(RUNS))
    parser.add_argument("--first", type=int, default=1, help="seed of the first run")
    parser.add_argument("--keep", type=Path, help="where to leave what has failed")
    parser.add_argument("--quiet-s", type=float, default=60.0, help="of idle; default 60")
    arguments = parser.parse_args()
    QUIET_S[0] = arguments.quiet_s
    KEEP.extend([arguments.keep] if arguments.keep else [])
    if unknown := set(arguments.names) - set(BARS):
        parser.error(f"{', '.join(unknown)}: allowed are {', '.join(BARS)}")
    print(
        "| bar | measured | at most | median | worst | met |\n|---|---|---|---|---|---|", flush=True
    )
    good = True
    for name in arguments.names or BARS:
        runs = arguments.runs or RUNS[name]
        good = measure(name, range(arguments.first, arguments.first + runs)) and good
    return 0 if good else 1


sys.exit(main())
