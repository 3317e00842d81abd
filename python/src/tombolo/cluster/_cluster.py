"""A cluster of real nodes: `Cluster`."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import tempfile
import time
import weakref
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from tombolo.cluster._comparison import Comparison, compare
from tombolo.cluster._control import Answer
from tombolo.cluster._faults import bucket_faults, ring_faults
from tombolo.cluster._netns import Namespaces
from tombolo.cluster._process import NodeProcess, until
from tombolo.cluster._proxy import Proxy
from tombolo.cluster._results import Sent, unreached
from tombolo.cluster._weather import Weather

Node = int | str  # by number, or by id
_NETWORKS: dict[str, type[Proxy | Namespaces]] = {"proxy": Proxy, "netns": Namespaces}


def find_programs() -> Path:
    """The folder of tombolo-node and tomboloctl: $TOMBOLO_PROGRAMS, that of PATH, or of a build.

    Raises FileNotFoundError if there is none.
    """
    if given := os.environ.get("TOMBOLO_PROGRAMS"):
        return Path(given)
    if found := shutil.which("tombolo-node"):
        return Path(found).parent
    built = Path(__file__).resolve().parents[4] / "build" / "release" / "node"
    if (built / "tombolo-node").exists():
        return built
    raise FileNotFoundError("tombolo-node is not in PATH; build it or set TOMBOLO_PROGRAMS")


def _end(
    nodes: list[NodeProcess],
    network: Proxy | Namespaces,
    folders: list[tempfile.TemporaryDirectory],
) -> None:
    for node in nodes:
        if node.running:
            node.kill()
    network.close()
    for folder in folders:
        folder.cleanup()


class Cluster:
    """`count` real nodes on loopback, over a network that can be cut: the verbs of `tombolo.World`.

    Nodes are numbered from 0; wherever one is asked for, its number or its id does. The first
    `bootstrap` of them are those that all join through. Linux only; needs no privilege.

    count       how many at the start; 1 and up
    folder      for data and logs, one folder per node; None: a temporary one that is removed
    bootstrap   how many of the first nodes all others are told of; the node itself is left out
    flags       further flags of tombolo-node, for all
    programs    folder of tombolo-node and tomboloctl; see `find_programs`
    seed        of what is drawn here: shares of `partition`, traffic
    limit_s     seconds that a node may take to start or, all together, to join
    network     "proxy": loopback and a proxy that needs no privilege; "netns": network namespaces of
                the kernel and tc netem, where that is allowed, else NetworkUnavailableError

    Use it in a `with` block: whatever still runs at the end of it, or of the program, is killed; only
    processes started here are ever signalled. One thread may use it at a time, but for `begin_send`.

    Raises DeadlineError if nodes do not start or join in time, FileNotFoundError without programs;
    whatever looks at all nodes raises NodeDiedError when one has ended by itself.
    """

    def __init__(
        self,
        count: int,
        folder: Path | str | None = None,
        *,
        bootstrap: int = 1,
        flags: Sequence[str] = (),
        programs: Path | str | None = None,
        seed: int = 1,
        limit_s: float = 60.0,
        network: str = "proxy",
    ) -> None:
        if network not in _NETWORKS:
            raise ValueError(f"network = {network!r}: allowed are {', '.join(_NETWORKS)}")
        if count < 1 or not 1 <= bootstrap <= count:
            raise ValueError(
                f"count = {count}, bootstrap = {bootstrap}: needs 1 <= bootstrap <= count"
            )
        self._programs = Path(programs) if programs is not None else find_programs()
        self._limit_s = limit_s
        self._weather = Weather()
        self._network = _NETWORKS[network]()
        self.began_s = time.monotonic()
        # A socket's path has at most 107 characters.
        temporary = [tempfile.TemporaryDirectory(prefix="tombolo-")]
        if folder is None:
            temporary.append(tempfile.TemporaryDirectory(prefix="tombolo-cluster-"))
            folder = temporary[1].name
        self.folder = Path(folder)
        self._sockets = Path(temporary[0].name)
        self.random = random.Random(seed)
        self.nodes: list[NodeProcess] = []
        self._addresses: list[str] = []
        self._bootstrap = bootstrap
        self._flags = tuple(flags)
        self.close = weakref.finalize(self, _end, self.nodes, self._network, temporary)
        try:
            self.add(count)
        except BaseException:
            self.close()
            raise

    # ---- Membership.

    def add(self, count: int = 1, flags: Sequence[str] | None = None) -> list[int]:
        """Starts more nodes, with `flags` in place of those of the cluster; returns their numbers."""
        first = len(self.nodes)
        for number in range(first, first + count):
            self._addresses.append(self._network.open(number))
            folder = self.folder / f"node{number:02d}"
            own = self._flags if flags is None else flags
            node = NodeProcess(number, folder, self._sockets, self._programs, own)
            node.prefix, node.listen_at = (
                self._network.prefix(number),
                self._network.listen_at(number),
            )
            self.nodes.append(node)
        for number in range(first, first + count):
            # Every bootstrap node but itself: it would dial itself once, and then know.
            told = [a for n, a in enumerate(self._addresses[: self._bootstrap]) if n != number]
            self.nodes[number].flags += ["--links-advertise", self._addresses[number]]
            for address in told:
                self.nodes[number].flags += ["--links-bootstrap", address]
        added = list(range(first, first + count))
        self._start(added)
        return added

    def _start(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self._network.starts(number, self.nodes[number].launch())
        for number in numbers:
            node = self.nodes[number]
            node.attach(self._limit_s)
            self._network.listens(number, int(node.listening.rpartition(":")[2]))

    def kill(self, node: Node | Iterable[Node]) -> None:
        """SIGKILL: the node (or several) ends without a word; `restart` brings it back."""
        for one in self._several(node):
            number = self.index(one)
            self.nodes[number].kill()
            self._network.ends(number)

    def stop(self, node: Node | Iterable[Node]) -> None:
        """SIGTERM: the node (or several) leaves in order. Raises RuntimeError if it fails at that."""
        for one in self._several(node):
            number = self.index(one)
            status = self.nodes[number].terminate()
            self._network.ends(number)
            if status != 0:
                raise RuntimeError(
                    f"node {number} ended with {status}:\n{self.nodes[number].tail()}"
                )

    def restart(self, node: Node | Iterable[Node]) -> None:
        """Starts a node (or several) that is down, with its id, data and address."""
        numbers = [self.index(one) for one in self._several(node)]
        for number in numbers:
            if self.nodes[number].up:
                raise ValueError(f"node {number} is up")
        self._start(numbers)

    @property
    def live(self) -> list[NodeProcess]:
        """The nodes that are up. Raises NodeDiedError if one has ended by itself."""
        return [node for node in self.nodes if node.up]

    def check(self) -> None:
        """Raises NodeDiedError if a node has ended by itself."""
        for node in self.nodes:
            node.check()

    def index(self, node: Node) -> int:
        """The number of a node. Raises ValueError if there is none of this number or id."""
        if isinstance(node, str):
            for one in self.nodes:
                if one.id == node:
                    return one.number
        elif 0 <= node < len(self.nodes):
            return node
        raise ValueError(f"node = {node!r}: there is no such node")

    def __getitem__(self, node: Node) -> NodeProcess:
        return self.nodes[self.index(node)]

    @staticmethod
    def _several(node: Node | Iterable[Node]) -> list[Node]:
        return [node] if isinstance(node, (int, str)) else list(node)

    # ---- The network between them.

    def partition(self, groups: Sequence[Any], *, one_way: bool = False) -> None:
        """Splits the network into islands that cannot talk to each other.

        `groups` is a share of the live nodes per island, drawn at random ([0.5, 0.5]; shares are scaled
        to a sum of 1), or the nodes of every island ([[0, 1], [2, 3, 4]]; every live node in one of
        them). With `one_way`, bytes to islands further on in `groups` pass.
        """
        live = [node.number for node in self.live]
        if all(isinstance(group, (int, float)) for group in groups):
            islands = self._draw(live, [float(share) for share in groups])
        else:
            islands = [[self.index(node) for node in group] for group in groups]
            listed = [node for island in islands for node in island]
            if len(set(listed)) < len(listed) or not set(live) <= set(listed):
                raise ValueError("groups: every live node belongs into one of them")
        self._weather.partition(islands, one_way)
        self._reshape()

    def _draw(self, live: list[int], shares: list[float]) -> list[list[int]]:
        if not shares or min(shares) <= 0:
            raise ValueError(f"groups = {shares}: shares must be above 0")
        drawn = self.random.sample(live, len(live))
        bounds = [
            0,
            *(round(len(live) * sum(shares[: i + 1]) / sum(shares)) for i in range(len(shares))),
        ]
        return [sorted(drawn[a:b]) for a, b in itertools.pairwise(bounds)]

    def isolate(self, node: Node) -> None:
        """Nobody can talk to this node any more."""
        self._weather.isolate(self.index(node))
        self._reshape()

    def cut(self, a: Node, b: Node, *, one_way: bool = False) -> None:
        """The two can no longer talk; with `one_way` only bytes from `a` to `b` vanish.

        A new connection needs both directions: with one of them cut none is made.
        """
        self._weather.cut(self.index(a), self.index(b), one_way)
        self._reshape()

    def bridge(self, a: Node, b: Node) -> None:
        """The two can talk whatever is cut. (Unlike in a World, neither is told of the other.)"""
        self._weather.bridge(self.index(a), self.index(b))
        self._reshape()

    def delay(self, ms: float, a: Node | None = None, b: Node | None = None) -> None:
        """From now on bytes take `ms` one way: everywhere, or both ways between `a` and `b`.

        Without a pair, delays of pairs are forgotten. `heal` does not change delays.
        """
        if ms < 0 or (a is None) != (b is None):
            raise ValueError(f"ms = {ms!r}: allowed is 0 and up, with both of a and b or neither")
        self._network.check_delay(a is not None)
        ends = (None, None) if a is None or b is None else (self.index(a), self.index(b))
        self._weather.delay(ms / 1000, *ends)
        self._reshape()

    def heal(self) -> None:
        """Every path is back."""
        self._weather.heal()
        self._reshape()

    def island_of(self, node: Node) -> int:
        """The number of a node's island; 0 without a partition, -1 if it is isolated."""
        return self._weather.island_of(self.index(node))

    def can_talk(self, from_node: Node, to_node: Node) -> bool:
        """True if bytes pass in this direction."""
        return self._weather.can_talk(self.index(from_node), self.index(to_node))

    def _reshape(self) -> None:
        self._network.shape(self._weather.wish)

    # ---- Operations.

    def begin_send(
        self, source: Node, target: Node, text: str = "", *, deadline_s: float = 15.0
    ) -> Future[Sent]:
        """Relays a text to the node `target`; the future has the outcome. Any thread may call it.

        Raises RuntimeError if the source is down, ValueError for text that no line can carry.
        """
        origin, to = self[source], self[target]
        began = time.monotonic()
        result: Future[Sent] = Future()

        def ended(answer: Future[Answer]) -> None:
            took = time.monotonic() - began
            result.set_result(Sent.of(answer.result(), origin.number, to.number, began, took))

        flags = ("--deadline", str(round(deadline_s * 1000)))
        origin.control.begin("send", *flags, "--", to.id, text).add_done_callback(ended)
        return result

    def send(self, source: Node, target: Node, text: str = "", *, deadline_s: float = 15.0) -> Sent:
        """Relays a text to the node `target` over links and waits for the outcome."""
        return self.begin_send(source, target, text, deadline_s=deadline_s).result(deadline_s + 60)

    def broadcast(self, source: Node, text: str) -> None:
        """Tells every node; see `NodeProcess.received`. Raises ControlError if it is refused."""
        self[source].control.ask("broadcast", "--", text)

    # ---- Waiting and observing.

    @property
    def now(self) -> float:
        """Seconds since the cluster was made."""
        return time.monotonic() - self.began_s

    def wait_joined(self, limit_s: float | None = None) -> float:
        """Until every live node is part of the overlay; returns the seconds that it took."""
        began = time.monotonic()
        deadline = began + (self._limit_s if limit_s is None else limit_s)
        for node in self.live:
            until(f"node {node.number} joined", node.joined, deadline - time.monotonic())
        return time.monotonic() - began

    def wait_reachable(
        self, limit_s: float = 60.0, nodes: Sequence[Node] | None = None, deadline_s: float = 3.0
    ) -> float:
        """Until a send between each ordered pair (of `nodes`, or all live ones) has succeeded.

        Pairs whose send failed try again at once. Returns the seconds from the call to the last first
        success. Raises DeadlineError, naming the pairs, after `limit_s`.
        """
        numbers = [self.index(node) for node in nodes] if nodes is not None else None
        return unreached(self, numbers or [node.number for node in self.live], limit_s, deadline_s)

    def ring_faults(self) -> list[str]:
        """Live nodes whose successor is not the next live node on the ring, in words."""
        return ring_faults(self)

    def bucket_faults(self) -> list[str]:
        """Buckets of live nodes that are empty though a live node belongs into them, in words."""
        return bucket_faults(self)

    def report(self) -> dict[str, Any]:
        """What there is to say: nodes with their status, sums of their counters, connections."""
        status = {node.number: node.status() for node in self.live}
        counters: dict[str, int] = {}
        for one in status.values():
            for name, count in one["counters"].items():
                counters[name] = counters.get(name, 0) + count
        nodes = [
            {
                "number": node.number,
                "id": node.id,
                "up": node.number in status,
                "island": self.island_of(node.number),
                "log": str(node.log),
                "missed_events": node.missed_events,
                "status": status.get(node.number),
            }
            for node in self.nodes
        ]
        connections = dict(self._network.counts)
        return {
            "seconds": self.now,
            "nodes": nodes,
            "counters": counters,
            "connections": connections,
        }

    def compare_with_simulation(
        self, sends: int = 240, *, rate_per_s: float = 50.0, seed: int = 1
    ) -> Comparison:
        """Sends between random nodes, and the same scenario simulated: counts side by side.

        For a cluster that nothing has happened to but `add` and `delay` (of all); give it some seconds to
        settle first. Nodes added one after the other, once the last has joined, compare best. Needs the
        compiled module and gives back a `Comparison`. Raises ValueError for another cluster.
        """
        calm = all(node.up and node.launches == 1 for node in self.nodes)
        delay_s = self._weather.calm_delay_s()
        if not calm or delay_s is None:
            raise ValueError(
                "the cluster has been cut, or nodes have ended: nothing to compare with"
            )
        return compare(self, sends, rate_per_s, delay_s * 1000, seed)

    def __len__(self) -> int:
        return len(self.nodes)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
