"""Tombolo: simulate peer-to-peer overlays, reproducibly.

>>> import tombolo
>>> world = tombolo.World(peers=1000, latency="internet", seed=1)
>>> world.lookup().hops
2

Everything random follows from ``seed``: equal arguments and equal calls give equal bits, on every
machine (compare ``world.trace_hash``).
"""

from tombolo import churn, latency, theory
from tombolo.experiment import measure
from tombolo.ids import key
from tombolo.metrics import Metrics
from tombolo.results import Connected, Event, Got, Lookup, Put, RunReport, Sent
from tombolo.sweeping import Sweep, sweep
from tombolo.table import Table
from tombolo.world import World

__version__ = "0.1.0"

__all__ = [
    "Connected",
    "Event",
    "Got",
    "Lookup",
    "Metrics",
    "Put",
    "RunReport",
    "Sent",
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
