"""tombolo.cluster on network namespaces, where the system allows them; else it says what is missing."""

import subprocess

import pytest
from tombolo.cluster import Cluster, NetworkUnavailableError, until


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    try:
        cluster = Cluster(4, tmp_path_factory.mktemp("netns"), network="netns")
    except NetworkUnavailableError as error:
        pytest.skip(f"no network namespaces here: {error}")
    with cluster:
        cluster.wait_joined()
        cluster.wait_reachable(30)
        yield cluster


@pytest.fixture
def cluster(four):
    yield four
    four.heal()
    four.wait_reachable(60)


def test_nodes_have_addresses_of_their_own(cluster):
    hosts = {node.listening.rpartition(":")[0] for node in cluster.nodes}
    assert len(hosts) == 4
    assert "127.0.0.1" not in hosts


def test_islands_are_apart_until_healed(cluster):
    cluster.partition([[0, 1], [2, 3]])
    assert not cluster.send(0, 2, deadline_s=2).delivered
    assert not cluster.send(3, 1, deadline_s=2).delivered
    until("an island works", lambda: cluster.send(0, 1, deadline_s=3).delivered)
    until("the other, too", lambda: cluster.send(2, 3, deadline_s=3).delivered)
    cluster.heal()
    cluster.wait_reachable(60)


def test_cut_of_one_direction_leaves_a_way_round(cluster):
    cluster.cut(0, 1, one_way=True)
    until("a way round", lambda: cluster.send(0, 1, deadline_s=3).delivered, 60)
    until("and back", lambda: cluster.send(1, 0, deadline_s=3).delivered, 60)


def test_node_that_came_back_is_reached(cluster):
    cluster.kill(3)
    cluster.restart(3)
    cluster.wait_reachable(60)


def test_delays_are_felt(cluster):
    with pytest.raises(ValueError, match="network='proxy'"):
        cluster.delay(20, 0, 1)
    try:
        cluster.delay(40)
    except NetworkUnavailableError as error:
        pytest.skip(str(error))
    assert cluster.send(0, 1).latency_ms >= 80
    cluster.delay(0)


def test_nothing_is_left_behind(tmp_path):
    try:
        cluster = Cluster(2, tmp_path, network="netns")
    except NetworkUnavailableError as error:
        pytest.skip(f"no network namespaces here: {error}")
    holders = [cluster._network._hub.pid, *(s.pid for s in cluster._network._spaces.values())]
    with cluster:
        cluster.wait_joined()
    running = subprocess.run(
        ["ps", "-o", "pid=", "-p", ",".join(map(str, holders))], capture_output=True, text=True
    )
    assert running.stdout.split() == []


def test_missing_privilege_is_an_error_with_words(tmp_path, monkeypatch):
    empty = tmp_path / "nothing"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    with pytest.raises(NetworkUnavailableError, match="network namespaces"):
        Cluster(1, tmp_path / "data", network="netns", programs=tmp_path)


def test_unknown_network_is_refused(tmp_path):
    with pytest.raises(ValueError, match="allowed are proxy, netns"):
        Cluster(1, tmp_path, network="wires")
