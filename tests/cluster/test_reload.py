"""SIGHUP and `tomboloctl reload`: what can change does, the rest is named, a bad file changes nothing."""

import signal

import pytest
from cluster import Cluster, until


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "node.toml"
    path.write_text("")
    return path


@pytest.fixture
def cluster(tmp_path, file):
    with Cluster(1, tmp_path, "--config", str(file)) as nodes:
        nodes.add()
        nodes.wait_joined()
        yield nodes


def log(node) -> str:
    return (node.folder / "log").read_text()


def test_live_keys_change_and_others_are_named(cluster, file):
    file.write_text(
        '[node]\nlog_level = "debug"\n[links]\nlisten = "127.0.0.1:1"\n[limits]\nlinks = 9\n'
    )
    reply = cluster[0].ask("reload")
    assert reply["changed"] == ["node.log_level", "limits.links"]
    # The flag wins over the file, so that this is no change.
    assert reply["restart_required"] == []
    file.write_text(
        '[security]\ninsecure = true\n[node]\nlog_level = "debug"\n[limits]\nlinks = 9\n'
    )
    reply = cluster[0].ask("reload")
    assert reply == {"changed": [], "restart_required": ["security.insecure"]}
    assert "restart required for: security.insecure" in log(cluster[0])


def test_sighup_does_the_same(cluster, file):
    file.write_text("[limits]\nrecords = 7\n")
    cluster[0].process.send_signal(signal.SIGHUP)
    until("it is read", lambda: "changed: limits.records" in log(cluster[0]))
    assert cluster[0].ask("reload")["changed"] == []


def test_bad_file_changes_nothing_and_is_explained(cluster, file):
    file.write_text('[node]\nlog_level = "debug"\n[limits]\nlinks = "many"\n')
    done = cluster[0].ctl("reload")
    assert done.returncode == 1
    assert "node.toml:4: limits.links must be a number" in done.stderr
    cluster[0].process.send_signal(signal.SIGHUP)
    until("it says so", lambda: log(cluster[0]).count("the configuration stays as it was") == 2)
    file.write_text("")
    assert cluster[0].ask("reload")["changed"] == []
    file.unlink()
    assert "cannot read" in cluster[0].ctl("reload").stderr
    file.mkdir()
    assert "cannot read" in cluster[0].ctl("reload").stderr
    file.rmdir()


def test_denied_peer_is_hung_up_on_and_may_come_back(cluster, file):
    other = cluster[1]
    assert other.id in cluster[0].peers()
    file.write_text(f'[security]\ndeny = ["{other.id}"]\n')
    assert cluster[0].ask("reload")["changed"] == ["security.deny"]
    until("it is gone", lambda: other.id not in cluster[0].peers())
    file.write_text("")
    assert cluster[0].ask("reload")["changed"] == ["security.deny"]
    until("it is back", lambda: other.id in cluster[0].peers())


def test_lower_limits_hold_for_newcomers(cluster, file):
    file.write_text("[limits]\nconnections = 1\n")
    assert cluster[0].ask("reload")["changed"] == ["limits.connections"]
    cluster.add()
    until(
        "it is refused",
        lambda: (
            (counters := cluster[0].ask("status")["counters"])["transport_refused_total"] > 0
            or counters["links_refused_full"] > 0
        ),
    )


def test_new_bootstrap_nodes_are_joined_through(tmp_path, file):
    (tmp_path / "b").mkdir()
    with Cluster(1, tmp_path, "--config", str(file)) as alone, Cluster(1, tmp_path / "b") as other:
        file.write_text(f'[links]\nbootstrap = ["{other[0].address}"]\n')
        assert alone[0].ask("reload")["changed"] == ["links.bootstrap"]
        until("they have met", lambda: other[0].id in alone[0].peers())
