"""What is cut and how slow paths are: the same rules as those of the simulator's network."""

from __future__ import annotations

from collections.abc import Sequence


class Weather:
    """Which messages pass between numbered nodes, and how long they take.

    A path is open if it leads to the node itself or is bridged; else closed if one of its ends is
    isolated, if it is cut, or if it leads to another island.
    """

    def __init__(self) -> None:
        self._islands: dict[int, int] = {}
        self._one_way = False
        self._isolated: set[int] = set()
        self._cut: set[tuple[int, int]] = set()
        self._bridges: set[tuple[int, int]] = set()
        self._delays_s: dict[tuple[int, int], float] = {}
        self._delay_s = 0.0

    def partition(self, islands: Sequence[Sequence[int]], one_way: bool) -> None:
        self._islands = {node: number for number, group in enumerate(islands) for node in group}
        self._one_way = one_way

    def isolate(self, node: int) -> None:
        self._isolated.add(node)

    def cut(self, a: int, b: int, one_way: bool) -> None:
        self._cut.add((a, b))
        if not one_way:
            self._cut.add((b, a))

    def bridge(self, a: int, b: int) -> None:
        self._bridges |= {(a, b), (b, a)}

    def heal(self) -> None:
        self._islands = {}
        self._isolated.clear()
        self._cut.clear()
        self._bridges.clear()

    def delay(self, seconds: float, a: int | None, b: int | None) -> None:
        if a is None or b is None:
            self._delay_s = seconds
            self._delays_s.clear()
        else:
            self._delays_s[a, b] = self._delays_s[b, a] = seconds

    def island_of(self, node: int) -> int:
        return -1 if node in self._isolated else self._islands.get(node, 0)

    def can_talk(self, a: int, b: int) -> bool:
        if a == b or (a, b) in self._bridges:
            return True
        if a in self._isolated or b in self._isolated or (a, b) in self._cut:
            return False
        here, there = self.island_of(a), self.island_of(b)
        return here == there or (self._one_way and here < there)

    def wish(self, a: int, b: int) -> tuple[bool, float]:
        """Whether the path is open, and its seconds one way."""
        return self.can_talk(a, b), 0.0 if a == b else self._delays_s.get((a, b), self._delay_s)
