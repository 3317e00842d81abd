"""What sends come to, and the traffic that a cluster is kept under."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tombolo.cluster._control import Answer, ControlError
from tombolo.cluster._process import DeadlineError

if TYPE_CHECKING:
    from tombolo.cluster._cluster import Cluster

_IN_FLIGHT = 64  # sends of `unreached` at once


@dataclass(frozen=True)
class Sent:
    """Of `Cluster.send`: a message relayed over links."""

    delivered: bool
    hops: int
    latency_ms: float  # until the answer was here
    reason: (
        str  # why not delivered: deadline, unreachable, ..., or what the control API said; else ""
    )
    source: int
    target: int
    began_s: float  # of the monotonic clock

    @classmethod
    def of(cls, answer: Answer, source: int, target: int, began_s: float, took_s: float) -> Sent:
        failure = answer.reply.get("failure", "")
        reason = "" if answer.status == 0 else failure.lower() or answer.error
        hops = answer.reply.get("hops", 0)
        return cls(answer.status == 0, hops, took_s * 1000, reason, source, target, began_s)


def unreached(cluster: Cluster, numbers: Sequence[int], limit_s: float, deadline_s: float) -> float:
    """See `Cluster.wait_reachable`."""
    began = time.monotonic()
    last = began
    waiting = [(a, b) for a in numbers for b in numbers if a != b]
    cluster.random.shuffle(waiting)
    flying: dict[Future[Sent], tuple[int, int]] = {}
    reasons: dict[tuple[int, int], str] = {}
    while waiting or flying:
        while waiting and len(flying) < _IN_FLIGHT:
            pair = waiting.pop()
            flying[cluster.begin_send(*pair, "reach", deadline_s=deadline_s)] = pair
        ended, _ = wait(flying, timeout=1.0, return_when=FIRST_COMPLETED)
        cluster.check()
        for future in ended:
            pair, sent = flying.pop(future), future.result()
            if sent.delivered:
                last = time.monotonic()
            else:
                reasons[pair] = sent.reason
                waiting.insert(0, pair)
        if time.monotonic() - began > limit_s and (waiting or flying):
            open_pairs = [*waiting, *flying.values()]
            told = ", ".join(
                f"{a} to {b} ({reasons.get((a, b), 'open')})" for a, b in open_pairs[:8]
            )
            raise DeadlineError(
                f"not within {limit_s:g} s: {len(open_pairs)} pairs reach each other: {told}"
            )
    return last - began


class Traffic:
    """Sends between random live nodes at an even rate, and broadcasts, until the `with` block ends.

        with Traffic(cluster, sends_per_s=20) as traffic:
            ...
        assert all(sent.delivered for sent in traffic.sent)

    The end of the block waits until every send has been answered; each deadline_s + 10 s at most, then
    DeadlineError: a send that is neither done nor failed is a defect of the node.

    sent         what sends came to, in order of their end
    broadcasts   (seconds of the monotonic clock, number of the source) of those that were taken
    refused      broadcasts that were not
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        sends_per_s: float = 20.0,
        broadcasts_per_s: float = 1.0,
        deadline_s: float = 15.0,
    ) -> None:
        self.sent: list[Sent] = []
        self.broadcasts: list[tuple[float, int]] = []
        self.refused = 0
        self._cluster = cluster
        self._every_s = 1 / sends_per_s
        self._broadcast_share = broadcasts_per_s / sends_per_s
        self._deadline_s = deadline_s
        self._open: set[Future[Sent]] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        due, owed = time.monotonic(), 0.0
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due += self._every_s
            live = [node for node in self._cluster.nodes if node.attached]
            if len(live) < 2:
                continue
            source, target = self._cluster.random.sample(live, 2)
            try:
                future = self._cluster.begin_send(
                    source.number, target.number, "traffic", deadline_s=self._deadline_s
                )
                self._open.add(future)
                future.add_done_callback(lambda done: self.sent.append(done.result()))
                owed += self._broadcast_share
                if owed >= 1:
                    owed -= 1
                    self._broadcast(source.number)
            except RuntimeError:  # the source has just gone down
                continue

    def _broadcast(self, source: int) -> None:
        began = time.monotonic()
        try:
            self._cluster.broadcast(source, "traffic")
            self.broadcasts.append((began, source))
        except ControlError:
            self.refused += 1

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        _, unanswered = wait(self._open, timeout=self._deadline_s + 10)
        if unanswered:
            raise DeadlineError(f"{len(unanswered)} sends were neither done nor failed in time")
