"""A TCP proxy in front of every node of a cluster that can delay, cut and heal each path.

Each node has a port here that it tells others as its own. Whoever dials it is found out by its process
(`_sockets`), so each connection belongs to a pair of nodes and each of its directions to a path.

What a cut path does is what a network without that path would do:

- Bytes vanish from view: no reset and no end is seen. What was sent waits here, up to 4 MiB per
  direction, then in the kernel, as it waits for retransmission in a real sender.
- A new connection needs both directions. Until then it hangs; if the dialler gives up, it is dropped.
- When the path returns, what waits is carried on. If either side has ended the connection meanwhile,
  what waits is dropped and the other side is reset, which is what its next segment would bring it.

Differences: TCP itself would resume only with its next retransmission, up to the length of the cut
later; and with one direction cut a real sender stalls after a window without acknowledgements, while
here the other direction flows on.

Everything runs on one thread of its own; the methods of `Proxy` may be called from any.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from tombolo.cluster import _sockets

_CHUNK = 65_536  # bytes
_QUEUE_CHUNKS = 64  # per direction
_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR
_LOOK_AFTER_S = 1.0  # how often a hanging dialler is looked after
_BACKLOG = 128

Wish = Callable[[int, int], tuple[bool, float]]  # (from, to) -> (open, seconds one way)


class Path:
    """One direction between two nodes."""

    def __init__(self) -> None:
        self.delay_s = 0.0
        self.open = asyncio.Event()

    def set(self, is_open: bool, delay_s: float) -> None:
        self.delay_s = delay_s
        if is_open:
            self.open.set()
        else:
            self.open.clear()


class _ResetError(Exception):
    """One side has ended without a word, or while it was cut off."""


def _reset(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _has_gone(connection: socket.socket) -> bool:
    """True if the other side has closed, whether or not what it sent has been read."""
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP)
    return any(event & _GONE for _, event in poll.poll(0))


class _Pump:
    """Carries the bytes of one direction of a connection."""

    def __init__(self, source: socket.socket, sink: socket.socket, path: Path) -> None:
        self.source, self.sink, self.path = source, sink, path
        self.queue: asyncio.Queue[tuple[float, bytes | None]] = asyncio.Queue(_QUEUE_CHUNKS)
        self.source_ended = False

    async def run(self) -> None:
        """Until the source has ended in order; raises _ResetError if it did not."""
        reading = asyncio.ensure_future(self._read())
        try:
            await self._write()
        finally:
            reading.cancel()

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        data: bytes | None = b"."
        while data:
            try:
                data = await loop.sock_recv(self.source, _CHUNK)
            except OSError:
                data = None
            self.source_ended = not data
            await self.queue.put((loop.time() + self.path.delay_s, data))

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, data = await self.queue.get()
            if not self.path.open.is_set():
                await self.path.open.wait()
                if self.source_ended:
                    raise _ResetError
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            if data is None:
                raise _ResetError
            with contextlib.suppress(OSError):  # the end of the sink is for the other pump to tell
                if data:
                    await loop.sock_sendall(self.sink, data)
                else:
                    self.sink.shutdown(socket.SHUT_WR)
            if not data:
                return


class Proxy:
    """The ports of a cluster's nodes and the paths between them.

    counts   connections by what became of them: "carried", "strangers" (no node dialled: reset),
             "refused" (the node does not run), "abandoned" (the dialler gave up behind a cut)
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._listeners: dict[int, socket.socket] = {}
        # Ports where nodes listen, once they are known; nodes that are down have none.
        self._targets: dict[int, asyncio.Future[int]] = {}
        self._pids: dict[int, int] = {}  # node of a process
        self._paths: dict[tuple[int, int], Path] = {}
        self._wish: Wish = lambda _a, _b: (True, 0.0)
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    # ---- For any thread.

    def open(self, node: int) -> str:
        """The address that stands for the node from now on, HOST:PORT."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        listener.setblocking(False)
        self._listeners[node] = listener
        self._loop.call_soon_threadsafe(self._spawn, self._accept(node, listener))
        return f"127.0.0.1:{listener.getsockname()[1]}"

    def listen_at(self, node: int) -> str:
        """Where the process of the node is to listen."""
        return "127.0.0.1:0"

    def prefix(self, node: int) -> list[str]:
        """What the command of the node begins with."""
        return []

    def check_delay(self, of_pair: bool) -> None:
        """Every delay is possible."""

    def starts(self, node: int, pid: int) -> None:
        """The node runs as this process. Connections to it wait until it is said where it listens."""
        self._call(self._starts, node, pid)

    def listens(self, node: int, port: int) -> None:
        self._call(lambda: self._targets[node].set_result(port))

    def ends(self, node: int) -> None:
        """The process has ended: connections to the node are refused."""
        self._call(self._ends, node)

    def shape(self, wish: Wish) -> None:
        """From now on paths are as `wish` says."""
        self._call(self._shape, wish)

    def close(self) -> None:
        """Ends every connection and the thread."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        async def call() -> None:
            function(*arguments)

        asyncio.run_coroutine_threadsafe(call(), self._loop).result()

    # ---- On the thread.

    def _starts(self, node: int, pid: int) -> None:
        self._pids[pid] = node
        self._targets[node] = self._loop.create_future()

    def _ends(self, node: int) -> None:
        self._pids = {pid: other for pid, other in self._pids.items() if other != node}
        if (target := self._targets.pop(node, None)) is not None:
            target.cancel()

    def _shape(self, wish: Wish) -> None:
        self._wish = wish
        for (a, b), path in self._paths.items():
            path.set(*wish(a, b))

    def _path(self, a: int, b: int) -> Path:
        if (a, b) not in self._paths:
            path = self._paths[a, b] = Path()
            path.set(*self._wish(a, b))
        return self._paths[a, b]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(self) -> None:
        tasks = self._tasks - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for listener in self._listeners.values():
            listener.close()

    async def _accept(self, node: int, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = await self._loop.sock_accept(listener)
            except OSError:  # no descriptors left: those who wait are served later
                self.counts["accept_failed"] += 1
                await asyncio.sleep(0.05)
                continue
            connection.setblocking(False)
            self._spawn(self._serve(connection, node))

    async def _serve(self, client: socket.socket, target: int) -> None:
        in_order = False
        try:
            in_order = await self._connect(client, target)
        finally:
            if in_order:
                client.close()
            else:
                _reset(client)

    async def _connect(self, client: socket.socket, target: int) -> bool:
        """Until the connection has ended; False if not in order, or if none came about."""
        try:
            pid = _sockets.dialler(client, self._pids)
        except OSError:  # it has gone
            pid = None
        if pid is None or pid not in self._pids:
            self.counts["strangers"] += 1
            return False
        forth, back = self._path(self._pids[pid], target), self._path(target, self._pids[pid])
        if not await self._handshake(client, forth, back):
            self.counts["abandoned"] += 1
            return False
        upstream = await self._dial(target)
        if upstream is None:
            self.counts["refused"] += 1
            return False
        self.counts["carried"] += 1
        return await self._carry(client, upstream, forth, back)

    async def _dial(self, target: int) -> socket.socket | None:
        port = self._targets.get(target)
        if port is None:
            return None
        await asyncio.wait([port])
        if port.cancelled():
            return None
        upstream = socket.socket()
        upstream.setblocking(False)
        try:
            await self._loop.sock_connect(upstream, ("127.0.0.1", port.result()))
        except OSError:
            upstream.close()
            return None
        return upstream

    async def _handshake(self, client: socket.socket, forth: Path, back: Path) -> bool:
        """Waits for both directions, and for a round trip. False if the dialler has gone."""
        while not (forth.open.is_set() and back.open.is_set()):
            for path in (forth, back):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(path.open.wait(), _LOOK_AFTER_S)
            if _has_gone(client):
                return False
        if forth.delay_s + back.delay_s > 0:
            await asyncio.sleep(forth.delay_s + back.delay_s)
        return True

    async def _carry(
        self, client: socket.socket, upstream: socket.socket, forth: Path, back: Path
    ) -> bool:
        for end in (client, upstream):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pumps = (_Pump(client, upstream, forth), _Pump(upstream, client, back))
        tasks = [self._loop.create_task(pump.run()) for pump in pumps]
        in_order = False
        try:
            await asyncio.gather(*tasks)
            in_order = True
        except _ResetError:
            pass
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if in_order:
                upstream.close()
            else:
                _reset(upstream)
        return in_order
