"""What is cut and how slow paths are: the same rules as those of the simulator's network."""

from __future__ import annotations

from collections.abc import Sequence


class Weather:
    """Which messages pass between numbered nodes, and how long they take.

    A path to the node itself is open. Of a cut and a bridge of a path the later one counts, before all
    else; then nobody talks to an isolated node, nor to another island. A new partition forgets bridges
    and isolations, but not cuts.
    """

    def __init__(self) -> None:
        self._islands: dict[int, int] = {}
        self._one_way = False
        self._isolated: set[int] = set()
        self._paths: dict[tuple[int, int], bool] = {}  # False: cut, True: bridged
        self._delays_s: dict[tuple[int, int], float] = {}
        self._delay_s = 0.0

    def partition(self, islands: Sequence[Sequence[int]], one_way: bool) -> None:
        self._islands = {node: number for number, group in enumerate(islands) for node in group}
        self._one_way = one_way
        self._isolated.clear()
        self._paths = {path: False for path, bridged in self._paths.items() if not bridged}

    def isolate(self, node: int) -> None:
        self._isolated.add(node)

    def cut(self, a: int, b: int, one_way: bool) -> None:
        self._paths[a, b] = False
        if not one_way:
            self._paths[b, a] = False

    def bridge(self, a: int, b: int) -> None:
        self._paths[a, b] = self._paths[b, a] = True

    def heal(self) -> None:
        self._islands = {}
        self._isolated.clear()
        self._paths.clear()

    def delay(self, seconds: float, a: int | None, b: int | None) -> None:
        if a is None or b is None:
            self._delay_s = seconds
            self._delays_s.clear()
        else:
            self._delays_s[a, b] = self._delays_s[b, a] = seconds

    def island_of(self, node: int) -> int:
        return -1 if node in self._isolated else self._islands.get(node, 0)

    def can_talk(self, a: int, b: int) -> bool:
        if a == b:
            return True
        if (a, b) in self._paths:
            return self._paths[a, b]
        if a in self._isolated or b in self._isolated:
            return False
        here, there = self.island_of(a), self.island_of(b)
        return here == there or (self._one_way and here < there)

    def calm_delay_s(self) -> float | None:
        """Seconds one way if all paths are open and alike, else None."""
        alike = not (self._islands or self._isolated or self._paths or self._delays_s)
        return self._delay_s if alike else None

    def wish(self, a: int, b: int) -> tuple[bool, float]:
        """Whether the path is open, and its seconds one way."""
        return self.can_talk(a, b), 0.0 if a == b else self._delays_s.get((a, b), self._delay_s)
