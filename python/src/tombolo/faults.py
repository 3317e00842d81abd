"""Cutting and healing the network, and peers that die, come back or stand still.

Faults at random are settings of the world, ``World(..., faults={"drop": 0.01, "flaps_per_s": 1})``; the
keys are those of section [faults] in scenario files, with their units, defaults and ranges.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tombolo import _core
    from tombolo.ids import Id


class Faults:
    """The verbs of `World` that break things. Peers are given by number or id."""

    _core: _core.World

    if TYPE_CHECKING:

        def index(self, peer: Id, argument: str = "peer") -> int: ...

    def partition(self, groups: Sequence[Any], *, one_way: bool = False) -> None:
        """Splits the network into islands that cannot talk to each other.

        `groups` is a share of the live peers per island, drawn at random ([0.5, 0.5]; shares are scaled
        to a sum of 1), or the peers of every island ([[0, 1], [2, 3, 4]]; every live peer in one of
        them). With `one_way`, messages to islands further on in `groups` pass. Links across go down after
        the keepalive time-out (10 s).
        """
        if isinstance(groups, (str, bytes)) or not isinstance(groups, Iterable):
            raise TypeError(
                f"groups = {groups!r}: must be shares ([0.5, 0.5]) or the peers of every island"
                " ([[0, 1], [2, 3, 4]])"
            )
        if all(isinstance(group, (int, float, np.number)) for group in groups):
            self._core.partition([float(share) for share in groups], one_way)
        else:
            islands = [[self.index(peer, "groups") for peer in group] for group in groups]
            self._core.partition_into(islands, one_way)

    def isolate(self, peer: Id) -> None:
        """Nobody can talk to this peer any more."""
        self._core.isolate(self.index(peer))

    def cut(self, a: Id, b: Id, *, one_way: bool = False) -> None:
        """The two can no longer talk; with `one_way` only messages from `a` to `b` vanish."""
        self._core.cut(self.index(a, "a"), self.index(b, "b"), one_way)

    def bridge(self, a: Id, b: Id) -> None:
        """The two can talk whatever is cut, and `a` hears of `b`."""
        self._core.bridge(self.index(a, "a"), self.index(b, "b"))

    def introduce(self, a: Id, b: Id) -> None:
        """Tells `a`, which must be up, of `b`: if `b` is of another island, the two islands merge."""
        self._core.introduce(self.index(a, "a"), self.index(b, "b"))

    def heal(self) -> None:
        """Every path is back."""
        self._core.heal()

    def island_of(self, peer: Id) -> int:
        """The number of a peer's island; 0 without a partition, -1 if it is isolated."""
        return self._core.island_of(self.index(peer))

    def can_talk(self, from_peer: Id, to_peer: Id) -> bool:
        """True if messages pass in this direction."""
        return self._core.can_talk(
            self.index(from_peer, "from_peer"), self.index(to_peer, "to_peer")
        )

    def stop(self, peer: Id | Iterable[Id]) -> None:
        """Like `crash`, but the peer keeps its state for a `restart`."""
        single = isinstance(peer, (str, bytes, int, np.integer))
        for one in [peer] if single else list(peer):  # type: ignore[list-item,arg-type]
            self._core.crash_keeping(self.index(one))  # type: ignore[arg-type]

    def restart(self, peer: Id, *, forget: bool = False) -> None:
        """Brings a peer back under its number and id.

        After `stop` it goes on from its state, unless told to `forget` it; else it joins anew.
        """
        self._core.restart(self.index(peer), forget)

    def pause(self, peer: Id, seconds: float) -> None:
        """The peer stands still: what reaches it waits, and comes at once when it goes on."""
        self._core.pause(self.index(peer), seconds)
