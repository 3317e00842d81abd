"""The event loop of clients that have none of their own: one thread for all of them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

_lock = threading.Lock()
_loops: dict[
    int, asyncio.AbstractEventLoop
] = {}  # by process: a fork has none of its parent's threads


def _loop() -> asyncio.AbstractEventLoop:
    with _lock:
        loop = _loops.get(os.getpid())
        if loop is None:
            loop = _loops[os.getpid()] = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="tombolo.node", daemon=True).start()
        return loop


def begin(work: Coroutine[Any, Any, T]) -> Future[T]:
    """Starts the coroutine on the thread of the loop."""
    return asyncio.run_coroutine_threadsafe(work, _loop())


def run(work: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns or raises. An interrupt (Ctrl-C) cancels it."""
    future = begin(work)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        with contextlib.suppress(BaseException):
            future.exception(0)
        raise
