"""Measured latencies: read a matrix of round-trip times, fit network coordinates to it.

Needs numpy alone, so that ``python -m tombolo.latency fit FILE`` runs without the compiled module.
"""

from tombolo.latency._fitting import Coordinates, fit, predict
from tombolo.latency._rtt_file import read_matrix, read_text

__all__ = ["Coordinates", "fit", "predict", "read_matrix", "read_text"]
