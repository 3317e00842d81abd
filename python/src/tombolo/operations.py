"""What `World` does for lookup, send, put, get, connect and their batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tombolo import _core
from tombolo.arguments import check_number
from tombolo.ids import Id, as_index, to_bytes
from tombolo.progress import bar
from tombolo.results import Broadcast, Connected, Got, Lookup, Put, Sent
from tombolo.table import Table

if TYPE_CHECKING:
    from tombolo.world import World

WAIT_US = (
    3_600_000_000  # an operation that takes longer than an hour has been forgotten by its peer
)
STEP_US = 250_000  # between two looks at interrupts and callbacks
BATCH_EVENTS = 50_000


def _source(world: World, source: Id | None) -> int:
    return world._core.random_live_peer() if source is None else world.index(source, "source")


def _id(world: World, value: Id, argument: str, names_allowed: bool = False) -> bytes:
    number = as_index(value)
    if number is not None:
        if not 0 <= number < (count := world._core.peer_count):
            allowed = f"allowed is 0 to {count - 1}"
            raise ValueError(f"{argument} = {number}: no such peer, {allowed}")
        return world._core.peer_id(number)
    return to_bytes(value, argument, names_allowed)  # type: ignore[arg-type]


def _finish(world: World, operation: int) -> dict[str, Any]:
    core = world._core
    limit = core.now_us + WAIT_US

    def step() -> bool:
        ended = core.run_until_ended(operation, min(core.now_us + STEP_US, limit))
        if not ended and core.now_us >= limit:
            raise RuntimeError("the operation has not ended within an hour of simulated time")
        return ended

    world.drive(step)
    return core.take(operation)


def lookup(world: World, source: Id | None, key: Id | None) -> Lookup:
    peer = _source(world, source)
    target = world._core.random_id() if key is None else _id(world, key, "key", names_allowed=True)
    ended = _finish(world, world._core.start_lookup(peer, target))
    names = ("hops", "latency_ms", "closest_ok", "messages", "dead", "closest")
    return Lookup(
        found=ended["status"] == "succeeded",
        source=peer,
        key=target.hex(),
        **{name: ended[name] for name in names},
    )


def send(
    world: World,
    source: Id,
    target: Id,
    data: bytes,
    size: int,
    deadline_s: float,
    copies: int,
    receipt: bool,
) -> Sent:
    peer, to = _source(world, source), _id(world, target, "target")
    _check_bytes(data)
    _check_size(size)
    check_number(deadline_s, "deadline_s")
    operation = world._core.start_send(peer, to, size, bytes(data), deadline_s, copies, receipt)
    ended = _finish(world, operation)
    return Sent(
        delivered=ended["status"] == "succeeded",
        hops=ended["hops"],
        latency_ms=ended["latency_ms"],
        reason=ended["reason"],
        source=peer,
        target=to.hex(),
    )


def put(world: World, source: Id | None, key: Id, value: bytes | str, ttl_s: float) -> Put:
    _check_keeps_records(world)
    peer, to = _source(world, source), _id(world, key, "key", names_allowed=True)
    data = value.encode() if isinstance(value, str) else bytes(value)
    limit = world.options["store.max_value_bytes"]
    if len(data) > limit:
        raise ValueError(f"value: {len(data)} bytes, allowed are up to {limit}")
    check_number(ttl_s, "ttl_s")
    ended = _finish(world, world._core.start_put(peer, to, data, ttl_s))
    return Put(ended["stored"], ended["latency_ms"], peer, to.hex())


def get(world: World, source: Id | None, key: Id) -> Got:
    _check_keeps_records(world)
    peer, to = _source(world, source), _id(world, key, "key", names_allowed=True)
    ended = _finish(world, world._core.start_get(peer, to))
    names = ("value", "sequence", "hops", "latency_ms", "messages")
    return Got(
        found=ended["status"] == "succeeded",
        source=peer,
        key=to.hex(),
        **{name: ended[name] for name in names},
    )


def _check_keeps_records(world: World) -> None:
    if world.options["overlay"] == "chord":
        raise ValueError(
            "overlay = 'chord': a ring on its own keeps no records, allowed are 'kademlia', 'both'"
        )


def connect(world: World, source: Id, target: Id) -> Connected:
    peer, to = _source(world, source), _id(world, target, "target")
    ended = _finish(world, world._core.start_connect(peer, to))
    connected = ended["status"] == "succeeded"
    return Connected(connected, ended["latency_ms"], ended["reason"], peer, to.hex())


def disconnect(world: World, source: Id, target: Id) -> None:
    world._core.disconnect(world.index(source, "source"), _id(world, target, "target"))


def broadcast(
    world: World,
    source: Id | None,
    data: bytes,
    size: int,
    topic: int,
    ack: bool,
    ttl_s: float,
    deadline_s: float,
    max_hops: int,
) -> Broadcast:
    peer = _source(world, source)
    _check_bytes(data)
    _check_size(size)
    _check_topic(topic)
    _check_hops(max_hops)
    for value, name in ((ttl_s, "ttl_s"), (deadline_s, "deadline_s")):
        check_number(value, name)
    operation = world._core.start_broadcast(
        peer, size, bytes(data), topic, bool(ack), ttl_s, deadline_s, max_hops
    )
    ended = _finish(world, operation)
    names = ("reached", "wanted", "acknowledged", "hops", "latency_ms", "reason")
    return Broadcast(**{name: ended[name] for name in names}, source=peer)


def subscribe(world: World, peer: Id, topic: int, on: bool) -> None:
    _check_topic(topic)
    world._core.subscribe(world.index(peer), topic, on)


def batch(
    world: World,
    kind: str,
    count: int,
    rate_per_s: float | None,
    size: int = 64,
    deadline_s: float = 30.0,
    copies: int = 1,
) -> Table:
    if as_index(count) is None:
        raise TypeError(f"count = {count!r}: must be an integer")
    if not 0 <= count <= 10_000_000:
        raise ValueError(f"count = {count}: allowed is 0 to 10000000")
    for value, name in ((rate_per_s, "rate_per_s"), (deadline_s, "deadline_s")):
        check_number(0 if value is None else value, name)
    rate = max(world.live_count, 1) if rate_per_s is None else rate_per_s
    if not 0 < rate <= 1e9:
        raise ValueError(f"rate_per_s = {rate!r}: allowed is above 0 to 1e9")
    _check_size(size)
    running = _core.Batch(kind, count, 1 / rate, size, deadline_s, copies)
    with bar(world.progress, count, f"{kind}s") as shown:
        world.drive(
            lambda: running.run_slice(world._core, BATCH_EVENTS),
            lambda: shown.update(running.ended - shown.n),
        )
    return _table(kind, running.columns())


def _check_bytes(data: object) -> None:
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"data: {type(data).__name__}, must be bytes")


def _check_topic(topic: object) -> None:
    number = as_index(topic)
    if number is None:
        raise TypeError(f"topic = {topic!r}: must be an integer")
    if not 0 <= number < 1 << 64:
        raise ValueError(f"topic = {topic}: allowed is 0 (everybody) to 2**64 - 1")


def _check_hops(max_hops: int) -> None:
    if as_index(max_hops) is None:
        raise TypeError(f"max_hops = {max_hops!r}: must be an integer")
    if not 1 <= max_hops <= 255:
        raise ValueError(f"max_hops = {max_hops}: allowed is 1 to 255")


def _check_size(size: int) -> None:
    if as_index(size) is None:
        raise TypeError(f"size = {size!r}: must be an integer")
    if not 0 <= size <= 1 << 30:
        raise ValueError(f"size = {size}: allowed is 0 to {1 << 30} bytes")


def _table(kind: str, raw: dict[str, Any]) -> Table:
    reasons = np.array([*_core.FAIL_REASONS, "void", ""])  # -2 and -1 count from the end
    common = {name: raw[name] for name in ("source", "started_s", "hops", "latency_ms")}
    succeeded = raw["succeeded"].view(np.bool_)
    if kind == "send":
        return Table(
            {
                "source": common.pop("source"),
                "target": raw["target"],
                "delivered": succeeded,
                **common,
                "reason": reasons[raw["reason"]],
            }
        )
    return Table(
        {
            **common,
            "succeeded": succeeded,
            "messages": raw["messages"],
            "dead": raw["dead"],
            "closest_ok": raw["closest_ok"].view(np.bool_),
        }
    )
