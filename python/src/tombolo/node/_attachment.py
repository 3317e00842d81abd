"""A client of another system, findable at a node: `Attachment`."""

from __future__ import annotations

import asyncio

import grpc
import grpc.aio

from tombolo.node._errors import UnreachableError, translate
from tombolo.node._link import Link
from tombolo.node._proto import control_pb2 as control


class Attachment:
    """Of `Client.attach`. Lasts until it is closed, the client is attached anew elsewhere, or the
    connection to the node ends.

    client    the id under which it is found
    attached  some node knows of it
    holders   nodes that do
    home      the node where the client is attached now, once this attachment is not the latest
    """

    def __init__(self, link: Link, client: bytes, sequence: int) -> None:
        self.client = client.hex()
        self.attached = False
        self.holders = 0
        self.home: str | None = None
        self._link = link
        key = control.Key(id=client)
        self._call = link.stream("Attach", control.AttachRequest(client=key, sequence=sequence))

    async def open(self) -> None:
        """Until it is known how it went. Raises as every call does."""
        try:
            reply = await asyncio.wait_for(self._call.read(), self._link.timeout_s)
        except grpc.aio.AioRpcError as error:
            raise translate(error, "Attach", self._link.address) from None
        except TimeoutError:
            self.close()
            raise
        if reply is grpc.aio.EOF:
            raise UnreachableError(f"Attach: the node at {self._link.address} has ended the call")
        self._take(reply)

    async def moved(self) -> str:
        """Waits until the client is attached anew, at this node or another: the id of that node."""
        while self.home is None:
            try:
                reply = await self._call.read()
            except grpc.aio.AioRpcError as error:
                raise translate(error, "Attach", self._link.address) from None
            if reply is grpc.aio.EOF:
                raise UnreachableError(
                    f"Attach: the node at {self._link.address} has ended the call"
                )
            self._take(reply)
        return self.home

    def _take(self, reply: control.AttachReply) -> None:
        self.attached, self.holders = reply.attached, reply.holders
        if reply.home:
            self.home = reply.home.hex()

    def close(self) -> None:
        """The client is found no longer."""
        self._call.cancel()

    async def __aenter__(self) -> Attachment:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
