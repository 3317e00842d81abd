"""Reads matrices of round-trip times, by the same rules as the simulator (``sim/rtt_matrix.h``).

Two formats, both with ``#`` comments and empty lines skipped:

* full matrix: one row per host, separated by tabs, commas or spaces; the diagonal is ignored;
* King rows ``i,j rtt`` or ``i,j,rtt``: hosts numbered from 1, optional header lines ``node ...``.

0 or a missing pair means "not measured" and reads as NaN.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

UNITS_MS = {"ms": 1.0, "s": 1e3, "us": 1e-3}
MAX_RTT_MS = 1e6  # a thousand seconds: longer is a wrong unit, not a measurement
MAX_HOSTS = 5_000

Row = tuple[int, list[float]]


def read_matrix(path: str | Path, unit: str = "ms") -> NDArray[np.float64]:
    """Round-trip times of `path` in milliseconds, shape (hosts, hosts), NaN where not measured.

    Raises ValueError ``FILE:LINE: what, what is allowed`` for input that is no such matrix.
    """
    path = Path(path)
    return read_text(path.read_text(encoding="utf-8"), str(path), unit)


def read_text(text: str, name: str = "text", unit: str = "ms") -> NDArray[np.float64]:
    """As `read_matrix`, from the text itself; `name` stands for the file in errors."""
    if unit not in UNITS_MS:
        raise ValueError(f"unit = {unit!r}: allowed are {', '.join(UNITS_MS)}")
    rows, has_header = _number_rows(text.splitlines(), name)
    if not rows:
        raise ValueError(f"{name}:1: no numbers, expected a matrix of round-trip times")
    values = _king(rows, name) if has_header or _looks_like_king(rows) else _square(rows, name)
    values *= UNITS_MS[unit]
    _check_range(values, name)
    values[values == 0] = np.nan
    return values


def _number_rows(lines: Iterable[str], name: str) -> tuple[list[Row], bool]:
    rows: list[Row] = []
    has_header = False
    for number, line in enumerate(lines, start=1):
        text = line.split("#", 1)[0].strip()
        if text.startswith("node"):
            has_header = True
        elif text:
            rows.append((number, [_number(field, name, number) for field in _fields(text)]))
    return rows, has_header


def _fields(text: str) -> list[str]:
    return re.split(r"\s*,\s*|\s+", text)


def _number(field: str, name: str, line: int) -> float:
    try:
        value = float(field)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name}:{line}: {field!r} is no number, expected a round-trip time")
    if value < 0:
        raise ValueError(f"{name}:{line}: {field} is negative, allowed are 0 (not measured) and up")
    return value


def _looks_like_king(rows: list[Row]) -> bool:
    return all(len(v) == 3 and all(x >= 1 and x == int(x) for x in v[:2]) for _, v in rows)


def _king(rows: list[Row], name: str) -> NDArray[np.float64]:
    for line, fields in rows:
        if len(fields) != 3 or any(x != int(x) or not 1 <= x <= MAX_HOSTS for x in fields[:2]):
            raise ValueError(
                f"{name}:{line}: expected a row 'i,j rtt' with hosts from 1 to {MAX_HOSTS}"
            )
    hosts = max(int(max(fields[:2])) for _, fields in rows)
    values = np.zeros((hosts, hosts))
    for _, (i, j, rtt) in rows:
        a, b = int(i) - 1, int(j) - 1
        values[a, b] = rtt
        if values[b, a] == 0:
            values[b, a] = rtt
    return values


def _square(rows: list[Row], name: str) -> NDArray[np.float64]:
    size = len(rows)
    if size > MAX_HOSTS:
        raise ValueError(f"{name}:{rows[-1][0]}: {size} rows, allowed are up to {MAX_HOSTS}")
    for line, fields in rows:
        if len(fields) != size:
            raise ValueError(
                f"{name}:{line}: {len(fields)} columns in a matrix of {size} rows, "
                "expected as many columns as rows"
            )
    return np.array([fields for _, fields in rows])


def _check_range(values: NDArray[np.float64], name: str) -> None:
    largest = float(values.max())
    if largest > MAX_RTT_MS:
        raise ValueError(
            f"{name}:1: the largest round-trip time is {largest:g} ms, allowed are up to "
            f"{MAX_RTT_MS:g} ms: is the unit right?"
        )
    if values.shape[0] < 2:
        raise ValueError(f"{name}:1: a single host, expected at least 2")
