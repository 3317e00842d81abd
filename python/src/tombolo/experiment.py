"""A standard experiment: a world, some load, and the figures that papers report."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tombolo.table import Table
from tombolo.world import DEFAULT_SEED, World


def measure(
    *,
    lookups: int = 200,
    sends: int = 0,
    warmup_s: float = 0.0,
    seed: int = DEFAULT_SEED,
    **world: Any,
) -> dict[str, float | str]:
    """Builds ``World(seed=seed, **world)``, warms it up, does lookups and sends; one row of figures.

    Keys: lookup_success, lookup_closest_ok (shares), lookup_hops, lookup_messages (means),
    lookup_latency_ms_{mean,p50,p99}; with sends, send_delivered, send_hops, send_latency_ms_{mean,p50,p99};
    trace_hash. Meant for `sweep`.
    """
    simulated = World(seed=seed, **world)
    simulated.run(warmup_s)
    row: dict[str, float | str] = {}
    if lookups:
        table = simulated.lookups(lookups)
        row["lookup_success"] = float(table["succeeded"].mean())
        row["lookup_closest_ok"] = float(table["closest_ok"].mean())
        row["lookup_messages"] = float(table["messages"].mean())
        row |= _figures("lookup", table, table["succeeded"])
    if sends:
        table = simulated.sends(sends)
        row["send_delivered"] = float(table["delivered"].mean())
        row |= _figures("send", table, table["delivered"])
    row["trace_hash"] = simulated.trace_hash
    return row


def _figures(kind: str, table: Table, succeeded: NDArray[np.bool_]) -> dict[str, float]:
    hops, latency = table["hops"][succeeded], table["latency_ms"][succeeded]
    if len(hops) == 0:
        names = ("hops", "latency_ms_mean", "latency_ms_p50", "latency_ms_p99")
        return {f"{kind}_{name}": float("nan") for name in names}
    return {
        f"{kind}_hops": float(hops.mean()),
        f"{kind}_latency_ms_mean": float(latency.mean()),
        f"{kind}_latency_ms_p50": float(np.quantile(latency, 0.5)),
        f"{kind}_latency_ms_p99": float(np.quantile(latency, 0.99)),
    }
