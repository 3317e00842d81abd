"""Callbacks for what peers tell their applications."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from tombolo import _core
from tombolo.results import EVENT_KINDS, Event

Handler = Callable[[Event], object]


class EventSource:
    """The part of `World` that calls handlers."""

    _core: _core.World

    def _forget_handlers(self) -> None:
        self._handlers: dict[str, list[Handler]] = {}
        self._pending: deque[dict[str, Any]] = deque()

    def on(self, kind: str, handler: Handler | None = None) -> Any:
        """Calls ``handler(event)`` for every event of `kind` of any peer; see `Event` for the kinds.

        Handlers are called in the order of events after each slice of at most 50,000 simulated steps,
        so they see a world that has moved on a little. Also a decorator: ``@world.on("message")``.
        """
        if handler is None:
            return lambda function: self.on(kind, function)
        if kind not in EVENT_KINDS:
            raise ValueError(f"kind = {kind!r}: allowed are {', '.join(EVENT_KINDS)}")
        self._handlers.setdefault(kind, []).append(handler)
        self._core.record_events(True)
        return handler

    def off(self, kind: str, handler: Handler) -> None:
        """Takes a handler back. Raises ValueError if it was not set."""
        if handler not in self._handlers.get(kind, []):
            raise ValueError(f"handler: not set for {kind!r}")
        self._handlers[kind].remove(handler)
        if not any(self._handlers.values()):
            self._core.record_events(False)

    def _dispatch(self) -> None:
        kinds = [kind for kind, handlers in self._handlers.items() if handlers]
        if not kinds:
            return
        self._pending.extend(self._core.take_events(kinds))
        while self._pending:
            event = Event(**self._pending.popleft())
            for handler in list(self._handlers.get(event.kind, ())):
                handler(event)
