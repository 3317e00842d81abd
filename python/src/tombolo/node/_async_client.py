"""A real node, for programs that run on asyncio: `AsyncClient`."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from os import PathLike
from typing import Any

import numpy as np

from tombolo.ids import Id
from tombolo.node import _batches, _channel, _convert
from tombolo.node._attachment import Attachment
from tombolo.node._channel import ChannelListener, Streams
from tombolo.node._events import Events, EventStream
from tombolo.node._link import Link
from tombolo.node._operations import Operations
from tombolo.node._proto import control_pb2 as control
from tombolo.node._results import Reloaded, Status, Topology
from tombolo.results import Event, Sent
from tombolo.table import Table

DEFAULT_ADDRESS = "127.0.0.1:7401"


class AsyncClient(Operations):
    """The control API of one real node, with the verbs of `tombolo.World`, as coroutines.

        async with AsyncClient("127.0.0.1:7401") as client:
            sent = await client.send(None, target, b"hello")     # .delivered .hops .latency_ms .reason
            async for event in await client.events("message"):
                print(event.origin, event.data)

    Where a World takes the peer that acts, this takes None or the id of the node: the node acts. Other
    peers are ids (40 hexadecimal digits or 20 bytes); real nodes have no numbers. Results are those of
    a World; what a real node cannot know is None. Times are seconds of this machine's clock unless a
    name says ``_ms``.

    address    HOST:PORT or unix:PATH of the control API
    token      of a node that asks for one; over TLS, loopback or a Unix socket only
    ca         certificates (PEM: a file, or its bytes) that the node's own must be signed by: uses TLS
    tls        use TLS with the certificates that the system trusts
    timeout_s  that a call may take; of sends, connects and broadcasts beyond their own deadline

    Every call may raise `UnreachableError` (a ConnectionError that names the address),
    `CallTimeoutError` (a TimeoutError), `UnauthenticatedError` (a PermissionError), `BusyError`, and
    ValueError or TypeError for arguments that are not allowed; all but the last two are `NodeError`.
    A client belongs to the event loop in which it was opened.
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
        self._link = Link(address, token, ca, tls, timeout_s)
        self._events = Events(self._link)
        self._id = b""

    async def open(self) -> AsyncClient:
        """Asks the node for its id; to be awaited first, as ``async with`` does."""
        reply = await self._link.ask("Status", control.StatusRequest())
        self._id = reply.id
        self._events.own_id = reply.id.hex()
        return self

    async def close(self) -> None:
        await self._events.close()
        await self._link.close()

    async def __aenter__(self) -> AsyncClient:
        try:
            return await self.open()
        except BaseException:
            await self.close()
            raise

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def address(self) -> str:
        """Of the control API."""
        return self._link.address

    @property
    def now(self) -> float:
        """Seconds since the client was made."""
        return self._events.now()

    # ---- Operations: further ones are those of `Operations`.

    async def lookups(self, count: int, *, rate_per_s: float | None = None) -> Table:
        """`count` lookups of random places; a row each, in order of start.

        rate_per_s  how many begin per second, evenly spaced; None: 64 at a time
        Columns: source, started_s, succeeded, hops, latency_ms, messages
        """
        rows = await _batches.run(
            self.lookup, [()] * _batches.check(count), rate_per_s, self._events.now
        )
        return _batches.lookup_table(rows)

    async def sends(
        self,
        count: int,
        *,
        rate_per_s: float | None = None,
        size: int = 64,
        deadline_s: float = 30.0,
        copies: int = 1,
    ) -> Table:
        """`count` messages to random nodes of this one's tables; a row each, in order of start.

        Columns: source, target, started_s, delivered, hops, latency_ms, reason
        """
        known = (await self.topology()).contacts()
        if not known:
            raise RuntimeError("sends: the node knows nobody yet")

        async def send(target: str) -> Sent:
            return await self.send(None, target, size=size, deadline_s=deadline_s, copies=copies)

        targets = [(random.choice(known),) for _ in range(_batches.check(count))]
        return _batches.send_table(await _batches.run(send, targets, rate_per_s, self._events.now))

    async def attach(self, client: Id, *, sequence: int | None = None) -> Attachment:
        """Makes a client findable at this node, under an id or name of its own, until it is closed.

        sequence  of the client's attachments, wherever, the highest wins; None: microseconds since 1970
        """
        place = _convert.key_bytes(client, "client")
        number = time.time_ns() // 1000 if sequence is None else sequence
        attachment = Attachment(self._link, place, _convert.whole(number, "sequence", 0, 2**64 - 1))
        await attachment.open()
        return attachment

    # ---- Channels.

    async def open_channel(self, target: Id, service: str) -> Streams:
        """An ordered, flow-controlled stream of bytes to a service of the node `target`.

        service  1 to 64 bytes, the name under which somebody at that node listens
        Gives an `asyncio.StreamReader` and a `ChannelWriter`. Raises `ChannelResetError` with a reason:
        no_service if nobody listens.
        """
        to = _convert.id_bytes(target, "target")
        opening = _channel.open_channel(self._link, to, _convert.service(service))
        return await asyncio.wait_for(opening, self._link.timeout_s)

    async def listen(self, service: str, *, waiting: int = 4) -> ChannelListener:
        """Serves channels that other nodes open to `service`: ``async for reader, writer in listener``.

        The node knows of the service a moment after this has returned, and does not say when: whoever
        opens a channel at once may still be told no_service.
        waiting  channels that are taken before anybody has accepted them; further ones are refused
        """
        count = _convert.whole(waiting, "waiting", 1, 1024)
        return ChannelListener(self._link, _convert.service(service), count)

    # ---- Events.

    async def events(self, *kinds: str) -> EventStream:
        """The events of these kinds from now on, or of all; see `Event` for what they carry.

        A lost connection to the node is made again; an event of kind "missed" then says that some may
        be missing (``events``: how many, None if nobody knows).
        """
        return await self._events.stream(kinds)

    async def on(self, kind: str, handler: Callable[[Event], object]) -> None:
        """Calls ``handler(event)`` for every event of `kind`, in the event loop."""
        await self._events.on(kind, handler)

    def off(self, kind: str, handler: Callable[[Event], object]) -> None:
        """Takes a handler back. Raises ValueError if it was not set."""
        self._events.off(kind, handler)

    # ---- Observation.

    async def status(self) -> Status:
        """Who the node is, how it is, and what it has counted."""
        reply = await self._link.ask("Status", control.StatusRequest())
        return Status(
            id=reply.id.hex(),
            version=reply.version,
            state=control.StatusReply.State.Name(reply.state).lower(),
            uptime_s=reply.uptime_ms / 1000,
            listening=reply.listening,
            http=reply.http,
            addresses=tuple(reply.addresses),
            dialable=reply.dialable,
            connections=reply.connections,
            links=reply.links,
            contacts=reply.contacts,
            counters=dict(sorted(reply.counters.items())),
        )

    async def peers(self) -> Table:
        """A row per node that this one has a connection to, in order of ids.

        Columns: id, address, outbound (it was dialled), kept (by the overlay), rtt_ms (NaN: unknown),
        since_s, queued_bytes
        """
        peers = (await self._link.ask("Peers", control.PeersRequest())).peers
        return Table(
            {
                "id": _convert.ids(peer.id for peer in peers),
                "address": np.array([peer.address for peer in peers], dtype=str),
                "outbound": np.array([peer.outbound for peer in peers], dtype=bool),
                "kept": np.array([peer.kept for peer in peers], dtype=bool),
                "rtt_ms": np.array([peer.rtt_us / 1000 or np.nan for peer in peers], dtype=float),
                "since_s": np.array([peer.since_ms / 1000 for peer in peers], dtype=float),
                "queued_bytes": np.array([peer.queued_bytes for peer in peers], dtype=np.uint64),
            }
        )

    async def topology(self) -> Topology:
        """What the node's tables hold."""
        reply = await self._link.ask("Topology", control.TopologyRequest())

        def texts(rows: Any) -> tuple[str, ...]:
            return tuple(row.hex() for row in rows)

        return Topology(
            {bucket.level: texts(bucket.contacts) for bucket in reply.buckets},
            texts(reply.successors),
            texts(reply.predecessors),
            texts(reply.links),
        )

    async def wait_joined(self, limit_s: float = 60.0) -> float:
        """Until the node is part of an overlay with others; the seconds that it took.

        Raises TimeoutError after `limit_s`.
        """
        began = time.monotonic()
        while True:
            status = await self.status()
            if status.state == "joined" and status.contacts > 0:
                return time.monotonic() - began
            if time.monotonic() - began >= limit_s:
                raise TimeoutError(f"the node is {status.state} after {limit_s:g} s")
            await asyncio.sleep(0.02)

    async def reload(self) -> Reloaded:
        """Reads the configuration anew, as SIGHUP does. Raises ValueError with the reason if it is bad."""
        reply = await self._link.ask("Reload", control.ReloadRequest())
        return Reloaded(tuple(reply.changed), tuple(reply.restart_required))

    async def drain(self) -> None:
        """The node leaves the overlay and its process ends, as after SIGTERM."""
        await self._link.ask("Drain", control.DrainRequest())

    def __repr__(self) -> str:
        return (
            f"<tombolo.node.{type(self).__name__}: node {self._id.hex() or '?'} at {self.address}>"
        )
