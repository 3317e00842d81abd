"""Fits coordinates plus access delays to measured round-trip times.

A host is a point in a few dimensions (where it is) and a height (its access line), as in Vivaldi (Dabek
et al., SIGCOMM 2004): ``rtt(i, j) = |x_i - x_j| + h_i + h_j``, everything in milliseconds of round trip.
Vivaldi moves springs one sample at a time; with the whole matrix at hand plain gradient descent does
better. The loss is the logarithm of predicted over measured, since errors matter relative to the delay,
rounded to linear for outliers: some hosts are simply not where any coordinate could put them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FLOOR_MS = 0.1  # below this measurements are clock noise; keeps logarithms and square roots tame
OUTLIER = 0.15  # |log ratio| from which the loss grows linearly


@dataclass(frozen=True)
class Coordinates:
    """`points` (hosts, dimensions) and `heights` (hosts,), in ms of round-trip time."""

    points: Array
    heights: Array


def predict(coordinates: Coordinates) -> Array:
    """Round-trip times in ms, shape (hosts, hosts); the diagonal is meaningless."""
    distances = np.sqrt(_squared_distances(coordinates.points))
    return distances + coordinates.heights[:, None] + coordinates.heights[None, :]


def fit(rtt_ms: Array, dimensions: int = 3, seed: int = 1, steps: int = 2000) -> Coordinates:
    """Coordinates for the pairs of `rtt_ms` that are not NaN.

    Equal arguments give equal results on one machine; the last digits may differ between machines.
    """
    if not 1 <= dimensions <= 8:
        raise ValueError(f"dimensions = {dimensions}: allowed are 1 to 8")
    rtt_ms = np.asarray(rtt_ms, dtype=np.float64)
    measured = np.isfinite(rtt_ms)
    np.fill_diagonal(measured, False)
    if not measured.any():
        raise ValueError("rtt_ms: no pair is measured")
    target = np.log(np.where(measured, np.maximum(np.nan_to_num(rtt_ms, nan=1.0), FLOOR_MS), 1.0))
    weight = measured / measured.sum()

    rng = np.random.default_rng(seed)
    scale = float(np.median(rtt_ms[measured]))
    roots = np.full(len(rtt_ms), np.sqrt(scale / 20))  # height = root^2 stays positive
    parameters = [rng.normal(0, scale / 3, (len(rtt_ms), dimensions)), roots]
    rates = [scale / 50, np.sqrt(scale) / 50]
    _descend(parameters, rates, steps, lambda p: _gradient(p[0], p[1], target, weight))
    points, roots = parameters
    return Coordinates(points - points.mean(axis=0), roots**2)


def _squared_distances(points: Array) -> Array:
    norms = np.sum(points**2, axis=1)
    squared = norms[:, None] + norms[None, :] - 2 * points @ points.T
    return np.maximum(squared, 0)


def _gradient(points: Array, roots: Array, target: Array, weight: Array) -> list[Array]:
    """Gradient of the mean of sqrt(1 + (e / OUTLIER)^2), e = log(predicted / measured)."""
    distances = np.sqrt(_squared_distances(points) + FLOOR_MS**2)
    heights = roots**2
    predicted = distances + heights[:, None] + heights[None, :]
    error = (np.log(predicted) - target) / OUTLIER
    slope = weight * error / np.sqrt(1 + error**2) / predicted
    slope = slope + slope.T
    pull = slope / distances
    return [pull.sum(axis=1)[:, None] * points - pull @ points, slope.sum(axis=1) * 2 * roots]


def _descend(parameters, rates, steps, gradient) -> None:
    """Adam (Kingma and Ba, 2015) with a step that falls to zero; changes `parameters` in place."""
    first = [np.zeros_like(p) for p in parameters]
    second = [np.zeros_like(p) for p in parameters]
    for step in range(1, steps + 1):
        fall = 0.5 * (1 + np.cos(np.pi * step / steps))
        for i, slope in enumerate(gradient(parameters)):
            first[i] += 0.1 * (slope - first[i])
            second[i] += 0.001 * (slope**2 - second[i])
            unbiased = np.sqrt(second[i] / (1 - 0.999**step)) + 1e-30
            parameters[i] -= rates[i] * fall * first[i] / (1 - 0.9**step) / unbiased
