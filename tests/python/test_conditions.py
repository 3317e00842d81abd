"""Conditions to run until, and the invariants that `World.check` compares with the truth."""

from __future__ import annotations

import tombolo


def both(peers: int, seed: int = 1) -> tombolo.World:
    return tombolo.World(peers=peers, overlay="both", seed=seed, k=8)


def test_a_built_world_fulfils_every_condition_at_once() -> None:
    world = both(200)
    for condition in ("ring_ok", "tables_ok", "all_routable"):
        assert world.run_until(condition, limit=1) == tombolo.RunReport(True, 0.0, 0)


def test_a_ring_with_dead_peers_is_repaired_in_time() -> None:
    world = both(200)
    world.crash(share=0.3)
    report = world.run_until("ring_ok", limit=600)
    assert report.reached
    # The first live successor of a list is right at once; what is dead in it goes later.
    assert report.seconds <= 600
    assert world.run_until("all_routable", limit=600).reached


def test_what_is_not_reached_ends_at_the_limit() -> None:
    # Two islands that nobody introduces to each other.
    world = tombolo.World(peers=50, overlay="both", config={"islands": [25, 25]})
    report = world.run_until("ring_ok", limit=2)
    assert (report.reached, report.seconds) == (False, 2.0)


def test_every_is_how_often_it_is_looked_at() -> None:
    looks: list[float] = []

    def look(world: tombolo.World) -> bool:
        looks.append(world.now)
        return False

    both(50).run_until(look, limit=1, every=0.25)
    assert looks == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_check_finds_nothing_wrong_with_a_built_world() -> None:
    findings = both(150).check()
    assert [f.invariant.split()[0] for f in findings] == [f"I{i}" for i in range(1, 11)]
    assert all(f.ok and f.peer is None for f in findings)
    assert all(f.checked > 0 for f in findings)


def test_check_names_the_offender_the_invariant_and_the_time() -> None:
    world = both(150)
    world.run(1.5)
    world.crash(share=0.5)
    broken = [f for f in world.check() if not f.ok]
    assert "I10 no traffic to the dead" in [f.invariant for f in broken]
    worst = broken[0]
    assert worst.peer is not None
    assert worst.time_s == 1.5
    assert str(worst).startswith(
        f"{worst.invariant}: {worst.broken} of {worst.checked} broken at 1.5 s"
    )
    assert f"peer {worst.peer} (" in str(worst)


def test_check_leaves_out_what_holds_only_at_quiescence() -> None:
    world = both(150)
    world.crash(share=0.5)
    findings = world.check(at_quiescence=False)
    assert [f.invariant.split()[0] for f in findings] == ["I8", "I9"]
    assert all(f.ok for f in findings)
