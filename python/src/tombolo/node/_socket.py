"""Datagrams between nodes: `Socket`, like a UDP socket with peer ids for addresses.

After `PeerRelay.Socket` of peer-relay, for programs that expect a datagram socket. What is sent is a
message of the node (`Client.send`), so either side may also use a client. As with UDP there is no
promise: datagrams may be lost, and one that finds the receive queue full is dropped and counted.
"""

from __future__ import annotations

import errno
import select
import socket as sockets
import threading
import time
from collections import deque
from concurrent.futures import Future
from os import PathLike

from tombolo.ids import Id
from tombolo.node import _convert, _loop
from tombolo.node._async_client import DEFAULT_ADDRESS, AsyncClient
from tombolo.results import Event, Sent

MAX_DATAGRAM = _convert.PAYLOAD_LIMIT
_SENDING = 256  # datagrams under way to the node at once


class Socket:
    """A datagram socket of a node.

        with Socket() as socket:
            socket.bind("127.0.0.1:7401")
            socket.settimeout(5)
            socket.sendto(b"ping", peer_id)
            data, sender = socket.recvfrom()

    queue_limit  datagrams that wait to be received; then new ones are dropped (`dropped`)

    token, ca, tls are those of a `Client`. Any thread may use it. `fileno` works with select, poll and
    asyncio's add_reader: readable while something waits.

    dropped  datagrams that came while the queue was full, or that were lost on the way from the node
    failed   datagrams sent that no first hop would take, or that the node refused
    """

    def __init__(
        self,
        *,
        token: str | None = None,
        ca: str | PathLike[str] | bytes | None = None,
        tls: bool = False,
        queue_limit: int = 1024,
    ) -> None:
        self._settings = {"token": token, "ca": ca, "tls": tls}
        self._limit = _convert.whole(queue_limit, "queue_limit", 1, 1 << 20)
        self._client: AsyncClient | None = None
        self._timeout: float | None = None
        self._queue: deque[tuple[bytes, str]] = deque()
        self._lock = threading.Lock()
        self._places = threading.Semaphore(_SENDING)
        self._readable, self._wake = sockets.socketpair()
        self._closed = False
        self.dropped = 0
        self.failed = 0

    # ---- Life.

    def bind(self, address: str = DEFAULT_ADDRESS) -> None:
        """Becomes a socket of the node whose control API is at `address`.

        From here on nothing that comes for the node is left out. Raises `UnreachableError` and the like,
        and OSError if it is bound or closed.
        """
        self._check_open()
        if self._client is not None:
            raise OSError(errno.EINVAL, "the socket is bound")

        async def opened() -> AsyncClient:
            client = await AsyncClient(address, **self._settings).__aenter__()  # type: ignore[arg-type]
            try:
                await client.on("message", self._take)
                await client.on("missed", self._miss)
            except BaseException:
                await client.close()
                raise
            return client

        self._client = _loop.run(opened())

    def close(self) -> None:
        """Gives up what waits; whoever waits for a datagram gets an OSError. Twice is once."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._wake.send(b"\0")  # wakes up receivers, who close the reading end
        if self._client is not None:
            _loop.run(self._client.close())
        self._wake.close()
        self._readable.close()

    def getsockname(self) -> str:
        """The id of the node, which is the address of the socket."""
        return self._bound().id

    def _check_open(self) -> None:
        if self._closed:
            raise OSError(errno.EBADF, "the socket is closed")

    def _bound(self) -> AsyncClient:
        self._check_open()
        if self._client is None:
            raise OSError(errno.EINVAL, "the socket is not bound to a node")
        return self._client

    # ---- Blocking or not.

    def settimeout(self, seconds: float | None) -> None:
        """None: operations wait; 0: they raise BlockingIOError; else TimeoutError after `seconds`."""
        if seconds is not None and not seconds >= 0:
            raise ValueError(f"seconds = {seconds!r}: allowed is 0 and up, or None")
        self._timeout = seconds

    def gettimeout(self) -> float | None:
        return self._timeout

    def setblocking(self, flag: bool) -> None:
        self.settimeout(None if flag else 0.0)

    def getblocking(self) -> bool:
        return self._timeout != 0

    def fileno(self) -> int:
        """Readable while a datagram waits; -1 once closed. Only for waiting: bytes are not in it."""
        return -1 if self._closed else self._readable.fileno()

    # ---- Datagrams.

    def sendto(self, data: bytes, address: Id) -> int:
        """Sends one datagram to the node `address`; returns its length, and promises nothing.

        Waits while 256 are under way to the node. Raises OSError (EMSGSIZE) above 64 KiB.
        """
        client = self._bound()
        if len(data) > MAX_DATAGRAM:
            raise OSError(errno.EMSGSIZE, f"{len(data)} bytes, allowed are up to {MAX_DATAGRAM}")
        target = _convert.id_bytes(address, "address")
        if not self._places.acquire(blocking=self._timeout != 0, timeout=self._timeout or None):
            self._raise_late("sendto")
        payload = bytes(data)
        try:
            sending = _loop.begin(client.send(None, target, payload, size=0, receipt=False))
        except BaseException:
            self._places.release()
            raise
        sending.add_done_callback(self._sent)
        return len(payload)

    def _sent(self, ended: Future[Sent]) -> None:
        self._places.release()
        if ended.cancelled() or ended.exception() is not None or not ended.result().delivered:
            with self._lock:
                self.failed += 1

    def recvfrom(self, size: int = MAX_DATAGRAM) -> tuple[bytes, str]:
        """The next datagram and the id of its sender, which is proven.

        What is longer than `size` is cut off, as with UDP.
        """
        self._bound()
        end = None if self._timeout is None else time.monotonic() + self._timeout
        while True:
            with self._lock:
                if self._queue:
                    data, sender = self._queue.popleft()
                    if not self._queue:
                        self._readable.recv(1)
                    return data[:size], sender
            self._wait(end)
            self._check_open()

    def recv(self, size: int = MAX_DATAGRAM) -> bytes:
        """The next datagram."""
        return self.recvfrom(size)[0]

    def _wait(self, end: float | None) -> None:
        left = None if end is None else end - time.monotonic()
        if left is not None and left <= 0:
            self._raise_late("recvfrom")
        poll = select.poll()
        try:
            poll.register(self._readable, select.POLLIN)
        except ValueError:  # closed meanwhile
            return
        poll.poll(None if left is None else left * 1000 + 1)

    def _raise_late(self, what: str) -> None:
        if self._timeout == 0:
            raise BlockingIOError(errno.EAGAIN, f"{what} would have to wait")
        raise TimeoutError(f"{what}: timed out after {self._timeout} s")

    # On the thread of the loop. One byte is in the pipe while the queue has anything.
    def _take(self, event: Event) -> None:
        with self._lock:
            if self._closed:
                return
            if len(self._queue) >= self._limit:
                self.dropped += 1
                return
            self._queue.append((event.data, event.origin))
            if len(self._queue) == 1:
                self._wake.send(b"\0")

    def _miss(self, event: Event) -> None:
        with self._lock:
            self.dropped += event.events or 0

    def __enter__(self) -> Socket:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._closed else "unbound" if self._client is None else self._client.id
        return f"<tombolo.Socket: {state}>"
