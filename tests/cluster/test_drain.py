"""SIGTERM: what a node does before it ends."""

import json
import time
import urllib.error
import urllib.request

import grpc
from cluster import Cluster, until


def page(node, path: str) -> tuple[int, str] | None:
    try:
        with urllib.request.urlopen(f"http://{node.http}{path}", timeout=5) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return None


def test_draining_node_is_healthy_not_ready_and_lets_nobody_in(tmp_path):
    with Cluster(4, tmp_path) as cluster:
        cluster.wait_joined()
        leaver = cluster[1]
        until("ready", lambda: page(leaver, "/ready")[0] == 200)
        leaver.process.terminate()
        seen = []
        until("it says so", lambda: seen.append(page(leaver, "/ready")) or seen[-1] != seen[0])
        assert (503, "draining\n") in seen
        assert leaver.process.wait(timeout=15) == 0


def test_health_service_knows_the_whole_and_the_control_service(tmp_path):
    serving, not_serving = b"\x08\x01", b"\x08\x02"
    with Cluster(4, tmp_path) as cluster:
        cluster.wait_joined()
        with grpc.insecure_channel(cluster[1].socket) as channel:
            check = channel.unary_unary("/grpc.health.v1.Health/Check")
            control = b"tombolo.control.v1.Control"
            requests = [b"", bytes([0x0A, len(control)]) + control]
            assert [check(request, timeout=10) for request in requests] == [serving] * 2
            cluster[1].process.terminate()  # which leaves over a while
            until(
                "it says so",
                lambda: [check(request, timeout=10) for request in requests] == [not_serving] * 2,
                5,
            )


def test_links_are_closed_over_a_while_and_in_time(tmp_path):
    with Cluster(5, tmp_path, "--node-drain-timeout-s", "8") as cluster:
        cluster.wait_joined()
        leaver = cluster[0]
        linked = {node for node in cluster.nodes[1:] if leaver.id in node.peers()}
        assert len(linked) >= 3
        begun = time.monotonic()
        leaver.process.terminate()
        ends = {}
        while len(ends) < len(linked):
            for node in linked - set(ends):
                if leaver.id not in node.peers():
                    ends[node] = time.monotonic() - begun
            assert time.monotonic() - begun < 8
        assert leaver.process.wait(timeout=15) == 0
        assert time.monotonic() - begun < 8
        # Drawn from two seconds: that all of them fall together is a chance of one in thousands.
        assert max(ends.values()) - min(ends.values()) > 0.05


def test_records_are_handed_over(tmp_path):
    with Cluster(1, tmp_path) as cluster:
        first = cluster[0]
        until("joined", lambda: first.ask("status")["state"] == "JOINED")
        for i in range(5):
            assert first.ask("put", f"key {i}", f"value {i}")["stored"] == 1
        second = cluster.add()
        until("they are two", second.joined)
        assert first.terminate() == 0
        for i in range(5):
            found = until(
                "it has been handed over",
                lambda i=i: (done := second.ctl("get", f"key {i}")).returncode == 0 and done,
            )
            assert json.loads(found.stdout)["value"] == f"value {i}"


def test_clients_are_told_where_to_go(tmp_path):
    with Cluster(3, tmp_path) as cluster:
        cluster.wait_joined()
        leaver = cluster[2]
        watcher = leaver.watch()
        leaver.process.terminate()
        events = iter(lambda: json.loads(watcher.stdout.readline()), None)
        leaving = next(event["leaving"] for event in events if "leaving" in event)
        others = {node.id: node.address for node in cluster.nodes[:2]}
        assert leaving["nodes"]
        for node in leaving["nodes"]:
            assert others[node["id"]] == node["address"]
        assert watcher.wait(timeout=15) == 0
        assert leaver.process.wait(timeout=15) == 0
