"""The event loop of clients that have none of their own: one thread for all of them."""

from __future__ import annotations

import asyncio
import atexit
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
_background: set[asyncio.Task[None]] = set()  # of the loop here; touched on its thread alone
_END_S = 1.0  # that the end of the process waits for them


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


def background(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task of the running loop that nobody waits for. It ends with the process at the latest."""
    task = asyncio.get_running_loop().create_task(work)
    if task.get_loop() is _loops.get(os.getpid()):  # other loops are ended by whoever runs them
        _background.add(task)
        task.add_done_callback(_background.discard)
    return task


async def _cancel_background() -> None:
    here = asyncio.get_running_loop()  # a forked process has its parent's tasks in the set as well
    tasks = [task for task in _background if task.get_loop() is here]
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_END_S)


@atexit.register
def _end_background() -> None:
    """Python complains on stderr about tasks that are pending when it takes the loop apart.

    What threads wait for stays as it is: they end without a word, as daemon threads do.
    """
    if os.getpid() in _loops:
        with contextlib.suppress(Exception):
            begin(_cancel_background()).result(2 * _END_S)
