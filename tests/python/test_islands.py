"""Islands: introduced, cut apart, healed; what their peers take for their sizes; broadcasts."""

from __future__ import annotations

import numpy as np
import pytest
import tombolo


def islands(*sizes: int, seed: int = 1) -> tombolo.World:
    return tombolo.World(
        peers=sum(sizes),
        overlay="both",
        latency=50,
        k=8,
        seed=seed,
        config={"islands": list(sizes)},
    )


def test_islands_that_are_introduced_become_one_ring() -> None:
    world = islands(100, 60)
    assert world.options["islands"] == [100, 60]
    of = world.built_islands()
    assert np.bincount(of).tolist() == [100, 60]
    a, b = (int(np.flatnonzero(of == island)[0]) for island in (0, 1))
    assert not world.run_until("ring_ok", limit=5).reached
    assert 60 < world.wrong_successors() <= 120  # where the next peer is of the other island
    assert not world.send(a, b, deadline_s=5).delivered
    world.introduce(a, b)
    report = world.run_until("ring_ok", limit=60)
    assert report.reached
    assert world.wrong_successors() == 0
    assert 0 < report.seconds < 30
    assert report.messages > 0
    assert world.run_until("tables_ok", limit=60).reached
    assert world.run_until("all_routable", limit=60).reached
    world.run(60)
    assert world.send(a, b).delivered


def test_a_peer_is_introduced_to_another_live_one(world: tombolo.World) -> None:
    with pytest.raises(ValueError, match=r"b = 3: must be another peer than a"):
        world.introduce(3, 3)
    world.crash(4)
    with pytest.raises(ValueError, match=r"a = 4: this peer is not up"):
        world.introduce(4, 3)


def test_a_world_that_is_cut_and_healed_is_one_ring_again() -> None:
    world = islands(200)
    world.partition([0.5, 0.5])
    # Long enough to forget the others, who are remembered as lost.
    world.run(600)
    assert not world.run_until("ring_ok", limit=1).reached
    world.heal()
    assert world.run_until("ring_ok", limit=600).reached
    assert world.run_until("tables_ok", limit=600).reached


def test_a_bridge_alone_is_a_path_for_two() -> None:
    world = islands(200)
    world.partition([range(100), range(100, 200)])
    world.bridge(0, 100)
    assert world.can_talk(0, 100)
    assert not world.can_talk(0, 101)
    assert not world.can_talk(1, 100)


def test_size_estimates_follow_the_island() -> None:
    world = islands(600)
    assert np.isnan(world.size_estimates()).all()  # nobody has looked anything up
    world.workload("lookup", 600)
    world.run(30)
    before = world.size_estimates()
    assert before.shape == (600,)
    assert 500 < np.nanmedian(before) < 750
    world.partition([range(300), range(300, 600)])
    world.run(600)
    after = world.size_estimates()
    assert 220 < np.nanmedian(after) < 400
    world.crash(7)
    assert np.isnan(world.size_estimates()[7])


def test_without_healing_nobody_estimates(world: tombolo.World) -> None:
    world.lookups(50)
    assert np.isnan(world.size_estimates()).all()


def test_a_broadcast_reaches_everybody(world: tombolo.World) -> None:
    heard: list[tombolo.Event] = []
    world.on("broadcast", heard.append)
    result = world.broadcast(5, b"hello")
    assert result.complete
    assert (result.reached, result.wanted, result.reason) == (299, 299, "")
    assert result.source == 5
    assert 1 < result.hops < 20
    assert 20 <= result.latency_ms < 5_000
    assert sorted(event.peer for event in heard) == [p for p in range(300) if p != 5]
    assert {event.data for event in heard} == {b"hello"}
    assert heard[0].origin == world.id_of(5)


def test_an_acknowledged_broadcast_knows_whom_it_reached(world: tombolo.World) -> None:
    assert world.broadcast(5, size=1000).acknowledged == 0
    result = world.broadcast(5, size=1000, ack=True)
    assert result.acknowledged == 299
    assert result.complete


def test_a_broadcast_of_one_island_reaches_the_other_when_it_heals(world: tombolo.World) -> None:
    world.partition([range(100), range(100, 300)])
    world.run(15)  # the links across are down
    heard: list[int] = []
    world.on("broadcast", lambda event: heard.append(event.peer))
    result = world.broadcast(0, b"news", deadline_s=5, ttl_s=300)
    assert (result.reached, result.reason, result.complete) == (99, "deadline", False)
    assert sorted(heard) == list(range(1, 100))
    world.heal()
    world.run(120)
    assert sorted(heard) == list(range(1, 300))  # the others once each


