"""The verbs of `AsyncClient` that do one thing."""

from __future__ import annotations

import random
import time

from tombolo.ids import Id
from tombolo.node import _convert
from tombolo.node._events import Events
from tombolo.node._link import Link
from tombolo.node._proto import control_pb2 as control
from tombolo.results import Broadcast, Connected, Got, Lookup, Put, Sent

_SPARE_S = 5.0  # that a call may take beyond the deadline of what it asks for


class Operations:
    """The part of `AsyncClient` that acts."""

    _link: Link
    _events: Events
    _id: bytes  # of the node; empty until the client is open

    @property
    def id(self) -> str:
        """Of the node, 40 hexadecimal digits."""
        if not self._id:
            raise RuntimeError("the client is not open: use it in `async with`, or await open()")
        return self._id.hex()

    def _check_source(self, source: Id | None, argument: str = "source") -> None:
        if source is not None and _convert.id_bytes(source, argument) != self._id:
            raise ValueError(
                f"{argument} = {source!r}: this client speaks for node {self.id}; give None, or its id"
            )

    async def lookup(self, source: Id | None = None, key: Id | None = None) -> Lookup:
        """Finds the live nodes closest to `key` (an id or a name; None: a random place).

        `closest` has their ids, shape (k,); whether they are the closest of all nobody knows, nor how
        many did not answer: `closest_ok` and `dead` are None.
        """
        self._check_source(source)
        place = random.randbytes(20) if key is None else _convert.key_bytes(key)
        began = time.monotonic()
        reply = await self._link.ask("Lookup", control.LookupRequest(key=_convert.key_of(place)))
        result = Lookup(
            found=len(reply.closest) > 0,
            hops=reply.hops,
            latency_ms=(time.monotonic() - began) * 1000,
            closest_ok=None,
            messages=reply.messages,
            dead=None,
            source=self.id,
            key=place.hex(),
            closest=_convert.ids(reply.closest),
        )
        self._events.tell(
            "lookup", key=result.key, hops=result.hops, messages=result.messages, dead=None
        )
        return result

    async def send(
        self,
        source: Id | None,
        target: Id,
        data: bytes = b"",
        *,
        size: int = 64,
        deadline_s: float = 30.0,
        copies: int = 1,
        receipt: bool = True,
    ) -> Sent:
        """Relays bytes (or `size` zeros) to the node `target`, whose clients see an event "message".

        data     at most 64 KiB
        copies   node-disjoint copies, 1 to 8
        receipt  False: fire and forget; ``delivered`` then says only that the node took it
        """
        self._check_source(source)
        to = _convert.id_bytes(target, "target")
        request = control.SendRequest(
            id=to,
            payload=_convert.payload(data, _convert.whole(size, "size", 0, _convert.PAYLOAD_LIMIT)),
            deadline_ms=_convert.milliseconds(deadline_s, "deadline_s"),
            copies=_convert.whole(copies, "copies", 1, 8),
            no_receipt=not receipt,
        )
        reply = await self._link.ask("Send", request, deadline_s + _SPARE_S)
        why = _convert.reason(reply.failure)
        if why:
            self._events.tell("failed", reason=why)
        elif receipt:
            self._events.tell("delivered", hops=reply.hops)
        return Sent(not why, reply.hops, reply.elapsed_us / 1000, why, self.id, to.hex())

    async def put(
        self,
        source: Id | None,
        key: Id,
        value: bytes | str,
        *,
        ttl_s: float = 86_400.0,
        sequence: int | None = None,
    ) -> Put:
        """Stores `value` (at most 64 KiB) at the nodes closest to `key` (an id or a name).

        sequence  of the records of a key the highest wins; None: microseconds since 1970
        """
        self._check_source(source)
        place = _convert.key_bytes(key)
        number = time.time_ns() // 1000 if sequence is None else sequence
        request = control.PutRequest(
            key=_convert.key_of(place),
            value=_convert.payload(value.encode() if isinstance(value, str) else value, 0),
            sequence=_convert.whole(number, "sequence", 0, 2**64 - 1),
            ttl_s=max(1, _convert.milliseconds(ttl_s, "ttl_s") // 1000),
        )
        began = time.monotonic()
        reply = await self._link.ask("Put", request)
        self._events.tell("put", stored=reply.stored)
        return Put(reply.stored, (time.monotonic() - began) * 1000, self.id, place.hex())

    async def get(self, source: Id | None, key: Id) -> Got:
        """Finds the newest value of `key` (an id or a name). `messages` is None."""
        self._check_source(source)
        place = _convert.key_bytes(key)
        began = time.monotonic()
        reply = await self._link.ask("Get", control.GetRequest(key=_convert.key_of(place)))
        self._events.tell("get", found=reply.found, hops=reply.hops)
        return Got(
            found=reply.found,
            value=reply.value,
            sequence=reply.sequence,
            hops=reply.hops,
            latency_ms=(time.monotonic() - began) * 1000,
            messages=None,
            source=self.id,
            key=place.hex(),
        )

    async def connect(self, source: Id | None, target: Id) -> Connected:
        """A direct link to `target`, negotiated through relayed messages, and kept."""
        self._check_source(source)
        to = _convert.id_bytes(target, "target")
        began = time.monotonic()
        reply = await self._link.ask("Connect", control.ConnectRequest(id=to))
        why = _convert.reason(reply.failure)
        if why:
            self._events.tell("failed", reason=why)
        took_ms = (time.monotonic() - began) * 1000
        return Connected(not why, took_ms, why, self.id, to.hex())

    async def disconnect(self, source: Id | None, target: Id) -> None:
        """Closes the direct link, if there is one."""
        self._check_source(source)
        request = control.DisconnectRequest(id=_convert.id_bytes(target, "target"))
        await self._link.ask("Disconnect", request)

    async def broadcast(
        self,
        source: Id | None = None,
        data: bytes = b"",
        *,
        size: int = 64,
        topic: int = 0,
        ack: bool = False,
        ttl_s: float = 60.0,
        deadline_s: float = 60.0,
        max_hops: int = 64,
    ) -> Broadcast:
        """Sends bytes (or `size` zeros) to every node, or to subscribers of `topic`.

        With `ack` it ends when the node has heard from all, or after `deadline_s`; else at once, and
        then nobody knows whom it reached.

        ttl_s     how long nodes pass it on, to those who come or heal late as well
        max_hops  how many times it is passed on, 1 to 255
        """
        self._check_source(source)
        request = control.BroadcastRequest(
            payload=_convert.payload(data, _convert.whole(size, "size", 0, _convert.PAYLOAD_LIMIT)),
            topic=_convert.whole(topic, "topic", 0, 2**64 - 1),
            acknowledge=ack,
            deadline_ms=_convert.milliseconds(deadline_s, "deadline_s"),
            ttl_ms=_convert.milliseconds(ttl_s, "ttl_s"),
            max_hops=_convert.whole(max_hops, "max_hops", 1, 255),
        )
        began = time.monotonic()
        reply = await self._link.ask("Broadcast", request, deadline_s + _SPARE_S)
        if ack:
            self._events.tell("broadcast_done", reached=reply.delivered, complete=reply.complete)
        return Broadcast(
            reached=reply.delivered if ack else None,
            wanted=None,
            acknowledged=reply.delivered,
            hops=None,
            latency_ms=(time.monotonic() - began) * 1000,
            reason=_convert.reason(reply.failure),
            source=self.id,
            all_answered=reply.complete if ack else None,
        )

    async def subscribe(self, peer: Id | None, topic: int) -> None:
        """From now on, while the client is open, the node hears broadcasts of the topic."""
        self._check_source(peer, "peer")
        await self._events.subscribe(_convert.whole(topic, "topic", 1, 2**64 - 1))

    async def unsubscribe(self, peer: Id | None, topic: int) -> None:
        """This client wants broadcasts of the topic no longer."""
        self._check_source(peer, "peer")
        await self._events.unsubscribe(topic)
