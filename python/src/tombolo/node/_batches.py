"""Many operations of one client, side by side, as tables."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from tombolo.node import _convert
from tombolo.results import Lookup, Sent
from tombolo.table import Table

T = TypeVar("T")
Rows = list[tuple[float, T]]  # (started_s, result)

IN_FLIGHT = 64


def check(count: int) -> int:
    return _convert.whole(count, "count", 0, 10_000_000)


async def run(
    verb: Callable[..., Awaitable[T]],
    arguments: Sequence[tuple[Any, ...]],
    rate_per_s: float | None,
    now: Callable[[], float],
) -> Rows[T]:
    """One call per tuple of arguments, begun at an even rate, at most `IN_FLIGHT` at a time."""
    if rate_per_s is not None and not 0 < rate_per_s <= 1e6:
        raise ValueError(f"rate_per_s = {rate_per_s!r}: allowed is above 0 to 1e6")
    loop = asyncio.get_running_loop()
    places = asyncio.Semaphore(IN_FLIGHT)
    began = loop.time()

    async def one(words: tuple[Any, ...]) -> tuple[float, T]:
        try:
            started = now()
            return started, await verb(*words)
        finally:
            places.release()

    tasks = []
    try:
        async with asyncio.TaskGroup() as group:
            for number, words in enumerate(arguments):
                if rate_per_s is not None:
                    await asyncio.sleep(max(0.0, began + number / rate_per_s - loop.time()))
                await places.acquire()
                tasks.append(group.create_task(one(words)))
    except ExceptionGroup as failed:  # the first has ended the others
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]


def _column(rows: Rows[Any], name: str, dtype: Any = None) -> np.ndarray[Any, Any]:
    return np.array([getattr(row, name) for _, row in rows], dtype=dtype)


def _started(rows: Rows[Any]) -> np.ndarray[Any, Any]:
    return np.array([started for started, _ in rows], dtype=float)


def lookup_table(rows: Rows[Lookup]) -> Table:
    return Table(
        {
            "source": _column(rows, "source", "<U40"),
            "started_s": _started(rows),
            "hops": _column(rows, "hops", np.int32),
            "latency_ms": _column(rows, "latency_ms", float),
            "succeeded": _column(rows, "found", bool),
            "messages": _column(rows, "messages", np.int32),
        }
    )


def send_table(rows: Rows[Sent]) -> Table:
    return Table(
        {
            "source": _column(rows, "source", "<U40"),
            "target": _column(rows, "target", "<U40"),
            "delivered": _column(rows, "delivered", bool),
            "started_s": _started(rows),
            "hops": _column(rows, "hops", np.int32),
            "latency_ms": _column(rows, "latency_ms", float),
            "reason": _column(rows, "reason", str),
        }
    )
