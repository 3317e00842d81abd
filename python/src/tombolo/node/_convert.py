"""Between the arguments and results of `tombolo.World` and the messages of the control API."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from tombolo.ids import Id, as_index, is_id, to_bytes
from tombolo.node._proto import control_pb2 as control
from tombolo.results import Event

PAYLOAD_LIMIT = 64 * 1024  # bytes of a message or value


def id_bytes(value: Id, argument: str) -> bytes:
    """The 20 bytes of an id. Numbers, which peers of a World have, are refused."""
    if as_index(value) is not None:
        raise TypeError(f"{argument} = {value!r}: real nodes have no numbers, give an id")
    return to_bytes(value, argument)  # type: ignore[arg-type]


def key_bytes(value: Id, argument: str = "key") -> bytes:
    """The place of an id or a name: of a name, the start of its SHA-256, as for tomboloctl."""
    if isinstance(value, str) and not is_id(value):
        return hashlib.sha256(value.encode()).digest()[:20]
    return id_bytes(value, argument)


def key_of(place: bytes) -> control.Key:
    return control.Key(id=place)


def payload(data: object, size: int) -> bytes:
    """The bytes to send: `data`, or `size` zeros if it is empty."""
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"data: {type(data).__name__}, must be bytes")
    sent = bytes(data) or bytes(size)
    if len(sent) > PAYLOAD_LIMIT:
        raise ValueError(f"data: {len(sent)} bytes, allowed are up to {PAYLOAD_LIMIT}")
    return sent


def milliseconds(seconds: float, argument: str) -> int:
    if isinstance(seconds, (bool, str)) or not hasattr(seconds, "__float__"):
        raise TypeError(f"{argument} = {seconds!r}: must be a number")
    if not 0.001 <= seconds <= 86_400:
        raise ValueError(f"{argument} = {seconds!r}: allowed is 0.001 to 86400 s")
    return round(seconds * 1000)


def whole(value: object, argument: str, low: int, high: int) -> int:
    number = as_index(value)
    if number is None:
        raise TypeError(f"{argument} = {value!r}: must be an integer")
    if not low <= number <= high:
        raise ValueError(f"{argument} = {number}: allowed is {low} to {high}")
    return number


def service(name: object) -> str:
    if not isinstance(name, str) or not 1 <= len(name.encode()) <= 64:
        raise ValueError(f"service = {name!r}: allowed are 1 to 64 bytes")
    return name


def reason(failure: int) -> str:
    """Why something came to nothing, in the words of a World; "" if it did not."""
    return "" if failure == control.NONE else control.Failure.Name(failure).lower()


def ids(rows: Any) -> np.ndarray[Any, Any]:
    """An array of ids, of shape (rows,), each 40 hexadecimal digits."""
    return np.array([row.hex() for row in rows], dtype="<U40")


def event(told: control.Event, own_id: str, time_s: float) -> Event | None:
    """The event of a World that this is; None for what is none."""
    what = told.WhichOneof("what")
    common: dict[str, Any] = {"time_s": time_s, "peer": own_id}
    if what == "message":
        m = told.message
        return Event(
            kind="message",
            **common,
            origin=m.origin.hex(),
            data=m.payload,
            size=len(m.payload),
            hops=m.hops,
        )
    if what == "broadcast":
        b = told.broadcast
        return Event(
            kind="broadcast", **common, origin=b.origin.hex(), topic=b.topic, data=b.payload,
            size=len(b.payload), hops=b.hops, sequence=b.sequence,
        )  # fmt: skip
    if what == "peer_up":
        return Event(kind="peer", **common, other=told.peer_up.id.hex())
    if what == "peer_lost":
        return Event(kind="peer_lost", **common, other=told.peer_lost.id.hex())
    if what == "joined":
        return Event(kind="joined", **common, contacts=told.joined.contacts)
    if what == "missed":
        # None: nobody knows how many, the connection was lost.
        return Event(kind="missed", **common, events=told.missed.events or None)
    return None
