"""Shared worlds: built once, forked by every test that changes them."""

from __future__ import annotations

import pytest
import tombolo


@pytest.fixture(scope="session")
def base_world() -> tombolo.World:
    """300 peers at equal distances. Fork it; never run it."""
    return tombolo.World(peers=300, latency=20, seed=7)


@pytest.fixture
def world(base_world: tombolo.World) -> tombolo.World:
    return base_world.fork()
