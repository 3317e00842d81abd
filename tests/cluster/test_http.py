"""The pages of a real node: health, readiness, statistics and metrics, as monitors read them."""

import json
import re
import socket
import urllib.error
import urllib.request

import pytest
from cluster import Cluster, until
from test_channels import counter as counter_of
from test_channels import end, open_pipe
from test_command_line import run
from test_gateway_tls import gateway, upgrade


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(3, tmp_path_factory.mktemp("http")) as nodes:
        nodes.wait_joined()
        yield nodes


def get(node, path: str) -> tuple[int, str, str]:
    """Status, content type and body."""
    try:
        with urllib.request.urlopen(f"http://{node.http}{path}", timeout=10) as reply:
            return reply.status, reply.headers["Content-Type"], reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def parse_metrics(text: str) -> dict[str, dict[str, float]]:
    """Samples by family and label; an AssertionError for what the text format does not allow."""
    families: dict[str, dict[str, float]] = {}
    kinds: dict[str, str] = {}
    name = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
    label = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family = re.fullmatch(rf"# HELP ({name}) (\S.*)", line)[1]
            assert family not in families, f"{family} twice"
            families[family] = {}
        elif line.startswith("# TYPE "):
            family, kind = re.fullmatch(rf"# TYPE ({name}) (counter|gauge)", line).groups()
            assert family in families
            assert family not in kinds
            assert (kind == "counter") == family.endswith("_total")
            kinds[family] = kind
        else:
            sample = re.fullmatch(rf"({name})(?:{{({label}(?:,{label})*)}})? (\S+)", line)
            assert sample, line
            assert sample[1] == list(kinds)[-1], f"{line} outside of its family"
            assert (sample[2] or "") not in families[sample[1]], f"{line} twice"
            families[sample[1]][sample[2] or ""] = float(sample[3])
    assert set(kinds) == set(families)
    assert all(families.values())
    return families


def test_health_and_ready(cluster):
    for node in cluster.nodes:
        assert get(node, "/health")[0] == 200
        until("ready", lambda node=node: get(node, "/ready")[0] == 200)


def test_metrics_are_prometheus_text_without_ids(cluster):
    status, kind, text = get(cluster[0], "/metrics")
    assert status == 200
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    families = parse_metrics(text)
    assert families["tombolo_joined"][""] == 1
    assert families["tombolo_links"][""] >= 1
    assert families["tombolo_link_events_total"]['event="greeted"'] >= 2
    assert families["tombolo_resident_memory_bytes"][""] > 1e6
    assert families["tombolo_build_info"]
    for node in cluster.nodes:
        assert node.id not in text
        assert node.address not in text
    assert sum(len(samples) for samples in families.values()) < 500


def metric_of(counter: str) -> tuple[str, str]:
    """Where /metrics shows a counter of the status: family and label."""
    odd = {
        "sends_refused_memory": ("refused_over_memory_total", 'what="sends"'),
        "messages_refused_memory": ("refused_over_memory_total", 'what="messages"'),
        "channel_memory_bytes": ("channel_memory_bytes", ""),
        "peer_relay_clients": ("peer_relay_clients", ""),
        "channels": ("channels", ""),
    }
    families = {
        "transport_": ("transport_events", "event"),
        "links_": ("link_events", "event"),
        "channels_": ("channel_events", "event"),
        "known_peers_": ("known_peer_events", "event"),
        "peer_relay_": ("peer_relay_events", "event"),
        "disk_": ("disk_events", "event"),
        "decode_errors_": ("decode_errors", "reason"),
        "sent_": ("messages_sent", "kind"),
        "received_": ("messages_received", "kind"),
        "dropped_": ("messages_dropped", "reason"),
    }
    if counter in odd:
        family, label = odd[counter]
        return f"tombolo_{family}", label
    for prefix, (family, label) in families.items():
        if counter.startswith(prefix):
            return f"tombolo_{family}_total", f'{label}="{counter.removeprefix(prefix)}"'
    return f"tombolo_{counter}_total", ""


def test_metrics_have_every_counter_of_the_status(tmp_path):
    with Cluster(2, tmp_path, "--peer-relay-listen", "127.0.0.1:0") as cluster:
        cluster.wait_joined()
        node, other = cluster.nodes
        pipes = open_pipe(node, other, "held open")
        client = socket.create_connection(gateway(node), 10)
        assert upgrade(client).startswith(b"HTTP/1.1 101")
        client.sendall(b"\x81\xaa\0\0\0\0" + f'"{"a" * 40}"'.encode())  # its id, as text
        try:
            until("it is in", lambda: counter_of(node, "peer_relay_clients") == 1)
            counters = node.ask("status")["counters"]
            families = parse_metrics(get(node, "/metrics")[2])
        finally:
            client.close()
            end(*pipes)
    for counter in counters:
        family, label = metric_of(counter)
        assert label in families[family], counter
    for counter in ("peer_relay_clients", "channels"):
        assert (counters[counter], families[f"tombolo_{counter}"][""]) == (1, 1)
    for counter in ("peer_relay_greeted", "peer_relay_socket_opened", "channels_opened"):
        family, label = metric_of(counter)
        assert counters[counter] == families[family][label] >= 1
    assert {"known_peers_names_refused", "known_peers_proofs_refused", "disk_write_failures",
            "known_peers_addresses_refused", "decode_errors_bad_id"} <= set(counters)  # fmt: skip


def test_stats_are_json_with_the_same_figures(cluster):
    status, kind, text = get(cluster[1], "/stats")
    assert (status, kind) == (200, "application/json")
    stats = json.loads(text)
    assert stats["id"] == cluster[1].id
    assert stats["state"] == "JOINED"
    assert stats["link_events"]["greeted"] >= 1
    named = {f"tombolo_{name}" for name in stats} - {
        f"tombolo_{fact}" for fact in ("version", "id", "state", "listening")
    }
    families = parse_metrics(get(cluster[1], "/metrics")[2])
    assert named == {name.removesuffix("_total") for name in families} - {"tombolo_build_info"}


def test_version_and_overview(cluster):
    version = json.loads(get(cluster[0], "/version")[2])
    assert version["version"] == cluster[0].ask("status")["version"]
    status, kind, text = get(cluster[0], "/")
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert 'href="/metrics"' in text


def test_unknown_pages_and_methods(cluster):
    assert get(cluster[0], "/nothing")[0] == 404
    request = urllib.request.Request(f"http://{cluster[0].http}/health", method="DELETE")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    assert refused.value.code == 405


def test_node_that_finds_nobody_founds_an_overlay_and_is_ready(tmp_path):
    with Cluster(0, tmp_path) as nobody:
        node = nobody.add("--bootstrap", "127.0.0.1:9")  # never answers
        assert get(node, "/health")[0] == 200
        until("founded", lambda: get(node, "/ready")[0] == 200)


def test_port_in_use_is_an_error_that_names_the_key(cluster, tmp_path):
    done = run(
        "--data-dir",
        tmp_path / "data",
        "--listen",
        "127.0.0.1:0",
        "--control",
        f"unix:{tmp_path}/c",
        "--http",
        cluster[0].http,
    )
    assert done.returncode == 1
    assert "http.listen" in done.stderr
