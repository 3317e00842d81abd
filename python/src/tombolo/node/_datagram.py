"""Datagrams between nodes for asyncio: `create_datagram_endpoint`, as event loops have it for UDP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from os import PathLike
from typing import Any, TypeVar

from tombolo.ids import Id
from tombolo.node import _convert
from tombolo.node._async_client import DEFAULT_ADDRESS, AsyncClient
from tombolo.results import Event

ProtocolT = TypeVar("ProtocolT", bound=asyncio.BaseProtocol)
_SENDING = 256  # datagrams under way to the node at once; further ones are dropped


class DatagramTransport(asyncio.DatagramTransport):
    """Addresses are peer ids: 40 hexadecimal digits, or 20 bytes in `sendto`.

    ``get_extra_info("sockname")`` is the id of the node, "client" its `AsyncClient`. A datagram that
    finds 256 under way, or that no first hop takes, is dropped; `dropped` counts them, and the protocol's
    ``error_received`` hears of what went wrong with the node.
    """

    def __init__(self, client: AsyncClient, protocol: asyncio.BaseProtocol) -> None:
        super().__init__({"sockname": client.id, "client": client})
        self.dropped = 0
        self._client = client
        self._protocol: Any = protocol
        self._sending: set[asyncio.Task[None]] = set()
        self._closing: asyncio.Task[None] | None = None

    def take(self, event: Event) -> None:
        if self._closing is None:
            self._protocol.datagram_received(event.data, event.origin)

    def sendto(self, data: bytes, addr: Id | None = None) -> None:  # type: ignore[override]
        """Sends one datagram of at most 64 KiB. Raises ValueError above that, or for no peer id."""
        if addr is None:
            raise ValueError("addr: there is no default, give the id of a peer")
        target = _convert.id_bytes(addr, "addr")
        payload = _convert.payload(data, 0)
        if self._closing is not None or len(self._sending) >= _SENDING:
            self.dropped += 1
            return
        task = asyncio.ensure_future(self._send(target, payload))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, target: bytes, payload: bytes) -> None:
        try:
            sent = await self._client.send(None, target, payload, size=0, receipt=False)
            self.dropped += not sent.delivered
        except Exception as error:
            self.dropped += 1
            if self._closing is None:
                self._protocol.error_received(error)

    def is_closing(self) -> bool:
        return self._closing is not None

    def close(self) -> None:
        """Datagrams under way are sent, then ``connection_lost(None)`` is called."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._end())

    def abort(self) -> None:
        """As `close`, but gives up what is under way."""
        for task in self._sending:
            task.cancel()
        self.close()

    async def _end(self) -> None:
        if self._sending:
            await asyncio.wait(self._sending)
        await self._client.close()
        self._protocol.connection_lost(None)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol


async def create_datagram_endpoint(
    protocol_factory: Callable[[], ProtocolT],
    address: str = DEFAULT_ADDRESS,
    *,
    token: str | None = None,
    ca: str | PathLike[str] | bytes | None = None,
    tls: bool = False,
) -> tuple[DatagramTransport, ProtocolT]:
    """A transport and a protocol for datagrams of the node whose control API is at `address`.

    The protocol is an `asyncio.DatagramProtocol`: ``datagram_received(data, addr)`` gets the proven id
    of the sender. Arguments and errors are those of `AsyncClient`.
    """
    client = await AsyncClient(address, token=token, ca=ca, tls=tls).__aenter__()
    try:
        protocol = protocol_factory()
        transport = DatagramTransport(client, protocol)
        protocol.connection_made(transport)
        await client.on("message", transport.take)
    except BaseException:
        await client.close()
        raise
    return transport, protocol
