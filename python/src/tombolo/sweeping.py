"""Parameter sweeps: many worlds in parallel, one tidy table."""

from __future__ import annotations

import hashlib
import itertools
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tombolo.experiment import measure
from tombolo.ids import as_index
from tombolo.optional import require
from tombolo.progress import bar
from tombolo.stats import mean_interval

if TYPE_CHECKING:
    import pandas

Point = dict[str, Any]


@dataclass(frozen=True)
class Sweep:
    """table    one row per (point, replicate): the parameters, replicate, seed, then the results
    summary  one row per point: the parameters, replicates, and for every numeric result its mean with the
             ends of the 95 % confidence interval (NAME_mean, NAME_low, NAME_high; Student's t)
    """

    table: pandas.DataFrame
    summary: pandas.DataFrame

    def _repr_html_(self) -> str:
        return self.summary._repr_html_()


def seed_of(root: int, point: Mapping[str, Any], replicate: int) -> int:
    """The seed of one run: a hash of these three alone, so neither workers nor order nor batching matter.

    Parameters count by name and `repr`; their order does not matter.
    """
    text = repr(
        (int(root), sorted((name, repr(value)) for name, value in point.items()), int(replicate))
    )
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def sweep(
    function: Callable[..., Mapping[str, Any]] | Mapping[str, Any],
    grid: Mapping[str, Sequence[Any]] | Sequence[Point],
    seeds: int = 5,
    workers: int | None = None,
    *,
    root: int = 1,
    progress: bool = False,
) -> Sweep:
    """Runs ``function(seed=..., **point)`` for every point of `grid`, `seeds` times each.

    function  returns a mapping of results; or a mapping of arguments for `measure`, which then runs
    grid      values by parameter (all combinations), or a list of points
    seeds     replicates per point
    workers   processes; None: one per core. The table does not depend on it.
    root      the seed that all others derive from (`seed_of`)

    The function must be importable by other processes: defined in a module, or, where processes are
    forked (Linux), in a notebook. An error in it ends the sweep with RuntimeError naming point and seed.
    """
    pandas = require("pandas", "pandas")
    run = partial(measure, **function) if isinstance(function, Mapping) else function
    if not callable(run):
        raise TypeError("function: must be callable, or a dict of arguments for tombolo.measure")
    points = list(_points(grid))
    for name, value in (("seeds", seeds), ("workers", 1 if workers is None else workers)):
        if as_index(value) is None:
            raise TypeError(f"{name} = {value!r}: must be an integer")
        if value < 1:
            raise ValueError(f"{name} = {value}: allowed is 1 and up")
    jobs = [(point, replicate) for point in points for replicate in range(seeds)]
    seed_list = [seed_of(root, point, replicate) for point, replicate in jobs]
    count = min(workers or os.cpu_count() or 1, len(jobs))
    with bar(progress, len(jobs), "runs") as shown:
        results = _run(
            run, [(p, s) for (p, _), s in zip(jobs, seed_list, strict=True)], count, shown
        )
    rows = [
        {**{k: _cell(v) for k, v in point.items()}, "replicate": replicate, "seed": seed, **result}
        for (point, replicate), seed, result in zip(jobs, seed_list, results, strict=True)
    ]
    table = pandas.DataFrame(rows)
    return Sweep(table, _summary(table, points, seeds, pandas))


def _points(grid: Mapping[str, Sequence[Any]] | Sequence[Point]) -> Iterator[Point]:
    if isinstance(grid, Mapping):
        for name, values in grid.items():
            if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
                raise TypeError(f"grid[{name!r}] = {values!r}: must be a list of values")
        yield from (
            dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())
        )
    else:
        yield from map(dict, grid)


def _run(
    function: Callable[..., Mapping[str, Any]],
    jobs: list[tuple[Point, int]],
    workers: int,
    shown: Any,
) -> list[dict[str, Any]]:
    if workers <= 1:
        results = []
        for point, seed in jobs:
            results.append(_one(function, point, seed))
            shown.update(1)
        return results
    # Forked processes know the functions of a notebook; elsewhere the platform's default has to do.
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    with ProcessPoolExecutor(workers, multiprocessing.get_context(method)) as pool:
        futures: list[Future[dict[str, Any]]] = [pool.submit(_one, function, *job) for job in jobs]
        results = []
        try:
            for future in futures:  # in order, so that of several errors the first is told
                results.append(future.result())
                shown.update(1)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return results


def _one(function: Callable[..., Mapping[str, Any]], point: Point, seed: int) -> dict[str, Any]:
    try:
        result = function(seed=seed, **point)
    except Exception as error:
        raise RuntimeError(
            f"sweep: seed={seed} {point}: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(result, Mapping):
        raise TypeError(
            f"function: returned {type(result).__name__}, must return a dict of results"
        )
    return dict(result)


def _cell(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool)) or value is None else repr(value)


def _summary(table: Any, points: list[Point], seeds: int, pandas: Any) -> Any:
    """Rows of a point lie together in the table, in the order of `points`."""
    fixed = {name for point in points for name in point} | {"replicate", "seed"}
    numeric = [
        name
        for name in table.columns
        if name not in fixed and pandas.api.types.is_numeric_dtype(table[name])
    ]
    rows = []
    for index, point in enumerate(points):
        part = table.iloc[index * seeds : (index + 1) * seeds]
        row: dict[str, Any] = {name: _cell(value) for name, value in point.items()}
        row["replicates"] = seeds
        for name in numeric:
            mean, low, high = mean_interval(part[name])
            row |= {f"{name}_mean": mean, f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    return pandas.DataFrame(rows)
