"""Events of a node as they come, over a subscription that outlives lost connections."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio

from tombolo.node import _convert, _loop
from tombolo.node._errors import UnauthenticatedError, UnreachableError, translate
from tombolo.node._link import Link
from tombolo.node._proto import control_pb2 as control
from tombolo.results import Event

KINDS = (
    "joined", "lookup", "put", "get", "peer", "peer_lost", "message", "delivered", "failed", "broadcast",
    "broadcast_done", "missed",
)  # fmt: skip
_OF_OPERATIONS = {"lookup", "put", "get", "delivered", "failed", "broadcast_done"}
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
QUEUE_LIMIT = 10_000  # events of an `EventStream`; then the oldest go


def check_kinds(kinds: tuple[str, ...]) -> None:
    for kind in kinds:
        if kind not in KINDS:
            raise ValueError(f"kind = {kind!r}: allowed are {', '.join(KINDS)}")


class Subscription:
    """Calls `deliver` for every event of the node, until it is closed.

    A connection that breaks is made again, at growing intervals of at most 2 s, for as long as it
    takes: what the node told meanwhile is lost, which an event of kind "missed" with ``events=None``
    says. A refusal of the token ends it: `failure` then has the reason, and `deliver` gets None.
    """

    def __init__(
        self, link: Link, topics: tuple[int, ...], deliver: Callable[[control.Event | None], None]
    ) -> None:
        self._link = link
        self._request = control.SubscribeRequest(topics=topics)
        self._deliver = deliver
        self._task: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.failure: Exception | None = None

    async def start(self) -> None:
        """Returns once nothing is left out any more. Raises as every call does."""
        self._task = _loop.background(self._run())
        try:
            await asyncio.wait_for(asyncio.shield(self._ready), self._link.timeout_s)
        except TimeoutError:
            await self.close()
            raise UnreachableError(
                f"Subscribe: the node at {self._link.address} has not answered in time"
            ) from None

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._ready.done():
            self._ready.exception()

    async def _run(self) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            before = time.monotonic()
            error = await self._listen()
            if not self._ready.done():  # the first time it has to work
                self._ready.set_exception(error)
                return
            if isinstance(error, UnauthenticatedError):
                self.failure = error
                self._deliver(None)
                return
            if time.monotonic() - before > _LONGEST_PAUSE_S:
                pause = _FIRST_PAUSE_S
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    async def _listen(self) -> Exception:
        """Until the connection ends; returns why."""
        call = self._link.stream("Subscribe", self._request)
        try:
            async for event in call:
                if event.HasField("subscribed"):
                    if self._ready.done():  # there was a gap
                        self._deliver(control.Event(missed=control.MissedEvent()))
                    else:
                        self._ready.set_result(None)
                else:
                    self._deliver(event)
        except grpc.aio.AioRpcError as error:
            return translate(error, "Subscribe", self._link.address)
        finally:
            call.cancel()
        return UnreachableError(f"Subscribe: the node at {self._link.address} has ended the stream")


class EventStream:
    """Events in the order in which they came, for ``async for``; ends with `close`.

    At most 10,000 wait to be taken; then the oldest are dropped, and `dropped` counts them.
    """

    def __init__(self, kinds: tuple[str, ...], on_close: Callable[[EventStream], None]) -> None:
        check_kinds(kinds)
        self.dropped = 0
        self._kinds = frozenset(kinds or KINDS)
        self._queue: deque[Event] = deque()
        self._came = asyncio.Event()
        self._closed = False
        self._failure: Exception | None = None
        self._on_close = on_close

    def offer(self, event: Event) -> None:
        if event.kind not in self._kinds or self._closed:
            return
        if len(self._queue) >= QUEUE_LIMIT:
            self._queue.popleft()
            self.dropped += 1
        self._queue.append(event)
        self._came.set()

    def fail(self, error: Exception) -> None:
        """What waits can still be taken, then the error is raised."""
        self._failure = error
        self._came.set()

    async def next(self, timeout_s: float | None = None) -> Event:
        """The next event. Raises TimeoutError, and EOFError once the stream is closed."""
        while not self._queue:
            if self._failure is not None:
                raise self._failure
            if self._closed:
                raise EOFError("the stream of events is closed")
            self._came.clear()
            await asyncio.wait_for(self._came.wait(), timeout_s)
        return self._queue.popleft()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._came.set()
            self._on_close(self)

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> Event:
        try:
            return await self.next()
        except EOFError:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> EventStream:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


class Events:
    """What a client does with the events of its node: streams and handlers, over one subscription."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.own_id = ""
        self._began = time.monotonic()
        self._streams: list[EventStream] = []
        self._handlers: dict[str, list[Callable[[Event], object]]] = {}
        self._subscription: Subscription | None = None
        self._topics: dict[int, Subscription] = {}
        self._starting = asyncio.Lock()

    def now(self) -> float:
        return time.monotonic() - self._began

    async def _listen(self) -> None:
        async with self._starting:
            if self._subscription is None:
                subscription = Subscription(self.link, (), self._take)
                await subscription.start()
                self._subscription = subscription

    async def stream(self, kinds: tuple[str, ...]) -> EventStream:
        stream = EventStream(kinds, self._streams.remove)
        await self._listen()
        self._streams.append(stream)
        return stream

    async def on(self, kind: str, handler: Callable[[Event], object]) -> None:
        check_kinds((kind,))
        if kind not in _OF_OPERATIONS:
            await self._listen()
        self._handlers.setdefault(kind, []).append(handler)

    def off(self, kind: str, handler: Callable[[Event], object]) -> None:
        if handler not in self._handlers.get(kind, []):
            raise ValueError(f"handler: not set for {kind!r}")
        self._handlers[kind].remove(handler)

    async def subscribe(self, topic: int) -> None:
        """The node hears the topic for as long as this stream, whose events all others tell as well."""
        if topic not in self._topics:
            subscription = Subscription(self.link, (topic,), lambda _: None)
            await subscription.start()
            self._topics[topic] = subscription

    async def unsubscribe(self, topic: int) -> None:
        if topic in self._topics:
            await self._topics.pop(topic).close()

    def tell(self, kind: str, **fields: Any) -> None:
        """An event that the client itself knows of: the end of an operation."""
        self._hand_out(Event(kind=kind, time_s=self.now(), peer=self.own_id, **fields))

    def _take(self, told: control.Event | None) -> None:
        if told is None:
            assert self._subscription is not None
            assert self._subscription.failure is not None
            for stream in self._streams:
                stream.fail(self._subscription.failure)
            return
        # Topics of other clients of the node are theirs.
        if told.HasField("broadcast") and told.broadcast.topic not in (0, *self._topics):
            return
        event = _convert.event(told, self.own_id, self.now())
        if event is not None:
            self._hand_out(event)

    def _hand_out(self, event: Event) -> None:
        for stream in list(self._streams):
            stream.offer(event)
        for handler in list(self._handlers.get(event.kind, ())):
            handler(event)

    async def close(self) -> None:
        for stream in list(self._streams):
            stream.close()
        for topic in list(self._topics):
            await self.unsubscribe(topic)
        if self._subscription is not None:
            await self._subscription.close()
