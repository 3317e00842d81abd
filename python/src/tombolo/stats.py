"""Means with confidence intervals."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

_Z = 1.959963984540054  # 97.5 % quantile of the normal distribution
# 97.5 % quantiles of Student's t for 1 to 10 degrees of freedom, where the expansion is not good enough.
_T = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281)


def t_quantile(degrees: int) -> float:
    """The 97.5 % quantile of Student's t: by table up to 10 degrees of freedom, then by the expansion of
    Cornish and Fisher in 1/degrees (Abramowitz and Stegun 26.7.5), right to 4 digits."""
    if degrees < 1:
        raise ValueError(f"degrees = {degrees}: allowed is 1 and up")
    if degrees <= len(_T):
        return _T[degrees - 1]
    z, v = _Z, float(degrees)
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    )


def mean_interval(values: ArrayLike) -> tuple[float, float, float]:
    """Mean, and the ends of its 95 % confidence interval (Student's t); NaN ends for a single value.

    NaN values are left out.
    """
    numbers = np.asarray(values, dtype=np.float64)
    numbers = numbers[~np.isnan(numbers)]
    if len(numbers) == 0:
        return (math.nan, math.nan, math.nan)
    mean = float(numbers.mean())
    if len(numbers) == 1:
        return (mean, math.nan, math.nan)
    half = t_quantile(len(numbers) - 1) * float(numbers.std(ddof=1)) / math.sqrt(len(numbers))
    return (mean, mean - half, mean + half)