def test_a_topic_reaches_its_subscribers_alone(world: tombolo.World) -> None:
    heard: list[int] = []
    world.on("broadcast", lambda event: heard.append(event.peer))
    for peer in (3, 4, 5):
        world.subscribe(peer, 7)
    world.unsubscribe(4, 7)
    result = world.broadcast(0, b"news", topic=7, deadline_s=5)
    assert result.reached == 2
    assert sorted(heard) == [3, 5]


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"data": "text"}, TypeError, r"data: str, must be bytes"),
        ({"size": -1}, ValueError, r"size = -1"),
        ({"topic": "news"}, TypeError, r"topic = 'news': must be an integer"),
        ({"topic": -1}, ValueError, r"topic = -1: allowed is 0"),
        ({"ttl_s": 0}, ValueError, r"ttl_s = 0.*allowed is above 0 to 300"),
        ({"ttl_s": 301}, ValueError, r"ttl_s = 301.*gossip.max_ttl_s"),
        ({"deadline_s": 0}, ValueError, r"deadline_s = 0"),
        ({"max_hops": 0}, ValueError, r"max_hops = 0: allowed is 1 to 255"),
        ({"max_hops": 256}, ValueError, r"max_hops = 256: allowed is 1 to 255"),
        ({"max_hops": "far"}, TypeError, r"max_hops = 'far': must be an integer"),
        ({"source": 300}, ValueError, r"source = 300: no such peer"),
    ],
)
def test_wrong_broadcasts(
    world: tombolo.World, settings: dict, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        world.broadcast(**{"source": 0, **settings})


def test_a_broadcast_that_is_too_large_is_refused(world: tombolo.World) -> None:
    result = world.broadcast(0, size=70_000)
    assert (result.reached, result.reason) == (0, "refused")


def test_a_broadcast_goes_no_further_than_it_may(world: tombolo.World) -> None:
    near = world.broadcast(0, max_hops=1, deadline_s=20)
    assert 0 < near.reached < 100
    assert near.hops == 1
    assert world.broadcast(0, deadline_s=20).reached == 299


def test_broadcasts_and_clients_are_workloads() -> None:
    world = islands(100)
    world.workload("broadcast", 1, senders=2, acknowledge=True, count=5)
    world.workload("attach", 20, clients=50, rooms=3)
    world.run(60)
    metrics = world.metrics()
    assert metrics.success("broadcast") == 1
    # One that comes again while it is being attached ends the earlier attaching.
    assert 0.98 < metrics.success("attach") < 1
    assert metrics.success("resolve") > 0.9


def test_the_settings_of_the_ring_gossip_and_clients_are_options() -> None:
    config = {"ring": {"successors": 4}, "gossip": {"max_ttl_s": 30}, "attach.replicas": 3}
    options = tombolo.World(peers=50, overlay="both", config=config).options
    assert options["ring.successors"] == 4
    assert options["gossip.max_ttl_s"] == 30
    assert options["attach.replicas"] == 3


@pytest.mark.parametrize(
    ("strategy", "kind"),
    [("zip", "merge_sync"), ("gossip", "unify_detected"), ("simple", "unify_try")],
)
def test_islands_merge_by_any_strategy(strategy: str, kind: str) -> None:
    world = tombolo.World(
        peers=120,
        overlay="both",
        latency=50,
        heal={"strategy": strategy},
        config={"islands": [60, 60], "links": {"max_links": 0, "reserved": 0}},
    )
    assert world.options["heal.strategy"] == strategy
    of = world.built_islands()
    world.introduce(int(np.argmin(of)), int(np.argmax(of)))
    assert world.run_until("ring_ok", limit=120).reached
    assert world.run_until("tables_ok", limit=120).reached
    kinds = world.metrics().messages.to_pandas().set_index("kind")["count"]
    assert kinds[kind] > 0


def test_the_settings_of_healing_are_options() -> None:
    options = tombolo.World(peers=50, heal={"probe_interval_s": 5, "enabled": False}).options
    assert options["heal.probe_interval_s"] == 5
    assert options["heal.enabled"] is False
    assert options["heal.strategy"] == "zip"


def test_a_ring_alone_keeps_no_records() -> None:
    world = tombolo.World(peers=20, overlay="chord")
    calls = [
        lambda: world.put(0, "k", b"value"),
        lambda: world.get(1, "k"),
    ]
    for call in calls:
        with pytest.raises(
            ValueError, match=r"overlay = 'chord': .* keeps no records, allowed are"
        ):
            call()
    for kind in ("put", "get", "attach"):
        with pytest.raises(ValueError, match=rf'kind = "{kind}": allowed only with overlay ='):
            world.workload(kind, 5)
    world.workload("lookup", 5)


def test_the_ring_of_2001_is_a_profile() -> None:
    config = {"ring": {"tries": 2, "profile": "paper2001", "bits": 30}}
    world = tombolo.World(peers=100, overlay="chord", config=config)
    assert world.options["ring.profile"] == "default", "tries differs"
    assert world.options["ring.successors"] == 1
    assert world.options["ring.lookup_interval_s"] == 10
    assert world.options["ring.tries"] == 2
    world = tombolo.World(peers=100, overlay="chord", config={"ring.profile": "paper2001"})
    assert world.options["ring.profile"] == "paper2001"
    world.run(1000)
    assert world.metrics().success("lookup") == 1
    with pytest.raises(ValueError, match=r"ring\.profile"):
        tombolo.World(peers=10, overlay="chord", config={"ring.profile": "paper"})
