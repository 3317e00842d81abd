"""Running until a condition holds, and comparing what peers believe with the truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tombolo import _core
from tombolo.arguments import check_seconds
from tombolo.results import Finding, RunReport

if TYPE_CHECKING:
    from tombolo.metrics import Metrics


class Conditions:
    """The part of `World` that knows what is right."""

    _core: _core.World

    if TYPE_CHECKING:

        @property
        def now(self) -> float: ...
        def run(self, seconds: float, progress: bool | None = None) -> Any: ...
        def metrics(self) -> Metrics: ...

    def run_until(
        self,
        condition: str | Callable[[Any], bool],
        limit: float,
        every: float | None = None,
    ) -> RunReport:
        """Runs until the condition holds, at most `limit` seconds.

        The condition is a function of the world, looked at every `every` seconds (1 if None), or one of

        "ring_ok"       every live peer's first live successor is the right one: one ordered ring
        "tables_ok"     no bucket of a live peer is empty of live contacts while the world has a peer
                        for it
        "all_routable"  a route of live contacts leads from every live peer to every other (of more
                        than 2,000 peers: between 10,000 sampled pairs)

        looked at every 0.1 seconds unless `every` says otherwise.
        """
        if callable(condition):
            holds, every = condition, 1.0 if every is None else every
        elif condition in (names := _core.World.conditions()):
            holds, every = self._watch(condition), 0.1 if every is None else every
        else:
            allowed = ", ".join(repr(name) for name in names)
            raise ValueError(f"condition = {condition!r}: allowed are {allowed} or a function")
        check_seconds(limit, "limit")
        if not every > 0:
            raise ValueError(f"every = {every!r}: allowed is above 0 seconds")
        begin, sent = self.now, self.metrics()["messages"]
        reached = holds(self)
        while not reached and self.now - begin < limit:
            self.run(min(every, limit - (self.now - begin)), progress=False)
            reached = holds(self)
        return RunReport(reached, self.now - begin, self.metrics()["messages"] - sent)

    @staticmethod
    def _watch(condition: str) -> Callable[[Any], bool]:
        place = 0  # where the last look found something wrong: the next one begins there

        def holds(world: Any) -> bool:
            nonlocal place
            right, place = world._core.holds(condition, place)
            return right

        return holds

    def check(self, at_quiescence: bool = True) -> list[Finding]:
        """Compares what the peers believe with the truth: the invariants I1 to I10, one finding each.

        Most hold only at quiescence, when faults, joins and deaths are over for long enough; without,
        those are left out. ``[f for f in world.check() if not f.ok]`` is what is wrong, in words.
        """
        return [Finding(**row) for row in self._core.check(at_quiescence)]
