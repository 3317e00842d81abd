"""Latency and churn models, and theory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tombolo
from tombolo import churn, latency, theory


def direct_ms(world: tombolo.World, source: int, target: int) -> float:
    """The round trip between two linked peers."""
    world.connect(source, target)
    world.run(1)
    return world.send(source, target).latency_ms


def test_a_number_is_a_constant_delay() -> None:
    assert direct_ms(tombolo.World(peers=2, latency=30), 0, 1) == pytest.approx(60)


@pytest.mark.parametrize(
    ("model", "low", "high"),
    [
        (latency.constant(12.5), 25, 25),
        (latency.uniform(10, 20), 20, 40),
        (latency.lognormal(30, 0), 60, 60),
        (latency.cloud(), 0.9, 500),
        (latency.internet(), 0.1, 3000),
        (latency.matrix([[0, 80], [80, 0]]), 80, 80),
        (latency.matrix([[0, 0.08], [0.08, 0]], unit="s"), 80, 80),
        (latency.matrix([[0, np.nan], [80, 0]]), 80, 80),
        (latency.coordinates([[0, 0, 7]]), 14.2, 16),
    ],
    ids=lambda value: getattr(value, "model", str(value)),
)
def test_models(model: latency.Latency, low: float, high: float) -> None:
    world = tombolo.World(peers=2, latency=model)
    assert low - 0.01 <= direct_ms(world, 0, 1) <= high + 0.01


def test_models_from_files(tmp_path: Path) -> None:
    rtt = tmp_path / "rtt.tsv"
    rtt.write_text("0\t80\n80\t0\n")
    assert direct_ms(tombolo.World(peers=2, latency=latency.matrix(rtt)), 0, 1) == pytest.approx(80)
    points = tmp_path / "points.tsv"
    points.write_text("0\t0\t5\n")
    world = tombolo.World(peers=2, latency=latency.coordinates(points))
    assert 10 <= direct_ms(world, 0, 1) <= 12.1


def test_jitter_varies_messages() -> None:
    world = tombolo.World(peers=2, latency=latency.constant(30, jitter_ms=10))
    times = {direct_ms(world, 0, 1) for _ in range(4)}
    assert len(times) == 4
    assert min(times) > 60


def test_models_compare_by_value() -> None:
    assert latency.constant(3) == latency.constant(3) != latency.constant(4)
    assert len({latency.internet(), latency.internet(), latency.cloud()}) == 2
    assert churn.weibull() == churn.weibull() != churn.preset("kad")


@pytest.mark.parametrize(
    "model",
    [
        churn.exponential(100),
        churn.weibull(100, shape=0.7),
        churn.pareto(100, shape=2.5),
        churn.lognormal(100, sigma=0.5),
    ],
    ids=lambda model: model.settings()["model"],
)
def test_churn_keeps_the_population(model: churn.Churn) -> None:
    world = tombolo.World(
        peers=400, latency=5, churn=model, config={"links": {"max_links": 0, "reserved": 0}}
    )
    world.run(200)
    metrics = world.metrics()
    assert 300 < world.live_count < 500
    assert 400 < metrics["joins"] < 1200
    assert metrics["leaves"] == 0


def test_graceful_sessions_end_with_goodbyes() -> None:
    world = tombolo.World(peers=200, latency=5, churn=churn.exponential(100, graceful_share=1))
    world.run(50)
    metrics = world.metrics()
    assert metrics["leaves"] > 50
    assert metrics["crashes"] == 0


def test_presets_are_published_models() -> None:
    options = tombolo.World(peers=2, churn="kad").options
    assert options["churn.model"] == "weibull"
    assert options["churn.shape"] == 0.5
    assert options["churn.mean_s"] == pytest.approx(10_000, abs=0.01)


# Measured by a stand-alone model of greedy routes.
@pytest.mark.parametrize(
    ("peers", "k", "measured", "error"),
    [
        (2**12, 20, 2.30, 0.03),
        (2**17, 20, 3.17, 0.03),
        (2**12, 16, 2.40, 0.04),
        (2**17, 8, 3.97, 0.07),
        (2**12, 4, 3.48, 0.10),
    ],
)
def test_theory_agrees_with_the_tables(peers: int, k: int, measured: float, error: float) -> None:
    assert theory.kademlia_hops(peers, k) == pytest.approx(measured, rel=error)


def test_theory_at_its_ends() -> None:
    assert theory.kademlia_hops(10, 20) == 1
    assert theory.relay_hops(10_000) == pytest.approx(5.13, abs=0.01)
    assert theory.relay_hops(1) == 1
    with pytest.raises(ValueError, match="k = 0"):
        theory.kademlia_hops(10, 0)
    with pytest.raises(ValueError, match="peers = 0"):
        theory.relay_hops(0)


def test_simulated_hops_agree_with_theory() -> None:
    links = {"max_links": 0, "reserved": 0}
    world = tombolo.World(peers=4096, alpha=1, latency=1, config={"links": links})
    hops = world.lookups(2000)["hops"].mean()
    assert hops == pytest.approx(theory.kademlia_hops(4096, 20), rel=0.04)
