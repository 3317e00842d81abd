"""What can be seen of a world: counters, series, peers, links, and what peers believe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tombolo.metrics import Metrics, series_table
from tombolo.optional import require
from tombolo.table import Table

if TYPE_CHECKING:
    import networkx

    from tombolo import _core


class Observation:
    """The part of `World` that is looked at."""

    _core: _core.World

    def metrics(self) -> Metrics:
        """What was counted since the start or the last `reset_metrics`."""
        return Metrics(self._core.metrics())

    def reset_metrics(self) -> None:
        """Sets all counters to 0, for instance after a warm-up."""
        self._core.reset_metrics()

    def series(self) -> Table:
        """A row per finished interval (`series_s`) of simulated time: counts and means of that interval.

        After 10,000 rows the interval doubles. Columns: time_s (end of the row), live_peers, events,
        messages, bytes, lost, to_dead, joins, crashes, leaves, and by kind of operation KIND_started,
        KIND_succeeded, KIND_failed, KIND_latency_ms (mean of those that ended in the interval; NaN if
        none did).
        """
        return series_table(self._core.series())

    def peers(self) -> Table:
        """A row per peer: peer, id, up, dialable, contacts, links, received (messages)."""
        raw = self._core.peers()
        ids = raw.pop("ids").hex()
        flags = {name: raw.pop(name).view(np.bool_) for name in ("up", "dialable")}
        texts = np.array([ids[i : i + 40] for i in range(0, len(ids), 40)], dtype="<U40")
        return Table({"peer": np.arange(len(texts), dtype=np.uint32), "id": texts, **flags, **raw})

    def edges(self, kind: str = "links") -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Two arrays of peer numbers, from and to: "links" (once each) or "contacts" (directed).

        Only live peers have edges; contacts may point at dead ones.
        """
        if kind not in ("links", "contacts"):
            raise ValueError(f"kind = {kind!r}: allowed are 'links', 'contacts'")
        return self._core.edges(kind == "contacts")

    def graph(self, kind: str = "links") -> networkx.Graph:
        """The live peers as a NetworkX graph: of links, or (directed) of contacts between live peers."""
        networkx = require("networkx", "graph")
        graph = networkx.Graph() if kind == "links" else networkx.DiGraph()
        up = self.peers()["up"]
        graph.add_nodes_from(np.flatnonzero(up).tolist())
        begin, end = self.edges(kind)
        alive = up[end]
        graph.add_edges_from(zip(begin[alive].tolist(), end[alive].tolist(), strict=True))
        return graph

    def false_empty_buckets(self) -> int:
        """Buckets of live peers without a live contact although the world has a peer for them."""
        return self._core.false_empty_buckets()

    def wrong_successors(self) -> int:
        """Live peers whose first live successor is not the next live peer: 0 when ``ring_ok`` holds."""
        return self._core.wrong_successors()

    def built_islands(self) -> NDArray[np.uint32]:
        """The island of every peer that the world started with, by the order of the option `islands`.

        ``World(4000, "both", config={"islands": [1000, 3000]})`` builds two that know nothing of each
        other; `introduce` lets them meet. Paths that are cut are something else: see `island_of`.
        """
        return self._core.built_islands()

    def size_estimates(self) -> NDArray[np.float64]:
        """What every peer (by number) takes for the size of its island, from its lookups of late.

        NaN for peers that are down, or that have no estimate: every lookup that ends adds to one, in
        worlds whose islands merge (overlay="both").
        """
        sizes = self._core.size_estimates().astype(np.float64)
        sizes[sizes == 0] = np.nan
        return sizes
