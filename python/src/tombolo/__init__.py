"""Tombolo: simulate peer-to-peer overlays, reproducibly.

>>> import tombolo
>>> world = tombolo.World(peers=1000, latency="internet", seed=1)
>>> result = world.lookup(0, "a name")
>>> result.found, result.closest_ok
(True, True)

Everything random follows from ``seed``: equal arguments and equal calls give equal bits, on every
machine (compare ``world.trace_hash``).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tombolo import churn, latency, theory
from tombolo.ids import key
from tombolo.results import (
    Broadcast,
    Connected,
    Event,
    Finding,
    Got,
    Lookup,
    Put,
    RunReport,
    Sent,
)
from tombolo.table import Table

if TYPE_CHECKING:
    from tombolo.experiment import measure
    from tombolo.metrics import Metrics
    from tombolo.node import Socket
    from tombolo.sweeping import Sweep, sweep
    from tombolo.world import World

__version__ = "0.1.0"

__all__ = [
    "Broadcast",
    "Connected",
    "Event",
    "Finding",
    "Got",
    "Lookup",
    "Metrics",
    "Put",
    "RunReport",
    "Sent",
    "Socket",
    "Sweep",
    "Table",
    "World",
    "churn",
    "key",
    "latency",
    "measure",
    "sweep",
    "theory",
]

# What needs the compiled module, or gRPC, comes when it is asked for: `python -m tombolo.latency` does
# without.
_LAZY = {
    "Metrics": "tombolo.metrics",
    "Socket": "tombolo.node",
    "Sweep": "tombolo.sweeping",
    "World": "tombolo.world",
    "measure": "tombolo.experiment",
    "sweep": "tombolo.sweeping",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'tombolo' has no attribute {name!r}")
    value = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = value
    return value
