"""A client of another system, findable at a node: `Attachment`."""

from __future__ import annotations

import asyncio

import grpc
import grpc.aio

from tombolo.node._errors import UnreachableError, translate
from tombolo.node._link import Link
from tombolo.node._proto import control_pb2 as control


class Attachment:
    """Of `Client.attach`. Lasts until it is closed, or the connection to the node ends.

    client    the id under which it is found
    attached  some node knows of it
    holders   nodes that do
    """

    def __init__(self, link: Link, client: bytes, sequence: int) -> None:
        self.client = client.hex()
        self.attached = False
        self.holders = 0
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
        self.attached, self.holders = reply.attached, reply.holders

    def close(self) -> None:
        """The client is found no longer."""
        self._call.cancel()

    async def __aenter__(self) -> Attachment:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
