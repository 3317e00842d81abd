"""tombolo.cluster with few nodes: its verbs, its errors, and that nothing is left behind."""

import os
import signal
import subprocess

import pytest
from tombolo.cluster import Cluster, DeadlineError, NodeDiedError, find_programs, until


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    with Cluster(3, tmp_path_factory.mktemp("three")) as cluster:
        cluster.wait_joined()
        cluster.wait_reachable(20)
        yield cluster


@pytest.fixture
def cluster(three):
    yield three
    three.heal()
    three.delay(0)
    three.wait_reachable(30)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_send_tells_how_it_went(cluster):
    sent = cluster.send(0, cluster[2].id, "with 'quotes' and -- dashes")
    assert (sent.delivered, sent.reason, sent.source, sent.target) == (True, "", 0, 2)
    assert sent.hops >= 1
    until(
        "it is there", lambda: (cluster[0].id, "with 'quotes' and -- dashes") in cluster[2].messages
    )


def test_isolated_node_is_alone_until_healed(cluster):
    cluster.isolate(1)
    assert cluster.island_of(1) == -1
    assert not cluster.can_talk(0, 1)
    assert not cluster.send(0, 1, deadline_s=1).delivered
    assert cluster.send(0, 2, deadline_s=3).delivered
    cluster.heal()
    cluster.wait_reachable(20)


def test_cut_pair_reaches_each_other_through_a_third(cluster):
    cluster.cut(0, 1)
    until("a way round", lambda: cluster.send(0, 1, deadline_s=3).delivered, 20)


def test_delay_is_felt(cluster):
    cluster.delay(40)
    assert cluster.send(0, 1).latency_ms >= 80
    cluster.delay(0)
    cluster.delay(40, 0, 1)
    assert cluster.can_talk(0, 1)


def test_killed_node_comes_back_as_the_same(cluster):
    before, pid = cluster[2].id, cluster[2].pid
    cluster.kill(2)
    assert not is_alive(pid)
    assert [node.number for node in cluster.live] == [0, 1]
    with pytest.raises(RuntimeError, match="node 2 is down"):
        cluster.send(2, 0)
    cluster.restart(2)
    assert cluster[2].id == before
    with pytest.raises(ValueError, match="node 2 is up"):
        cluster.restart(2)


def test_stopped_node_says_goodbye(cluster):
    leaver = cluster[2].id
    cluster.stop(2)
    until("it is missed", lambda: all(leaver not in node.peers() for node in cluster.live), 5)
    cluster.restart(2)


def test_report_has_nodes_counters_and_connections(cluster):
    report = cluster.report()
    assert [node["up"] for node in report["nodes"]] == [True] * 3
    assert report["counters"]["sent_forward"] > 0
    assert report["connections"]["carried"] >= 2
    assert cluster.ring_faults() == []
    assert cluster.bucket_faults() == []


def test_groups_must_hold_everybody_once(cluster):
    for groups in ([[0], [1]], [[0, 1], [1, 2]], [[0, 1], [2, 3]], [0.5, -0.5], []):
        with pytest.raises(ValueError, match=r"group|node"):
            cluster.partition(groups)


def test_shares_are_drawn(cluster):
    cluster.partition([2, 1])
    islands = sorted(cluster.island_of(node) for node in range(3))
    assert islands == [0, 0, 1]


def test_missed_deadline_names_the_pairs(cluster):
    cluster.isolate(1)
    with pytest.raises(DeadlineError, match=r"pairs reach each other.*1"):
        cluster.wait_reachable(1, deadline_s=0.5)


def test_script_answers_line_by_line(cluster):
    program = find_programs() / "tomboloctl"
    address = f"unix:{cluster[0]._socket}"
    done = subprocess.run(
        [program, "--node", address, "script"],
        input=f"send {cluster[1].id} 'good morning'\n\nfrobnicate\nlookup --timeout 1 x\nget nothing\n",
        capture_output=True,
        text=True,
        timeout=30,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert '{"line":1,"status":0}' in lines
    assert any('"line":3,"status":2,"error":' in line for line in lines)
    assert any('"line":5,"status":1,"error":' in line for line in lines)


def test_exception_leaves_no_process_behind(tmp_path):
    pids = []

    def fail():
        with Cluster(2, tmp_path) as cluster:
            pids.extend(node.pid for node in cluster.nodes)
            raise KeyError("from within")

    with pytest.raises(KeyError):
        fail()
    assert len(pids) == 2
    assert not any(map(is_alive, pids))


def test_node_that_cannot_start_says_why(tmp_path):
    with pytest.raises(NodeDiedError, match=r"(?s)has ended with status 2.*links"):
        Cluster(1, tmp_path, flags=["--limits-links", "1"])


def test_node_that_dies_by_itself_is_not_passed_over(tmp_path):
    with Cluster(2, tmp_path) as cluster:
        cluster.wait_joined()
        os.kill(cluster[1].pid, signal.SIGABRT)
        with pytest.raises(NodeDiedError, match="node 1 has ended with signal SIGABRT"):
            until("it is noticed", lambda: len(cluster.live) < 2, 10)


def test_needs_a_node_and_a_bootstrap_node(tmp_path):
    for count, bootstrap in ((0, 1), (2, 3), (2, 0)):
        with pytest.raises(ValueError, match="bootstrap"):
            Cluster(count, tmp_path, bootstrap=bootstrap)
