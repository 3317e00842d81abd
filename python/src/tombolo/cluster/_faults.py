"""What is wrong with the tables of a cluster's nodes, seen from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tombolo.cluster._cluster import Cluster


def ring_faults(cluster: Cluster) -> list[str]:
    """See `Cluster.ring_faults`."""
    ids = sorted(node.id for node in cluster.live)
    follower = dict(zip(ids, ids[1:] + ids[:1], strict=True))
    faults = []
    for node in cluster.live:
        told = (node.topology().get("successors") or ["nobody"])[0]
        if told != follower[node.id] and len(ids) > 1:
            number = cluster.index(follower[node.id])
            faults.append(f"node {node.number}: {told[:8]} instead of node {number}")
    return faults


def bucket_faults(cluster: Cluster) -> list[str]:
    """See `Cluster.bucket_faults`."""
    faults = []
    for node in cluster.live:
        filled = {b.get("level", 0) for b in node.topology()["buckets"] if b.get("contacts")}
        own = int(node.id, 16)
        for other in cluster.live:
            level = 160 - (own ^ int(other.id, 16)).bit_length()
            if other is not node and level not in filled:
                faults.append(
                    f"node {node.number}: bucket {level} is empty, not node {other.number}'s"
                )
    return faults
