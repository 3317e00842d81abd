"""What a world has counted, as plain numbers, numpy arrays and pandas frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tombolo.table import Table


class Metrics:
    """A snapshot of the counters of a world since its start, or since `World.reset_metrics`.

    counters    dict: events, messages, bytes, lost, to_dead, unreachable, payload_copies, dials,
                ephemeral_dials, joins, crashes, leaves
    messages    Table kind, count, bytes: transmissions by kind, lost ones included
    operations  Table kind, started, succeeded, failed, voided, hops_*, latency_ms_*: how they ended
    drops       dict: input that peers ignored, by reason
    received    array of shape (peers,): messages that each peer has received
    """

    def __init__(self, raw: dict[str, Any]) -> None:
        self.counters: dict[str, int] = raw["counters"]
        self.drops: dict[str, int] = raw["drops"]
        self.received: NDArray[np.uint32] = raw["received"]
        self._messages: dict[str, int] = raw["messages"]
        self._bytes: dict[str, int] = raw["bytes"]
        self._operations: dict[str, dict[str, Any]] = raw["operations"]

    def __getitem__(self, name: str) -> int:
        """A counter by name."""
        return self.counters[name]

    @property
    def messages(self) -> Table:
        return Table(
            {
                "kind": np.array(list(self._messages)),
                "count": np.array(list(self._messages.values()), dtype=np.uint64),
                "bytes": np.array(list(self._bytes.values()), dtype=np.uint64),
            }
        )

    @property
    def operations(self) -> Table:
        columns: dict[str, list[Any]] = {"kind": list(self._operations)}
        plain = ("started", "succeeded", "failed", "voided", "messages", "dead", "closest_ok")
        for name in (*plain, "hops_mean", "hops_p50", "hops_p99"):
            columns[name] = [operation[name] for operation in self._operations.values()]
        for name in ("mean", "p50", "p95", "p99", "max"):
            columns[f"latency_ms_{name}"] = [
                operation["latency_ms"][name] for operation in self._operations.values()
            ]
        return Table({name: np.array(values) for name, values in columns.items()})

    def hops(self, kind: str = "lookup") -> NDArray[np.uint64]:
        """Successful operations of `kind` by hops: element h of the array counts those of h hops."""
        return self._operation(kind)["hops"]

    def success(self, kind: str = "lookup") -> float:
        """Share of the operations of `kind` that succeeded, of those that succeeded or failed."""
        operation = self._operation(kind)
        ended = operation["succeeded"] + operation["failed"]
        return operation["succeeded"] / ended if ended else float("nan")

    def _operation(self, kind: str) -> dict[str, Any]:
        if kind not in self._operations:
            raise ValueError(f"kind = {kind!r}: allowed are {', '.join(self._operations)}")
        return self._operations[kind]

    def to_dict(self) -> dict[str, Any]:
        """Everything as nested dicts of numbers and arrays."""
        return {
            "counters": dict(self.counters),
            "messages": dict(self._messages),
            "bytes": dict(self._bytes),
            "drops": dict(self.drops),
            "operations": {kind: dict(values) for kind, values in self._operations.items()},
            "received": self.received,
        }

    def to_pandas(self) -> Any:
        """The operations as a pandas DataFrame, indexed by kind."""
        return self.operations.to_pandas().set_index("kind")

    def __repr__(self) -> str:
        parts = [f"{name}={value}" for name, value in self.counters.items() if value]
        return f"<tombolo.Metrics: {' '.join(parts)}>"

    def _repr_html_(self) -> str:
        return self.operations._repr_html_()


def series_table(raw: dict[str, Any]) -> Table:
    """Turns sums per interval into the means that people read."""
    interval = raw.pop("interval_s")
    live = raw.pop("live_peers")
    columns: dict[str, NDArray[Any]] = {
        "time_s": np.arange(1, len(live) + 1) * interval,
        "live_peers": live,
    }
    for name, values in raw.items():
        if name.endswith("_latency_us_sum"):
            kind = name.removesuffix("_latency_us_sum")
            columns[f"{kind}_latency_ms"] = _ratio(values, raw[f"{kind}_succeeded"]) / 1000
        else:
            columns[name] = values
    return Table(columns)


def _ratio(sums: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
