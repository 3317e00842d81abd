"""24 real nodes that split and heal under traffic: each island works, after the heal all is one.

Cuts last TOMBOLO_CUT_S seconds, 10 by default.
"""

import os
import time

import pytest
from tombolo.cluster import Cluster, Traffic, until

NODES = 24
BOOTSTRAP = 3
CUT_S = float(os.environ.get("TOMBOLO_CUT_S", "10"))
HEAL_S = 15.0  # bar: all pairs, from the moment that the path is back
# One pair alone can meet. Soon after the cut its link is still dialled anew; later it has to be hit by
# probes, one per node and 42 s to one of NODES / 2 lost ones (HealConfig.probe_spread).
BRIDGE_S = HEAL_S if CUT_S <= 10 else 600.0
WHOLE_S = 60.0  # ring and broadcasts, which no send waits for
AFTER_S = 4.0  # of traffic that must all arrive, once the cluster is whole again


@pytest.fixture
def cluster(tmp_path):
    with Cluster(NODES, tmp_path, bootstrap=BOOTSTRAP) as nodes:
        nodes.wait_joined()
        nodes.wait_reachable(30)
        yield nodes


@pytest.fixture
def heal_time(record_property, capsys):
    """Notes how long something took, in the report of the run and on the terminal."""

    def note(what, seconds):
        record_property(what, seconds)
        with capsys.disabled():
            print(f"\n  {what}: {seconds:.2f} s", end="", flush=True)

    return note


def pass_time(traffic_cluster, seconds):
    """Lets a cut last; the nodes must all stay up."""
    end = time.monotonic() + seconds
    until("the time is over", lambda: time.monotonic() >= end, seconds + 5)
    assert len(traffic_cluster.live) > 0


def lost(sends):
    return [sent for sent in sends if not sent.delivered]


def across(cluster, sent):
    return cluster.island_of(sent.source) != cluster.island_of(sent.target)


def broadcast_faults(cluster, traffic):
    """Live nodes that have not every broadcast exactly once, in words."""
    sent = {}
    for _, source in traffic.broadcasts:
        sent[source] = sent.get(source, 0) + 1
    faults = []
    for node in cluster.live:
        repeated = [key for key, times in node.received.items() if times > 1]
        expected = sum(count for source, count in sent.items() if source != node.number)
        if repeated or len(node.received) != expected:
            faults.append(
                f"node {node.number}: {len(node.received)} of {expected}, {len(repeated)} repeated"
            )
    return faults


def is_whole(cluster):
    """One ring, no bucket falsely empty."""
    until("one ring", lambda: not cluster.ring_faults(), WHOLE_S, pause_s=0.2)
    until("buckets", lambda: not cluster.bucket_faults(), WHOLE_S, pause_s=0.2)
    assert all(node.missed_events == 0 for node in cluster.live)


def split_and_heal(cluster, groups, heal_time, *, one_way=False, bridge=None):
    """Traffic before, during and after a cut; returns the sends that began and ended in the cut,
    within islands and across, without those over the bridge."""
    with Traffic(cluster, sends_per_s=15, deadline_s=5) as traffic:
        pass_time(cluster, 1)
        cluster.partition(groups, one_way=one_way)
        began = time.monotonic()
        pass_time(cluster, CUT_S)
        if bridge:
            cluster.bridge(*bridge)
            heal_time("over the bridge", cluster.wait_reachable(BRIDGE_S, bridge))
        pairs = {bridge, bridge[::-1]} if bridge else set()
        ended = [
            s for s in traffic.sent if s.began_s >= began and (s.source, s.target) not in pairs
        ]
        inside = [s for s in ended if not across(cluster, s)]
        outside = [s for s in ended if across(cluster, s)]
        cluster.heal()
        healed = time.monotonic()
        heal_time("all pairs", cluster.wait_reachable(HEAL_S))
        is_whole(cluster)
        whole = time.monotonic()
        heal_time("one ring", whole - healed)
        pass_time(cluster, AFTER_S)
    until(
        "every broadcast is everywhere once",
        lambda: not broadcast_faults(cluster, traffic),
        WHOLE_S,
    )
    assert len(traffic.broadcasts) >= CUT_S
    late = [s for s in traffic.sent if s.began_s >= whole]
    assert len(late) > 30
    assert lost(late) == []
    return inside, outside


def test_two_islands(cluster, heal_time):
    """Both halves have old bootstrap nodes: 0 and 2 here, 1 there."""
    islands = [list(range(0, NODES, 2)), list(range(1, NODES, 2))]
    inside, outside = split_and_heal(cluster, islands, heal_time)
    assert len(inside) > 30
    assert lost(inside) == []
    assert len(outside) > 10  # answered during the cut, which nothing passes
    assert lost(outside) == outside
    assert {sent.reason for sent in outside} <= {"deadline", "unreachable", "no_links"}


def test_three_islands(cluster, heal_time):
    islands = [list(range(first, NODES, 3)) for first in range(3)]
    inside, outside = split_and_heal(cluster, islands, heal_time)
    assert lost(inside) == []
    assert lost(outside) == outside


def test_cut_of_one_direction(cluster, heal_time):
    islands = [list(range(0, NODES, 2)), list(range(1, NODES, 2))]
    inside, outside = split_and_heal(cluster, islands, heal_time, one_way=True)
    assert lost(inside) == []
    assert lost(outside) == outside  # what arrives cannot be acknowledged


def test_bridge_is_a_path_for_two_at_least(cluster, heal_time):
    """The islands may route over it; the two at its ends have to."""
    islands = [list(range(0, NODES, 2)), list(range(1, NODES, 2))]
    inside, _ = split_and_heal(cluster, islands, heal_time, bridge=(4, 5))
    assert lost(inside) == []


def test_a_third_is_killed_under_traffic(cluster, heal_time):
    dead = list(range(1, NODES, 3))
    with Traffic(cluster, sends_per_s=15, broadcasts_per_s=0.1, deadline_s=5) as traffic:
        pass_time(cluster, 1)
        began = time.monotonic()
        cluster.kill(dead)
        survivors = [node.number for node in cluster.live]
        assert len(survivors) == NODES - len(dead)
        heal_time("survivors reach each other", cluster.wait_reachable(10))
        is_whole(cluster)
        heal_time("one ring", time.monotonic() - began)
        whole = time.monotonic()
        pass_time(cluster, 3)
    between = [s for s in traffic.sent if {s.source, s.target} <= set(survivors)]
    assert lost([s for s in between if s.began_s >= whole]) == []
    assert {s.reason for s in lost(between)} <= {"deadline", "unreachable", "no_links"}
    cluster.restart(dead)
    cluster.wait_joined()
    heal_time("all reach those that came back", cluster.wait_reachable(30))


def test_islands_heal_without_any_bootstrap_node(cluster, heal_time):
    cluster.kill(range(BOOTSTRAP))
    cluster.wait_reachable(30)
    live = [node.number for node in cluster.live]
    inside, outside = split_and_heal(cluster, [live[::2], live[1::2]], heal_time)
    assert lost(inside) == []
    assert lost(outside) == outside
