"""Partitions, restarts and pauses, and the settings of faults at random."""

from __future__ import annotations

from collections import Counter

import pytest
import tombolo


def test_shares_split_the_live_peers_exactly(world: tombolo.World) -> None:
    world.partition([0.5, 0.25, 0.25])
    sizes = Counter(world.island_of(peer) for peer in range(300))
    assert sizes == {0: 150, 1: 75, 2: 75}
    world.heal()
    assert {world.island_of(peer) for peer in range(300)} == {0}


def test_groups_name_the_peers_of_every_island(world: tombolo.World) -> None:
    world.partition([range(100), range(100, 300)])
    assert world.island_of(99) == 0
    assert world.island_of(world.id_of(100)) == 1
    assert not world.can_talk(99, 100)
    assert world.can_talk(0, 99)
    assert not world.send(0, 200, deadline_s=5).delivered
    assert world.metrics()["cut"] > 0
    world.heal()
    assert world.can_talk(99, 100)


def test_a_one_way_partition_lets_one_direction_pass(world: tombolo.World) -> None:
    world.partition([range(100), range(100, 300)], one_way=True)
    assert world.can_talk(0, 200)
    assert not world.can_talk(200, 0)


def test_cuts_bridges_and_isolation(world: tombolo.World) -> None:
    world.cut(3, 4, one_way=True)
    assert not world.can_talk(3, 4)
    assert world.can_talk(4, 3)
    world.cut(3, 4)
    assert not world.can_talk(4, 3)
    world.bridge(3, 4)
    assert world.can_talk(3, 4)
    world.isolate(9)
    assert world.island_of(9) == -1
    assert not world.can_talk(9, 10)
    assert not world.can_talk(10, 9)
    world.bridge(9, 10)
    assert world.can_talk(9, 10)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([0.5], "partition has 1 shares: allowed are 2 to 1000"),
        ([0.75, 0.5], "sum up to 1.25"),
        ([0.5, -0.5], "a share of -0.5"),
        ([[0, 1], [1, 2]], "peer 1 is in two islands"),
        ([[0, 1], [2]], "peer 3 is up and in no island"),
    ],
)
def test_bad_groups_are_named(world: tombolo.World, groups: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        world.partition(groups)


def test_a_stopped_peer_goes_on_and_a_crashed_one_joins_anew(world: tombolo.World) -> None:
    world.stop(7)
    assert world.live_count == 299
    world.run(20)
    world.restart(7)
    assert world.live_count == 300
    world.crash(8)
    world.restart(8)
    world.run(60)
    assert world.lookup(100, world.id_of(8)).closest[0] == 8
    with pytest.raises(ValueError, match="peer = 8: is up already"):
        world.restart(8)


def test_a_paused_peer_answers_later(world: tombolo.World) -> None:
    before = world.peers()["received"][5]
    world.pause(5, 30)
    world.lookup(100, world.id_of(5))
    assert world.peers()["received"][5] == before
    world.run(31)
    assert world.peers()["received"][5] > before


def test_faults_at_random_are_settings() -> None:
    world = tombolo.World(peers=100, faults={"drop": 0.2, "end_s": 50}, seed=3)
    assert world.options["faults.drop"] == 0.2
    assert world.options["faults.flap_cycles"] == 3
    quiet = tombolo.World(peers=100, seed=3)
    for each in (world, quiet):
        each.lookups(100)
    assert world.trace_hash != quiet.trace_hash
    with pytest.raises(ValueError, match=r"faults.drop = 2: allowed are 0 to 1"):
        tombolo.World(peers=10, faults={"drop": 2.0})
    with pytest.raises((TypeError, ValueError), match=r"faults.dorp"):
        tombolo.World(peers=10, faults={"dorp": 0.1})


def test_forks_in_a_partition_go_on_identically(world: tombolo.World) -> None:
    world.partition([0.5, 0.5])
    branch = world.fork()
    for each in (world, branch):
        each.run(20)
        each.heal()
        each.run(20)
    assert world.trace_hash == branch.trace_hash
