"""Latency models for `World`. All times are one way, half of a round trip, unless a name says rtt.

Every model but `constant` gives each pair of peers a delay of its own that stays. All take, as keywords:

jitter_ms, jitter_fraction  added to every message: jitter_ms plus this fraction of the pair's delay on
                            average, gamma distributed with shape 2
asymmetry                   0 to 0.9: one direction of a pair takes up to this share longer, the other as
                            much shorter
floor_ms                    no message is faster
"""

from __future__ import annotations

import hashlib
from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

VARIATIONS = ("jitter_ms", "jitter_fraction", "asymmetry", "floor_ms")


class Latency:
    """A model and its parameters; made by the functions of this module, checked by `World`."""

    def __init__(self, model: str, values: dict[str, Any], variation: dict[str, Any]) -> None:
        unknown = sorted(set(variation) - set(VARIATIONS))
        if unknown:
            raise TypeError(f"unknown argument {unknown[0]!r}: allowed are {', '.join(VARIATIONS)}")
        self.model = model
        self.values = {**values, **variation}

    def settings(self) -> dict[str, Any]:
        """The keys of section [latency]."""
        return {"model": self.model, **self.values}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Latency) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        """Equal models print equally, whatever is in their tables."""
        return f"Latency({', '.join([self.model, *map(_text, self.values.items())])})"


def _text(item: tuple[str, Any]) -> str:
    name, value = item
    if isinstance(value, np.ndarray):
        digest = hashlib.blake2b(value.tobytes(), digest_size=6).hexdigest()
        return f"{name}=<{'x'.join(map(str, value.shape))} {digest}>"
    return f"{name}={value!r}"


def constant(one_way_ms: float = 50.0, **variation: float) -> Latency:
    """The same delay between all peers."""
    return Latency("constant", {"one_way_ms": one_way_ms}, variation)


def uniform(shortest_ms: float = 10.0, longest_ms: float = 150.0, **variation: float) -> Latency:
    """Per pair, uniform between the two."""
    values = {"shortest_ms": shortest_ms, "longest_ms": longest_ms}
    return Latency("uniform", values, variation)


def lognormal(median_ms: float = 37.5, sigma: float = 0.6, **variation: float) -> Latency:
    """Per pair, lognormal; `sigma` is the standard deviation of the logarithm."""
    return Latency("lognormal", {"median_ms": median_ms, "sigma": sigma}, variation)


def coordinates(points: str | PathLike[str] | ArrayLike, **variation: float) -> Latency:
    """Peers at random hosts of a table: ``rtt = |x_i - x_j| + access_i + access_j``.

    points  a file written by ``python -m tombolo.latency fit``, or numbers of shape (hosts, dimensions + 1),
            the access delay last, in ms of round-trip time
    """
    if isinstance(points, (str, PathLike)):
        return Latency("coordinates", {"file": fspath(points)}, variation)
    return Latency("coordinates", {"points_ms": _numbers(points, "points")}, variation)


def matrix(rtt: str | PathLike[str] | ArrayLike, unit: str = "ms", **variation: float) -> Latency:
    """Measured round-trip times between hosts; peer i is on host ``i % hosts``.

    rtt   a file (full matrix, or King rows "i,j rtt"), or numbers of shape (hosts, hosts); 0 or NaN off the
          diagonal means not measured
    unit  of the numbers: "ms", "s" or "us"
    """
    if isinstance(rtt, (str, PathLike)):
        return Latency("matrix", {"file": fspath(rtt), "unit": unit}, variation)
    per_ms = {"ms": 1.0, "s": 1e3, "us": 1e-3}
    if unit not in per_ms:
        raise ValueError(f"unit = {unit!r}: allowed are 'ms', 's', 'us'")
    numbers = np.nan_to_num(_numbers(rtt, "rtt"), nan=0.0) * per_ms[unit]
    return Latency("matrix", {"rtt_ms": numbers}, variation)


def cloud(**variation: float) -> Latency:
    """Between 28 public cloud regions, measured (shipped; ``data/cloud.tsv`` names source and date)."""
    return Latency("cloud", {}, variation)


def internet(**variation: float) -> Latency:
    """Coordinates and access delays fitted to 490 PlanetLab hosts (shipped; ``data/internet.tsv``)."""
    return Latency("coordinates", {}, variation)


def as_model(value: object) -> Latency:
    """A model as it is, "internet" or "cloud" by name, a number as a constant delay in ms one way."""
    if isinstance(value, Latency):
        return value
    if isinstance(value, str):
        named = {"internet": internet, "cloud": cloud}
        if value not in named:
            raise ValueError(f"latency = {value!r}: allowed are 'internet', 'cloud', or a model")
        return named[value]()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return constant(value)
    raise TypeError(
        f"latency: {type(value).__name__}, must be a model of tombolo.latency or a number of ms"
    )


def _numbers(values: ArrayLike, argument: str) -> np.ndarray:
    try:
        numbers = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{argument}: must be a file name or a two-dimensional array of numbers"
        ) from error
    if numbers.ndim != 2:
        raise ValueError(f"{argument}: {numbers.ndim} dimensions, must have 2")
    return numbers
