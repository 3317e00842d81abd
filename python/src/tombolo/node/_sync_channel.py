"""Channels for programs without asyncio: one object for both directions, like a connected socket."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

from tombolo.node import _loop
from tombolo.node._channel import ChannelListener, Streams

T = TypeVar("T")


class Channel:
    """An ordered stream of bytes to a service of another node, or from one to a service of this.

        with client.open_channel(peer_id, "files") as channel:
            channel.sendall(b"name\\n")
            channel.shutdown()
            data = channel.recv_all()

    peer, service  id of the other node, and what the channel is to

    Calls wait at most as long as `settimeout` says, then raise TimeoutError; ChannelResetError (a
    ConnectionResetError with .reason and .text) says that the channel has ended before its time.
    """

    def __init__(self, streams: Streams) -> None:
        self._reader, self._writer = streams
        self._timeout: float | None = None
        self.peer = self._writer.peer
        self.service = self._writer.service

    def settimeout(self, seconds: float | None) -> None:
        """None: calls wait without end."""
        if seconds is not None and not seconds > 0:
            raise ValueError(f"seconds = {seconds!r}: allowed is above 0, or None")
        self._timeout = seconds

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return _loop.run(asyncio.wait_for(work, self._timeout))

    def sendall(self, data: bytes) -> None:
        """Sends bytes; waits while the other end does not read."""

        async def send() -> None:
            view = memoryview(data).cast("B")
            for start in range(0, len(view), 1 << 16):
                self._writer.write(view[start : start + (1 << 16)])
                await self._writer.drain()

        self._run(send())

    def recv(self, size: int = 1 << 16) -> bytes:
        """Some bytes, at most `size`; b"" once the other end has closed."""
        return self._run(self._reader.read(size))

    def recv_exactly(self, size: int) -> bytes:
        """So many bytes. Raises asyncio.IncompleteReadError, an EOFError, if it ends before."""
        return self._run(self._reader.readexactly(size))

    def recv_all(self, limit: float = math.inf) -> bytes:
        """Everything until the other end closes. Raises ValueError above `limit` bytes."""
        got = bytearray()
        while part := self.recv():
            got += part
            if len(got) > limit:
                raise ValueError(f"more than {limit} bytes came")
        return bytes(got)

    def shutdown(self) -> None:
        """No more data from here; what the other end sends still comes."""
        self._on_loop(self._writer.write_eof)

    def reset(self, text: str = "") -> None:
        """Ends the channel at once, with a reason for the other end."""
        _loop.run(self._writer.reset(text))

    def close(self) -> None:
        """As `shutdown`; and what the other end still sends is thrown away."""
        self._on_loop(self._writer.close)

    def wait_closed(self) -> None:
        """Until both ends have closed."""
        self._run(self._writer.wait_closed())

    @staticmethod
    def _on_loop(call: Any) -> None:
        async def run() -> None:
            call()

        _loop.run(run())

    def __enter__(self) -> Channel:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.reset()


class SyncChannelListener(Iterator[Channel]):
    """Of `Client.listen`: the channels that other nodes open to a service of this one."""

    def __init__(self, listener: ChannelListener) -> None:
        self._listener = listener
        self.service = listener.service

    def accept(self, timeout_s: float | None = None) -> Channel:
        """The next channel. Raises TimeoutError, and EOFError once closed."""
        return Channel(_loop.run(asyncio.wait_for(self._listener.accept(), timeout_s)))

    def __next__(self) -> Channel:
        try:
            return self.accept()
        except EOFError:
            raise StopIteration from None

    def close(self) -> None:
        """The service is none any more; accepted channels go on."""

        async def close() -> None:
            self._listener.close()

        _loop.run(close())

    def __enter__(self) -> SyncChannelListener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
