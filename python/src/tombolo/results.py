"""What operations and runs return. Times in ms are simulated, from the beginning to the end.

A `tombolo.node.Client` returns the same; there times are real, peers are ids, and what a real node
cannot know is None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Lookup:
    """Of `World.lookup`: an iterative FIND_NODE (Maymounkov and Mazieres 2002, section 2.3)."""

    found: bool  # some peer was found
    hops: int  # depth of the closest peer found; 1 = the source knew it
    latency_ms: float  # until the k closest had answered
    closest_ok: bool | None  # the closest peer found is the closest live one of the world
    messages: int  # requests sent plus answers received
    dead: int | None  # contacts that did not answer
    source: int | str
    key: str
    closest: NDArray[np.uint32] | NDArray[np.str_] = field(
        repr=False, compare=False
    )  # numbers of the k closest (of a real node: ids), closest first


@dataclass(frozen=True)
class Sent:
    """Of `World.send`: a message relayed greedily over links."""

    delivered: bool
    hops: int  # of the copy that arrived first
    latency_ms: float  # until the receipt was back, or the sender gave up
    reason: str  # why not delivered: deadline, unreachable, no_links, overload, left, void; else ""
    source: int | str
    target: str


@dataclass(frozen=True)
class Put:
    """Of `World.put`."""

    stored: int  # peers that hold the record
    latency_ms: float
    source: int | str
    key: str


@dataclass(frozen=True)
class Got:
    """Of `World.get`."""

    found: bool
    value: bytes  # empty if not found
    sequence: int  # of the record; the highest wins
    hops: int
    latency_ms: float
    messages: int | None
    source: int | str
    key: str


@dataclass(frozen=True)
class Connected:
    """Of `World.connect`: a direct link negotiated through relayed messages."""

    connected: bool
    latency_ms: float
    reason: (
        str  # why not: deadline, unreachable, no_links, undialable, refused, left, void; else ""
    )
    source: int | str
    target: str


@dataclass(frozen=True)
class Broadcast:
    """Of `World.broadcast`."""

    reached: int | None  # peers that have it, of those that were in the world when it was sent
    wanted: int | None  # peers that were up then, without the source
    acknowledged: int  # peers that the source knows to have it; 0 without `ack`
    hops: int | None  # of the longest way
    latency_ms: float  # until the last peer had it; with `ack` until the source knew
    reason: str  # why it ended early: refused, overload, no_links, left; or deadline, void; else ""
    source: int | str
    all_answered: bool | None = None  # of a real node, with `ack`: nobody failed to answer

    @property
    def complete(self) -> bool | None:
        """Everybody who was up when it was sent has it; of a real node, as far as it was told."""
        if self.reached is None or self.wanted is None:
            return self.all_answered
        return self.reached >= self.wanted


@dataclass(frozen=True)
class RunReport:
    """Of `World.run_until`."""

    reached: bool
    seconds: float  # simulated, until the condition held or the limit was reached
    messages: int  # transmitted meanwhile


@dataclass(frozen=True)
class Finding:
    """Of `World.check`: one invariant; ``print`` shows it as a line."""

    invariant: str  # "I5 no false-empty bucket"
    checked: int  # peers, buckets, pairs, ...; 0: does not apply to this world
    broken: int  # of these
    peer: int | None  # the first offender
    time_s: float
    detail: str  # what is wrong there
    text: str  # all of it

    @property
    def ok(self) -> bool:
        return self.broken == 0

    def __str__(self) -> str:
        return self.text


class Event(SimpleNamespace):
    """What a peer told its application: ``kind``, ``time_s``, ``peer`` (its number), and by kind

    joined     contacts
    lookup     key, hops, messages, dead
    put        stored
    get        found, hops
    peer       other (number): a direct link is up
    peer_lost  other, reason
    message    origin (id), data (bytes), size, hops
    delivered  hops
    failed     reason
    evicted    by, alternatives (numbers)
    probe      key, found, hops: a lookup that the peer made of its own accord
    broadcast  origin (id), topic, data (bytes), size, hops
    broadcast_done  reached, complete (nobody failed to answer): of an acknowledged one
    attached   client (id), attached, holders
    resolved   client, found, home (number or None), hops
    lease_lost    client, home
    room_joined   room (id), joined
    room_changed  room, client, home, joined

    Of a `tombolo.node.Client`: ``peer`` is the id of its node, ``other`` an id; kinds are joined, lookup,
    put, get, peer, peer_lost (without reason), message, delivered, failed, broadcast, broadcast_done,
    and

    missed     events: so many were lost before the next one; None if nobody knows
    """

    kind: str
    time_s: float
    peer: int

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"an event of kind {self.__dict__.get('kind')!r} has no {name!r}")


EVENT_KINDS = (
    "joined",
    "lookup",
    "put",
    "get",
    "peer",
    "peer_lost",
    "message",
    "delivered",
    "failed",
    "evicted",
    "probe",
    "broadcast",
    "broadcast_done",
    "attached",
    "resolved",
    "lease_lost",
    "room_joined",
    "room_changed",
)
