"""Eight real nodes over TLS on loopback: they join, find and reach each other; one dies, one leaves."""

import json
import subprocess

import pytest
from cluster import PROGRAMS, Cluster, until


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(8, tmp_path_factory.mktemp("cluster")) as nodes:
        nodes.wait_joined()
        yield nodes


def failures(nodes) -> list[str]:
    """Sends between all ordered pairs; those that failed."""
    failed = []
    for origin in nodes:
        for target in nodes:
            if origin is target:
                continue
            done = origin.ctl("send", target.id, f"from {origin.id}")
            if done.returncode != 0:
                failed.append(
                    f"{origin.folder.name} to {target.folder.name}: {done.stderr.strip()}"
                )
    return failed


def test_ids_differ_and_addresses_are_told(cluster):
    assert len({node.id for node in cluster.nodes}) == 8
    for node in cluster.nodes:
        assert node.ask("status")["addresses"] == [node.address]


def test_every_node_reaches_every_other(cluster):
    assert failures(cluster.nodes) == []


def test_sent_text_arrives_with_its_proven_origin(cluster):
    watcher = cluster[3].watch()
    try:
        cluster[6].send(cluster[3].id, "good morning")
        events = iter(lambda: json.loads(watcher.stdout.readline()), None)
        message = next(event["message"] for event in events if "message" in event)
    finally:
        watcher.terminate()
        watcher.wait(timeout=10)
    assert message["payload"] == "good morning"
    assert message["origin"] == cluster[6].id


def test_broadcast_reaches_all(cluster):
    reply = until(
        "a broadcast that all have",
        lambda: (
            (r := cluster[2].ask("broadcast", "--acknowledge", "to all"))["delivered"] == 7 and r
        ),
    )
    assert reply["complete"]


def test_records_are_found_from_everywhere(cluster):
    assert cluster[1].ask("put", "colour", "blue", "--sequence", "1")["stored"] > 0
    for node in cluster.nodes:
        assert node.ask("get", "colour")["value"] == "blue"


def test_lookup_names_the_closest_node_first(cluster):
    for target in cluster.nodes[1:]:
        assert cluster[0].ask("lookup", target.id)["closest"][0] == target.id


def test_connect_makes_a_direct_link(cluster):
    cluster[4].ask("connect", cluster[5].id)
    assert cluster[5].id in cluster[4].peers()


def test_unknown_target_fails_with_a_reason(cluster):
    done = cluster[0].ctl("send", "00" * 20, "nobody there")
    assert done.returncode == 1
    assert "UNREACHABLE" in done.stderr or "DEADLINE" in done.stderr


def test_second_process_on_a_data_folder_is_refused(cluster):
    command = [
        PROGRAMS / "tombolo-node",
        "--data-dir",
        cluster[0].folder,
        "--listen",
        "127.0.0.1:0",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    assert done.returncode == 1
    assert f"is in use by process {cluster[0].process.pid}" in done.stderr


def test_killed_node_is_missed_and_comes_back_as_the_same(cluster):
    victim = cluster[7]
    before = victim.id
    victim.kill()
    survivors = cluster.running
    assert len(survivors) == 7
    until(
        "links to the dead are gone", lambda: all(before not in node.peers() for node in survivors)
    )
    until("survivors reach each other", lambda: failures(survivors) == [])
    victim.start()
    assert victim.id == before
    until("it has joined again", victim.joined)
    until("all reach it", lambda: failures(cluster.running) == [])


def test_sigterm_says_goodbye_and_exits_zero(cluster):
    leaver = cluster[6]
    assert leaver.terminate() == 0
    stayers = cluster.running
    assert len(stayers) == 7
    # Told, not found out: sooner than any keepalive.
    until(
        "nobody is linked to it", lambda: all(leaver.id not in node.peers() for node in stayers), 5
    )
    assert failures(stayers) == []


def test_drain_of_the_control_api_ends_the_process(cluster):
    leaver = cluster[5]
    leaver.ask("drain")
    assert leaver.process.wait(timeout=15) == 0
