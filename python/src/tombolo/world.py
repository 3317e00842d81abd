"""A simulated world, for people: `World`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from os import PathLike, fspath, stat
from typing import TYPE_CHECKING, Any

from tombolo import _core, operations
from tombolo.arguments import check_seconds
from tombolo.conditions import Conditions
from tombolo.events import EventSource
from tombolo.faults import Faults
from tombolo.ids import Id, as_index, to_bytes
from tombolo.observation import Observation
from tombolo.progress import bar
from tombolo.results import Broadcast, Connected, Got, Lookup, Put, Sent
from tombolo.settings import flatten
from tombolo.table import Table

if TYPE_CHECKING:
    from tombolo.churn import Churn
    from tombolo.latency import Latency

SLICE_EVENTS = 50_000  # between two looks at interrupts, callbacks and the progress bar: some 50 ms
DEFAULT_SEED = 1


class World(Conditions, EventSource, Faults, Observation):
    """Peers, a network between them, and a clock that jumps from event to event.

    Equal arguments and equal calls give equal runs, bit for bit (`trace_hash`). Times are simulated
    seconds since the start unless a name says ``_ms``. Peers are numbered from 0; wherever a peer is
    asked for, its number or its id does (see `tombolo.ids`).

    A world may be used from one thread at a time; several worlds run side by side in threads, since the
    GIL is released while they run. Ctrl-C interrupts a run within a fraction of a second and leaves the
    world usable where it stopped.

    peers       how many at the start
    overlay     "kademlia": k-buckets; "chord": a ring with fingers; "both": k-buckets and a ring beside
                them, and islands that merge when they meet
    latency     a model of `tombolo.latency`, "internet", "cloud", or a number: that many ms one way
    churn       a model or preset of `tombolo.churn`; None: nobody comes or goes by himself
    seed        fixes every random choice
    start       "built": exact tables and links at time 0; "join": all join live through peer 0
    nat_share   share (0..1) of peers that cannot be dialled
    loss        share (0..1) of messages lost on the way
    faults      what goes wrong at random: the keys of section [faults], ``{"drop": 0.01}``
    heal        how islands find each other and merge: the keys of section [heal],
                ``{"strategy": "gossip"}``
    k, alpha    contacts per bucket, requests in flight per lookup; 20 and 3 if None
    config      further settings by section, ``{"links": {"max_links": 64}}``; `options` lists all
    series_s    interval of the rows of `series`
    progress    show a progress bar while running (needs tqdm)

    Raises TypeError for a value of the wrong type, ValueError for one out of range; both name the
    argument and what is allowed.
    """

    def __init__(
        self,
        peers: int = 1000,
        overlay: str = "kademlia",
        latency: Latency | str | float | None = None,
        churn: Churn | str | None = None,
        *,
        seed: int = DEFAULT_SEED,
        start: str = "built",
        nat_share: float = 0.0,
        loss: float = 0.0,
        k: int | None = None,
        alpha: int | None = None,
        faults: Mapping[str, Any] | None = None,
        heal: Mapping[str, Any] | None = None,
        config: Mapping[str, Any] | None = None,
        series_s: float = 1.0,
        progress: bool = False,
    ) -> None:
        settings = flatten(
            {
                "peers": peers,
                "overlay": overlay,
                "latency": latency,
                "churn": churn,
                "seed": seed,
                "start": start,
                "nat_share": nat_share,
                "loss": loss,
                "k": k,
                "alpha": alpha,
                "faults": faults,
                "heal": heal,
                "config": config,
            }
        )
        self._adopt(_core.World(settings, float(series_s)), progress)

    def _adopt(self, core: _core.World, progress: bool) -> World:
        self._core = core
        self._forget_handlers()
        self.progress = progress
        return self

    # ---- Time.

    @property
    def now(self) -> float:
        """Simulated seconds since the start."""
        return self._core.now_us * 1e-6

    def run(self, seconds: float, progress: bool | None = None) -> World:
        """Simulates `seconds` more; returns the world, for chaining."""
        check_seconds(seconds, "seconds")
        begin = self._core.now_us
        end = begin + round(seconds * 1e6)
        with bar(self.progress if progress is None else progress, seconds, "s") as shown:
            self.drive(
                lambda: self._core.run_slice(end, SLICE_EVENTS),
                lambda: shown.update((self._core.now_us - begin) * 1e-6 - shown.n),
            )
        return self

    def drive(self, step: Callable[[], bool], show: Callable[[], object] = lambda: None) -> None:
        """Calls `step` until it returns True, with callbacks, interrupts and `show` in between."""
        done = False
        while not done:
            done = step()
            show()
            self._dispatch()

    # ---- Membership.

    def join(
        self,
        count: int = 1,
        *,
        id: str | bytes | None = None,
        dialable: bool | None = None,
        bootstrap: Iterable[Id] = (),
    ) -> list[int]:
        """New peers join through `bootstrap`, or through random live peers; returns their numbers.

        They are part of the overlay once the world has run a little. `id` fixes the id of a single
        newcomer; `dialable` whether it can be dialled (else drawn by nat_share).
        """
        if as_index(count) is None:
            raise TypeError(f"count = {count!r}: must be an integer")
        if count < 0 or (id is not None and count != 1):
            raise ValueError(f"count = {count}: allowed is 0 and up, and 1 with an id")
        given = None if id is None else to_bytes(id, "id")
        through = [self.index(peer, "bootstrap") for peer in bootstrap]
        return [self._core.join(given, dialable, through) for _ in range(count)]

    def crash(self, peer: Id | Iterable[Id] | None = None, *, share: float | None = None) -> None:
        """`peer` (or several) dies without a word; or a random `share` (0..1) of all live peers."""
        if (peer is None) == (share is None):
            raise ValueError("crash: give either a peer (or several) or share")
        if share is not None:
            self._core.crash_share(share)
            return
        for one in self._several(peer):
            self._core.crash(self.index(one, "peer"))

    def leave(self, peer: Id | Iterable[Id]) -> None:
        """`peer` (or several) says goodbye and goes."""
        for one in self._several(peer):
            self._core.leave(self.index(one, "peer"))

    def _several(self, peer: Any) -> list[Id]:
        alone = isinstance(peer, (str, bytes)) or as_index(peer) is not None
        return [peer] if alone else list(peer)

    @property
    def peer_count(self) -> int:
        """Peers that are or ever were in the world."""
        return self._core.peer_count

    @property
    def live_count(self) -> int:
        """Peers that are up."""
        return self._core.live_count

    def index(self, peer: Id, argument: str = "peer") -> int:
        """The number of a peer given by number or id. Raises ValueError if no live peer has the id."""
        number = as_index(peer)
        if number is not None:
            return number
        found = self._core.find(to_bytes(peer, argument))  # type: ignore[arg-type]
        if found is None:
            raise ValueError(f"{argument} = {peer!r}: no live peer has this id")
        return found

    def id_of(self, peer: int) -> str:
        """The id of a peer, as 40 hexadecimal digits."""
        return self._core.peer_id(peer).hex()

    # ---- Operations. Each runs the world until it has ended.

    def lookup(self, source: Id | None = None, key: Id | None = None) -> Lookup:
        """Finds the k closest live peers to `key`; random source and key where None."""
        return operations.lookup(self, source, key)

    def send(
        self,
        source: Id,
        target: Id,
        data: bytes = b"",
        *,
        size: int = 64,
        deadline_s: float = 30.0,
        copies: int = 1,
        receipt: bool = True,
    ) -> Sent:
        """Relays bytes (or `size` bytes without content) to the peer `target` over links.

        copies   node-disjoint copies, 1 to 8
        receipt  False: fire and forget; ended at once, ``delivered`` says that it was not refused
        """
        return operations.send(self, source, target, data, size, deadline_s, copies, receipt)

    def put(
        self, source: Id | None, key: Id, value: bytes | str, *, ttl_s: float = 86_400.0
    ) -> Put:
        """Stores `value` at the k closest peers of `key` (a name does: its SHA-1).

        Not with overlay="chord": a ring on its own keeps no records.
        """
        return operations.put(self, source, key, value, ttl_s)

    def get(self, source: Id | None, key: Id) -> Got:
        """Finds the newest value of `key`."""
        return operations.get(self, source, key)

    def connect(self, source: Id, target: Id) -> Connected:
        """A direct link between two peers, negotiated through relayed messages."""
        return operations.connect(self, source, target)

    def disconnect(self, source: Id, target: Id) -> None:
        """Closes the direct link, if there is one."""
        operations.disconnect(self, source, target)

    def broadcast(
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
        """Sends bytes (or `size` bytes without content) to everybody, or to subscribers of `topic`.

        Ends when everybody who is up has it, with `ack` when the source has heard from all; at the
        latest after `deadline_s`, which a topic always takes.

        ttl_s     how long peers pass it on, to those who come or heal late as well
        max_hops  how many times it is passed on, 1 to 255
        """
        return operations.broadcast(
            self, source, data, size, topic, ack, ttl_s, deadline_s, max_hops
        )

    def subscribe(self, peer: Id, topic: int) -> None:
        """From now on the peer hears broadcasts of the topic."""
        operations.subscribe(self, peer, topic, True)

    def unsubscribe(self, peer: Id, topic: int) -> None:
        """The peer hears broadcasts of the topic no longer."""
        operations.subscribe(self, peer, topic, False)

    def lookups(self, count: int, *, rate_per_s: float | None = None) -> Table:
        """`count` lookups of random keys from random live peers; a row each, in order of start.

        rate_per_s  how many begin per second, evenly spaced; None: one per live peer and second
        Columns: source, started_s, succeeded, hops, latency_ms, messages, dead, closest_ok
        """
        return operations.batch(self, "lookup", count, rate_per_s)

    def sends(
        self,
        count: int,
        *,
        rate_per_s: float | None = None,
        size: int = 64,
        deadline_s: float = 30.0,
        copies: int = 1,
    ) -> Table:
        """`count` messages between random pairs of live peers; a row each, in order of start.

        Columns: source, target, started_s, delivered, hops, latency_ms, reason
        """
        return operations.batch(self, "send", count, rate_per_s, size, deadline_s, copies)

    def workload(self, kind: str, rate_per_s: float, **settings: Any) -> None:
        """Load that the world puts on itself from now on: kind "lookup", "send", "put", "get",
        "broadcast" or "attach" (clients that come, move, meet in rooms and are looked for).

        Settings: spacing ("poisson", "fixed"), start_s, duration_s, count, payload_bytes, deadline_s,
        copies, keys, ttl_s; of broadcasts senders, acknowledge, max_hops; of attach clients, rooms,
        move_share, room_share, reattach_s. Results show in `metrics` and `series`.
        """
        values = {"start_s": self.now, **settings, "kind": kind, "rate_per_s": rate_per_s}
        self._core.add_workload(values)

    # ---- Observation: see also `Observation`.

    @property
    def options(self) -> dict[str, Any]:
        """Every setting of the world by key, ``section.key``, with its unit in the name."""
        return self._core.options()

    @property
    def trace_hash(self) -> str:
        """A hash of every transmission so far, 16 hexadecimal digits: equal runs have equal ones."""
        return f"{self._core.trace_hash:016x}"

    # ---- Copies and files.

    def fork(self) -> World:
        """An independent copy at this moment, to ask "what if". Callbacks stay behind."""
        return World.__new__(World)._adopt(self._core.fork(), self.progress)

    __copy__ = fork

    def __deepcopy__(self, memo: dict[int, Any]) -> World:
        return self.fork()

    def __getstate__(self) -> dict[str, Any]:
        return {"core": self._core, "progress": self.progress}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._adopt(state["core"], state["progress"])

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the whole world to a file; `load` goes on from there. Raises OSError."""
        self._core.save(fspath(path))

    @classmethod
    def load(cls, path: str | PathLike[str]) -> World:
        """A world that `save` has written. Raises OSError, or ValueError if the file is no such thing."""
        stat(path)
        return cls.__new__(cls)._adopt(_core.World.load(fspath(path)), False)

    def __repr__(self) -> str:
        options = self.options
        return (
            f"<tombolo.World: {self.live_count} of {self.peer_count} peers up, {options['overlay']}, "
            f"k={options['kademlia.k']}, alpha={options['kademlia.alpha']}, "
            f"latency={options['latency.model']}, seed={options['seed']}, now={self.now:.6g} s, "
            f"trace_hash={self.trace_hash}>"
        )
