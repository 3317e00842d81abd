"""What a node says of itself; results of operations are those of `tombolo.World`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Status:
    """Of `Client.status`."""

    id: str  # 40 hexadecimal digits
    version: str
    state: str  # idle, joining, joined, left
    uptime_s: float
    listening: str  # the address of links, with its port
    http: str  # of health and metrics; empty: off
    addresses: tuple[str, ...]  # what it tells others
    dialable: bool
    connections: int
    links: int  # connections that the overlay keeps
    contacts: int  # live, in the routing table
    counters: dict[str, int]  # by name; `sent_KIND` and `received_KIND` count messages


@dataclass(frozen=True)
class Reloaded:
    """Of `Client.reload`: names of the settings that differ from before."""

    changed: tuple[str, ...]  # and hold from now on
    restart_required: tuple[str, ...]  # and hold from the next start on


@dataclass(frozen=True)
class Topology:
    """Of `Client.topology`: what the node's tables hold, as ids."""

    buckets: dict[int, tuple[str, ...]]  # by the bits that contacts share with the node's id
    successors: tuple[str, ...]
    predecessors: tuple[str, ...]
    links: tuple[str, ...]

    def contacts(self) -> list[str]:
        """Everybody in the tables, once each, in order of ids."""
        found = {one for bucket in self.buckets.values() for one in bucket}
        return sorted(found.union(self.successors, self.predecessors, self.links))
