"""Equal arguments and calls, equal bits: runs, copies, files, slices, sweeps."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import tombolo


def busy_world(seed: int = 5) -> tombolo.World:
    world = tombolo.World(
        peers=200, latency="internet", churn="kad", seed=seed, nat_share=0.2, loss=0.01
    )
    world.workload("send", 20)
    world.workload("put", 5, keys=20)
    world.run(3)
    return world


def continue_run(world: tombolo.World) -> tuple[str, list[int]]:
    world.join(2)
    world.run(5)
    return world.trace_hash, world.lookups(20)["hops"].tolist()


def test_equal_seeds_give_equal_runs_and_others_do_not() -> None:
    first, second, other = busy_world(), busy_world(), busy_world(seed=6)
    assert first.trace_hash == second.trace_hash != other.trace_hash
    assert continue_run(first) == continue_run(second)


def test_a_run_in_pieces_is_the_same_run() -> None:
    whole, pieces = busy_world(), busy_world()
    whole.run(4)
    for _ in range(40):
        pieces.run(0.1)
    assert whole.trace_hash == pieces.trace_hash


@pytest.mark.parametrize(
    "copied",
    [
        tombolo.World.fork,
        copy.copy,
        copy.deepcopy,
        lambda world: pickle.loads(pickle.dumps(world)),
    ],
    ids=["fork", "copy", "deepcopy", "pickle"],
)
def test_a_copy_goes_on_alike_and_alone(copied: Callable[[tombolo.World], tombolo.World]) -> None:
    world = busy_world()
    branch = copied(world)
    before = world.trace_hash
    expected = continue_run(branch)
    assert world.trace_hash == before
    assert continue_run(world) == expected
    assert branch.series()["messages"].tolist() == world.series()["messages"].tolist()


def test_a_saved_world_goes_on_alike(tmp_path: Path) -> None:
    world = busy_world()
    world.save(tmp_path / "world")
    loaded = tombolo.World.load(tmp_path / "world")
    assert loaded.options == world.options
    assert loaded.now == world.now
    assert continue_run(loaded) == continue_run(world)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "world"
    tombolo.World(peers=20).save(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="damaged"):
        tombolo.World.load(path)


def test_callbacks_do_not_change_a_run() -> None:
    plain, watched = busy_world(), busy_world()
    watched.on("message", lambda event: None)
    assert continue_run(plain) == continue_run(watched)


def measured(*, seed: int, peers: int, k: int) -> dict[str, float]:
    return tombolo.measure(peers=peers, k=k, seed=seed, lookups=20)


def test_a_sweep_depends_on_neither_workers_nor_order() -> None:
    grid = {"peers": [50, 100], "k": [4, 8]}
    one = tombolo.sweep(measured, grid, seeds=2, workers=1)
    two = tombolo.sweep(measured, grid, seeds=2, workers=2)
    assert one.table.equals(two.table)
    assert one.summary.equals(two.summary)
    points = [{"k": 8, "peers": 100}, {"k": 4, "peers": 50}]
    other = tombolo.sweep(measured, points, seeds=1, workers=1).table
    for _, row in other.iterrows():
        known = one.table
        same = known[(known["k"] == row["k"]) & (known["peers"] == row["peers"])].iloc[0]
        assert same["seed"] == row["seed"]
        assert same["trace_hash"] == row["trace_hash"]
    assert one.table["seed"].nunique() == 8
