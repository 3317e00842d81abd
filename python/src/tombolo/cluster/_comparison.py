"""Real nodes and simulated peers side by side: the same scenario, counted in both.

The real one is a cluster as it was started. The simulated one is a `tombolo.World` with the core
configured as the daemon does it, whose peers join through peer 0 at the times when the processes were
launched, over paths that take as long. Then both carry as many messages between random pairs, at the
same rate. What should agree is what the core decides: messages by kind, hops, deliveries. What cannot
are times: a process takes some 0.1 s to start, and shares its machine. Nor can ids: the cluster is one
draw of them, so it stands beside many draws, with the least and the most that these gave.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from tombolo.cluster._process import until
from tombolo.table import Table

if TYPE_CHECKING:
    from tombolo.cluster._cluster import Cluster
    from tombolo.cluster._results import Sent

LOOPBACK_MS = 0.2  # one way, through the proxy
CORE = {"relay": {"min_rto_ms": 200}}  # where node/daemon.cc differs from the core's defaults
_QUIET_S = 2.0  # after the last send, for what it leaves behind
_COLUMNS = ("real", "simulated", "least", "most")
_RUNS = 20  # simulated, each with ids of its own


@dataclass(frozen=True)
class Comparison:
    """Of `Cluster.compare_with_simulation`; ``print`` shows it as a table.

    joins, sends   Tables kind, real, simulated, least, most, ratio: messages that were sent until the
                   first send, and from then on. simulated is the mean of several runs, least and most
                   are their extremes; ratio is real to simulated, NaN where nothing was simulated
    summary        Table what and the same columns: peers, contacts and links (mean per peer), sends,
                   delivered, hops (mean)
    """

    joins: Table
    sends: Table
    summary: Table

    def as_dict(self) -> dict[str, dict[str, tuple[float, ...]]]:
        """{part: {kind: (real, simulated, least, most)}}, for reports."""
        parts = {"joins": self.joins, "sends": self.sends, "summary": self.summary}
        return {
            part: {
                str(name): tuple(map(float, figures))
                for name, *figures in zip(
                    next(iter(table.values())),
                    *(table[column] for column in _COLUMNS),
                    strict=True,
                )
            }
            for part, table in parts.items()
        }

    def __str__(self) -> str:
        lines = []
        for title, rows in self.as_dict().items():
            lines.append(f"{title:<24}" + "".join(f"{name:>11}" for name in (*_COLUMNS, "ratio")))
            for name, figures in rows.items():
                real, simulated, *_ = figures
                ratio = f"{real / simulated:11.2f}" if simulated else f"{'-':>11}"
                lines.append(f"  {name:<22}" + "".join(f"{one:>11.6g}" for one in figures) + ratio)
        return "\n".join(lines)


def _table(first: str, real: dict[str, float], simulated: list[dict[str, float]]) -> Table:
    every = (real, *simulated)
    names = sorted(name for name in {*chain(*every)} if any(one.get(name) for one in every))
    counts = np.array([[one.get(name, 0) for name in names] for one in every], float)
    runs = counts[1:]
    mean = runs.mean(axis=0)
    ratio = np.full(len(names), np.nan)
    np.divide(counts[0], mean, out=ratio, where=mean > 0)
    figures = dict(
        zip(_COLUMNS, (counts[0], mean, runs.min(axis=0), runs.max(axis=0)), strict=True)
    )
    return Table({first: np.array(names), **figures, "ratio": ratio})


def _less(after: dict[str, float], before: dict[str, float]) -> dict[str, float]:
    return {kind: count - before.get(kind, 0) for kind, count in after.items()}


def _wait_until(cluster: Cluster, end_s: float) -> None:
    until("the time is over", lambda: cluster.now >= end_s, end_s - cluster.now + 60)


class _Real:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.sent: list[Sent] = []

    def counts(self) -> dict[str, float]:
        total: dict[str, float] = {}
        for node in self.cluster.live:
            for name, count in node.status()["counters"].items():
                if name.startswith("sent_"):
                    kind = name.removeprefix("sent_")
                    total[kind] = total.get(kind, 0) + count
        return total

    def send(self, count: int, rate_per_s: float, chance: random.Random) -> None:
        began, flying = self.cluster.now, []
        for number in range(count):
            _wait_until(self.cluster, began + number / rate_per_s)
            pair = chance.sample(range(len(self.cluster)), 2)
            flying.append(self.cluster.begin_send(*pair, "compared"))
        self.sent = [one.result(60) for one in flying]

    def summary(self) -> dict[str, float]:
        status = [node.status() for node in self.cluster.live]
        delivered = [one.hops for one in self.sent if one.delivered]
        return {
            "peers": len(status),
            "contacts": float(np.mean([one["contacts"] for one in status])),
            "links": float(np.mean([one["links"] for one in status])),
            "sends": len(self.sent),
            "delivered": len(delivered),
            "hops": float(np.mean(delivered)) if delivered else 0.0,
        }


class _Simulated:
    def __init__(self, launched_s: list[float], latency_ms: float, seed: int) -> None:
        from tombolo.world import World

        self.world = World(1, "both", latency_ms, start="join", seed=seed, config=CORE)
        self.began_s = launched_s[0]
        for launched in launched_s[1:]:
            self._run_until(launched)
            self.world.join(1, bootstrap=[0])

    def _run_until(self, cluster_s: float) -> None:
        self.world.run(max(0.0, cluster_s - self.began_s - self.world.now))

    def play(self, began_s: float, ended_s: float, sends: int, rate_per_s: float) -> None:
        self._run_until(began_s)
        self.joined = self._counts()
        carried = self.world.sends(sends, rate_per_s=rate_per_s)
        self._run_until(ended_s)
        self.sent = _less(self._counts(), self.joined)
        self.summary = self._summary(carried)

    def _counts(self) -> dict[str, float]:
        messages = self.world.metrics().messages
        return dict(zip(messages["kind"].tolist(), messages["count"].tolist(), strict=True))

    def _summary(self, sends: Table) -> dict[str, float]:
        peers = self.world.peers()
        delivered = sends["delivered"]
        return {
            "peers": peers.rows,
            "contacts": float(peers["contacts"].mean()),
            "links": float(peers["links"].mean()),
            "sends": sends.rows,
            "delivered": int(delivered.sum()),
            "hops": float(sends["hops"][delivered].mean()) if delivered.any() else 0.0,
        }


def compare(
    cluster: Cluster, sends: int, rate_per_s: float, delay_ms: float, seed: int
) -> Comparison:
    """See `Cluster.compare_with_simulation`."""
    launched = [node.launched_s - cluster.began_s for node in cluster.nodes]
    real = _Real(cluster)
    began = cluster.now
    joined = real.counts()
    real.send(sends, rate_per_s, random.Random(seed))
    _wait_until(cluster, cluster.now + _QUIET_S)
    ended = cluster.now
    all_real = real.counts()

    runs = [_Simulated(launched, LOOPBACK_MS + delay_ms, seed + number) for number in range(_RUNS)]
    for run in runs:
        run.play(began, ended, sends, rate_per_s)
    return Comparison(
        joins=_table("kind", joined, [run.joined for run in runs]),
        sends=_table("kind", _less(all_real, joined), [run.sent for run in runs]),
        summary=_table("what", real.summary(), [run.summary for run in runs]),
    )
