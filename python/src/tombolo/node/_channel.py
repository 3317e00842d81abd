"""Channels: ordered streams of bytes between two nodes, as asyncio has them for TCP.

`open_channel` and `ChannelListener.accept` give a reader, an `asyncio.StreamReader`, and a
`ChannelWriter` with the methods of an `asyncio.StreamWriter`. Whoever does not read holds the other
end back, through both nodes.

Bounds: some 256 KiB per direction wait here, whatever the other end does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import grpc
import grpc.aio

from tombolo.node import _loop
from tombolo.node._errors import translate
from tombolo.node._link import Link
from tombolo.node._proto import control_pb2 as control

_RESET_S = 1.0  # that a reset may wait behind data; then the call is cancelled
_CHUNK = 64 * 1024  # bytes of a message
_BUFFER = (
    128 * 1024
)  # bytes that wait to be read, or to be sent, before the other side is held back


class ChannelResetError(ConnectionResetError):
    """The channel has ended before its time; what was on its way is lost.

    reason  cancelled, no_service, refused, overload, timeout, protocol, leaving, unknown
    text    of the application that has reset it
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(f"the channel was reset: {reason}" + (f" ({text})" if text else ""))
        self.reason = reason
        self.text = text


class _Reading:
    """What a StreamReader knows as its transport: it says when to stop reading, and when to go on."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.go_on.set()

    def pause_reading(self) -> None:
        self.go_on.clear()

    def resume_reading(self) -> None:
        self.go_on.set()

    def is_closing(self) -> bool:
        return False


class ChannelWriter:
    """One end of a channel, to be written to; `close` ends this end of it.

    peer, service  of the other node, and of what it has opened or serves
    """

    def __init__(self, link: Link) -> None:
        self.peer = ""
        self.service = ""
        self.reader = asyncio.StreamReader(limit=_BUFFER // 2)
        self._link = link
        self._call = link.both_ways("Channel")
        self._reading = _Reading()
        self.reader.set_transport(self._reading)  # type: ignore[arg-type]
        self._queue: deque[control.ChannelInput] = deque()
        self._queued = 0  # bytes
        self._changed = asyncio.Event()
        self._ending = False  # half_close is sent or queued
        self._eof = False  # the other end has closed
        self._discards = False  # nobody reads any more
        self._failure: Exception | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._aborting: asyncio.Task[None] | None = None
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def begin(self, first: control.ChannelInput) -> None:
        """Until the channel is open. Raises ChannelResetError, or as every call does."""
        try:
            await self._call.write(first)
            said = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise translate(error, "Channel", self._link.address) from None
        except asyncio.InvalidStateError:
            raise await self._reason() from None
        except asyncio.CancelledError:
            self._call.cancel()
            raise
        if said is grpc.aio.EOF:
            raise await self._reason()
        if said.WhichOneof("what") == "reset":
            self._call.cancel()
            raise _reset_error(said.reset)
        self.peer, self.service = said.opened.id.hex(), said.opened.service
        self._tasks = [_loop.background(self._read()), _loop.background(self._send())]
        self._link.keep(self)

    # ---- Writing.

    def write(self, data: bytes) -> None:
        """Hands over bytes, to be followed by `drain`. Raises RuntimeError after `write_eof`."""
        if self._ending:
            raise RuntimeError("this end of the channel is closed")
        if self._failure is not None:
            raise self._failure
        view = memoryview(data).cast("B")
        for start in range(0, len(view), _CHUNK):
            chunk = bytes(view[start : start + _CHUNK])
            self._queue.append(control.ChannelInput(data=chunk))
            self._queued += len(chunk)
        self._changed.set()

    def writelines(self, chunks: Any) -> None:
        for chunk in chunks:
            self.write(chunk)

    async def drain(self) -> None:
        """Until there is room again. Raises ChannelResetError if the channel has ended."""
        while self._queued > _BUFFER and self._failure is None:
            self._changed.clear()
            await self._changed.wait()
        if self._failure is not None:
            raise self._failure
        await asyncio.sleep(0)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        """No more data from here; what the other end sends still comes."""
        if not self._ending and self._failure is None:
            self._ending = True
            self._queue.append(control.ChannelInput(half_close=control.ChannelHalfClose()))
            self._changed.set()

    def close(self) -> None:
        """As `write_eof`; and what the other end still sends is thrown away."""
        self._discards = True
        self._reading.resume_reading()
        self.write_eof()

    def is_closing(self) -> bool:
        return self._ending or self._failure is not None

    async def wait_closed(self) -> None:
        """Until both ends have closed, or the channel was reset, which is no error here."""
        await asyncio.shield(self._over)
        await asyncio.wait(self._tasks)

    async def reset(self, text: str = "") -> None:
        """Ends the channel at once, with a reason (128 bytes) for the other end."""
        if self._failure is not None or self._over.done():
            return
        # The node ends the call when it has seen this; cancelling it could overtake what was sent.
        message = control.ChannelInput(reset=control.ChannelReset(text=text))
        self._ending = True
        self._queue.clear()
        self._queue.append(message)
        self._changed.set()
        await asyncio.wait([self._over], timeout=_RESET_S)
        await self.end(text)

    def abort(self) -> None:
        """As `reset`, but does not wait."""
        self._aborting = _loop.background(self.reset())

    async def end(self, text: str = "") -> None:
        """Gives the channel up here and now, as the end of the client does."""
        self._fail(ChannelResetError("cancelled", text))
        self._call.cancel()
        await asyncio.wait(self._tasks)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """ "peername" is the id of the other node, "service" what the channel is to."""
        return {"peername": self.peer, "service": self.service}.get(name, default)

    # ---- Tasks.

    async def _send(self) -> None:
        try:
            while True:
                while not self._queue:
                    self._changed.clear()
                    await self._changed.wait()
                message = self._queue.popleft()
                await self._call.write(message)
                self._queued -= len(message.data)
                self._changed.set()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            pass  # the reader says why

    async def _read(self) -> None:
        try:
            while (said := await self._call.read()) is not grpc.aio.EOF:
                what = said.WhichOneof("what")
                if what == "data":
                    if not self._discards:
                        self.reader.feed_data(said.data)
                        await self._reading.go_on.wait()
                elif what == "half_close":
                    self._eof = True
                    self.reader.feed_eof()
                elif what == "reset":
                    self._fail(_reset_error(said.reset))
            self._end(await self._reason())
        except grpc.aio.AioRpcError as error:
            self._end(translate(error, "Channel", self._link.address))

    async def _reason(self) -> Exception:
        """Why the call has ended."""
        code, detail = await self._call.code(), await self._call.details()
        if code is grpc.StatusCode.OK:
            return ChannelResetError("cancelled", "")
        return translate(
            grpc.aio.AioRpcError(code, None, None, details=detail),  # type: ignore[arg-type]
            "Channel",
            self._link.address,
        )

    def _end(self, why: Exception) -> None:
        """The call is over: in order, if both ends have closed."""
        if self._ending and self._eof:
            self._finish()
        else:
            self._fail(why)

    def _fail(self, error: Exception) -> None:
        if self._failure is None:
            self._failure = error
            self.reader.set_exception(error)
            self._finish()

    def _finish(self) -> None:
        if not self._over.done():
            self._over.set_result(None)
        self._link.drop(self)
        self._changed.set()
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()


def _reset_error(reset: control.ChannelReset) -> ChannelResetError:
    name = control.ChannelReset.Reason.Name(reset.reason).lower()
    return ChannelResetError(name, reset.text)


Streams = tuple[asyncio.StreamReader, ChannelWriter]


async def open_channel(link: Link, target: bytes, service: str) -> Streams:
    writer = ChannelWriter(link)
    await writer.begin(control.ChannelInput(open=control.ChannelOpen(id=target, service=service)))
    return writer.reader, writer


class ChannelListener:
    """Of `listen`: the channels that other nodes open to a service of this one.

    `waiting` of them are taken from the node before anybody accepts them here; others are told that
    there is no such service. Ends with `close`, which leaves accepted channels alone, or with the
    client, which ends those as well.
    """

    def __init__(self, link: Link, service: str, waiting: int) -> None:
        self.service = service
        self._link = link
        self._accepted: asyncio.Queue[Streams | Exception] = asyncio.Queue()
        self._places = asyncio.Semaphore(waiting)
        self._closed = False
        self._tasks = [_loop.background(self._serve()) for _ in range(waiting)]
        link.keep(self)

    async def _serve(self) -> None:
        """Keeps one call at the node until it is a channel, then another one."""
        accept = control.ChannelInput(accept=control.ChannelAccept(service=self.service))
        while True:
            await self._places.acquire()
            writer = ChannelWriter(self._link)
            try:
                await writer.begin(accept)
            except ChannelResetError:
                self._places.release()
                continue
            except Exception as error:
                self._accepted.put_nowait(error)
                return
            self._accepted.put_nowait((writer.reader, writer))

    async def accept(self) -> Streams:
        """The next channel. Raises EOFError once closed, or as every call does."""
        if self._closed and self._accepted.empty():
            raise EOFError("the listener is closed")
        accepted = await self._accepted.get()
        if isinstance(accepted, Exception):
            self._accepted.put_nowait(accepted)
            raise accepted
        self._places.release()
        return accepted

    def close(self) -> None:
        """The service is none any more."""
        if not self._closed:
            self._closed = True
            self._link.drop(self)
            for task in self._tasks:
                task.cancel()
            self._accepted.put_nowait(EOFError("the listener is closed"))

    async def end(self) -> None:
        """As `close`, until nothing of it is left: the client ends."""
        self.close()
        await asyncio.wait(self._tasks)

    def __aiter__(self) -> ChannelListener:
        return self

    async def __anext__(self) -> Streams:
        try:
            return await self.accept()
        except EOFError:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> ChannelListener:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
