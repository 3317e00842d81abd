"""How long messages take: models for `World`, and measured latencies to make them from.

Models: `constant`, `uniform`, `lognormal`, `coordinates`, `matrix`, `cloud`, `internet`. Measurements:
`read_matrix` reads round-trip times, `fit` finds coordinates plus access delays for them, as does
``python -m tombolo.latency fit FILE``. Needs numpy alone, not the compiled module.
"""

from tombolo.latency._fitting import Coordinates, fit, predict
from tombolo.latency._models import (
    Latency,
    as_model,
    cloud,
    constant,
    coordinates,
    internet,
    lognormal,
    matrix,
    uniform,
)
from tombolo.latency._rtt_file import read_matrix, read_text

__all__ = [
    "Coordinates",
    "Latency",
    "as_model",
    "cloud",
    "constant",
    "coordinates",
    "fit",
    "internet",
    "lognormal",
    "matrix",
    "predict",
    "read_matrix",
    "read_text",
    "uniform",
]
