"""A real node, for programs and notebooks without asyncio: `Client`."""

from __future__ import annotations

import functools
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from os import PathLike
from typing import Any, Concatenate, ParamSpec, TypeVar

from tombolo.ids import Id
from tombolo.node import _loop
from tombolo.node._async_client import DEFAULT_ADDRESS, AsyncClient
from tombolo.node._attachment import Attachment
from tombolo.node._events import QUEUE_LIMIT, EventStream, check_kinds
from tombolo.node._sync_channel import Channel, SyncChannelListener
from tombolo.results import Event

P = ParamSpec("P")
R = TypeVar("R")
Handler = Callable[[Event], object]


def _waits(
    verb: Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[Client, P], R]:
    """The verb of the `AsyncClient`, run to its end; then handlers hear what has happened."""

    @functools.wraps(verb)
    def call(self: Client, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return _loop.run(verb(self._async, *args, **kwargs))
        finally:
            self._dispatch()

    return call


class Client:
    """The control API of one real node, with the verbs of `tombolo.World`: a cell runs against either.

        with Client("127.0.0.1:7401") as client:
            client.send(None, target, b"hello").delivered
            client.lookups(100).to_pandas()

    Arguments, results and errors are those of `AsyncClient`; every method returns when it is done. The
    connection is made here, so a node that is not there is an `UnreachableError` at once.

    Any thread may use it, and a forked process must make its own. Handlers (`on`) are called on the
    thread that calls the client, after each operation and during `run`.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        token: str | None = None,
        ca: str | PathLike[str] | bytes | None = None,
        tls: bool = False,
        timeout_s: float = 30.0,
    ) -> None:
        async def opened() -> AsyncClient:
            inner = AsyncClient(address, token=token, ca=ca, tls=tls, timeout_s=timeout_s)
            return await inner.__aenter__()

        self._handlers: dict[str, list[Handler]] = {}
        self._waiting: deque[Event] = deque()
        self._came = threading.Event()
        self._dropped = 0
        self._async = _loop.run(opened())

    # ---- Operations: see `AsyncClient`.

    lookup = _waits(AsyncClient.lookup)
    send = _waits(AsyncClient.send)
    put = _waits(AsyncClient.put)
    get = _waits(AsyncClient.get)
    connect = _waits(AsyncClient.connect)
    disconnect = _waits(AsyncClient.disconnect)
    broadcast = _waits(AsyncClient.broadcast)
    subscribe = _waits(AsyncClient.subscribe)
    unsubscribe = _waits(AsyncClient.unsubscribe)
    lookups = _waits(AsyncClient.lookups)
    sends = _waits(AsyncClient.sends)
    status = _waits(AsyncClient.status)
    peers = _waits(AsyncClient.peers)
    topology = _waits(AsyncClient.topology)
    wait_joined = _waits(AsyncClient.wait_joined)
    reload = _waits(AsyncClient.reload)
    drain = _waits(AsyncClient.drain)

    def attach(self, client: Id, *, sequence: int | None = None) -> SyncAttachment:
        """Makes a client findable at this node, under an id or name of its own, until it is closed."""
        return SyncAttachment(_loop.run(self._async.attach(client, sequence=sequence)))

    # ---- Channels.

    def open_channel(self, target: Id, service: str) -> Channel:
        """An ordered, flow-controlled stream of bytes to a service of the node `target`.

        Raises ChannelResetError with a reason: no_service if nobody there listens.
        """
        return Channel(_loop.run(self._async.open_channel(target, service)))

    def listen(self, service: str, *, waiting: int = 4) -> SyncChannelListener:
        """Serves channels that other nodes open to `service`; see `SyncChannelListener.accept`.

        The node knows of it a moment later: until then whoever opens a channel is told no_service.
        """
        return SyncChannelListener(_loop.run(self._async.listen(service, waiting=waiting)))

    # ---- Events.

    def events(self, *kinds: str) -> SyncEventStream:
        """The events of these kinds from now on, or of all, to iterate over; see `AsyncClient.events`."""
        return SyncEventStream(_loop.run(self._async.events(*kinds)))

    def on(self, kind: str, handler: Handler | None = None) -> Any:
        """Calls ``handler(event)`` for every event of `kind`; also a decorator, as of a World.

        At most 10,000 events wait for the next operation or `run`; then the oldest are dropped, and
        `dropped_events` counts them.
        """
        if handler is None:
            return lambda function: self.on(kind, function)
        check_kinds((kind,))
        if not self._handlers.get(kind):
            _loop.run(self._async.on(kind, self._take))
        self._handlers.setdefault(kind, []).append(handler)
        return handler

    def off(self, kind: str, handler: Handler) -> None:
        """Takes a handler back. Raises ValueError if it was not set."""
        if handler not in self._handlers.get(kind, []):
            raise ValueError(f"handler: not set for {kind!r}")
        self._handlers[kind].remove(handler)
        if not self._handlers[kind]:
            _loop.run(self._off(kind))

    async def _off(self, kind: str) -> None:
        self._async.off(kind, self._take)

    def _take(self, event: Event) -> None:
        """On the thread of the loop."""
        if len(self._waiting) >= QUEUE_LIMIT:
            self._waiting.popleft()
            self._dropped += 1
        self._waiting.append(event)
        self._came.set()

    def _dispatch(self) -> None:
        while self._waiting:
            event = self._waiting.popleft()
            for handler in list(self._handlers.get(event.kind, ())):
                handler(event)

    def run(self, seconds: float, progress: bool | None = None) -> Client:
        """Lets `seconds` pass, with handlers called as events come; returns the client, for chaining."""
        if not 0 <= seconds <= 1e9:
            raise ValueError(f"seconds = {seconds!r}: allowed is 0 to 1e9")
        end = time.monotonic() + seconds
        while True:
            self._came.clear()
            self._dispatch()
            left = end - time.monotonic()
            if left <= 0:
                return self
            self._came.wait(left)

    @property
    def dropped_events(self) -> int:
        """That nobody took in time."""
        return self._dropped

    # ---- Observation.

    @property
    def address(self) -> str:
        """Of the control API."""
        return self._async.address

    @property
    def id(self) -> str:
        """Of the node, 40 hexadecimal digits."""
        return self._async.id

    @property
    def now(self) -> float:
        """Seconds since the client was made."""
        return self._async.now

    def close(self) -> None:
        _loop.run(self._async.close())

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return repr(self._async).replace("AsyncClient", "Client")


class SyncEventStream(Iterator[Event]):
    """Of `Client.events`: an iterator that waits for the next event; ends with `close`.

    At most 10,000 wait to be taken; then the oldest are dropped, and `dropped` counts them.
    """

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream

    @property
    def dropped(self) -> int:
        return self._stream.dropped

    def next(self, timeout_s: float | None = None) -> Event:
        """The next event. Raises TimeoutError, and EOFError once the stream is closed."""
        return _loop.run(self._stream.next(timeout_s))

    def __next__(self) -> Event:
        try:
            return self.next()
        except EOFError:
            raise StopIteration from None

    def close(self) -> None:
        async def close() -> None:
            self._stream.close()

        _loop.run(close())

    def __enter__(self) -> SyncEventStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SyncAttachment:
    """Of `Client.attach`. Lasts until it is closed, the client is attached anew elsewhere, or the
    connection to the node ends."""

    def __init__(self, inner: Attachment) -> None:
        self._inner = inner
        self.client = inner.client

    @property
    def attached(self) -> bool:
        return self._inner.attached

    @property
    def holders(self) -> int:
        return self._inner.holders

    @property
    def home(self) -> str | None:
        return self._inner.home

    def moved(self) -> str:
        """Waits until the client is attached anew, at this node or another: the id of that node."""
        return _loop.run(self._inner.moved())

    def close(self) -> None:
        """The client is found no longer."""

        async def close() -> None:
            self._inner.close()

        _loop.run(close())

    def __enter__(self) -> SyncAttachment:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
