"""World: time, membership, operations, observation."""

from __future__ import annotations

import hashlib

import networkx
import numpy as np
import pytest
import tombolo


def test_repr_shows_the_fixed_default_seed() -> None:
    text = repr(tombolo.World(peers=20))
    assert "seed=1" in text
    assert "20 of 20 peers up" in text


def test_run_advances_the_clock_by_what_was_asked(world: tombolo.World) -> None:
    assert world.now == 0
    assert world.run(2.5) is world
    world.run(0)
    assert world.now == pytest.approx(2.5)


def test_lookup_finds_the_closest_peers(world: tombolo.World) -> None:
    key = tombolo.key("a name")
    result = world.lookup(0, "a name")
    ids = world.peers()["id"]
    by_distance = sorted(range(1, len(ids)), key=lambda i: int(ids[i], 16) ^ int(key, 16))
    assert result.found
    assert result.closest_ok
    assert result.closest.tolist() == by_distance[:20]
    assert result.key == key == hashlib.sha1(b"a name").hexdigest()
    assert 1 <= result.hops <= 4
    assert result.messages >= 40  # k requests and their answers at least
    assert result.latency_ms >= 40  # a round trip at least
    assert result.dead == 0


def test_lookup_draws_what_is_not_given(world: tombolo.World) -> None:
    first, second = world.lookup(), world.lookup()
    assert first.key != second.key


def test_peers_are_named_by_number_or_id(world: tombolo.World) -> None:
    assert world.index(world.id_of(5)) == 5
    assert world.index(bytes.fromhex(world.id_of(5))) == 5
    assert world.index(np.int64(5)) == 5
    assert world.send(world.id_of(1), 2).target == world.id_of(2)


def test_send_delivers_and_counts_hops(world: tombolo.World) -> None:
    result = world.send(0, 299, b"hello")
    assert result.delivered
    assert result.reason == ""
    assert result.hops >= 1
    assert result.latency_ms == pytest.approx(
        result.hops * 40, abs=45
    )  # there, and the receipt back


def test_send_to_an_absent_id_fails_with_a_reason(world: tombolo.World) -> None:
    result = world.send(0, "00" * 20, deadline_s=5)
    assert not result.delivered
    assert result.reason in ("unreachable", "deadline")


def test_fire_and_forget_ends_at_once(world: tombolo.World) -> None:
    assert world.send(0, 200, receipt=False).latency_ms == 0


def test_get_returns_what_was_put(world: tombolo.World) -> None:
    stored = world.put(3, "name", "text")
    assert stored.stored == 20
    found = world.get(250, "name")
    assert found.found
    assert found.value == b"text"
    assert found.sequence > 0
    world.put(4, "name", b"newer")
    assert world.get(100, "name").value == b"newer"
    missing = world.get(3, "another name")
    assert not missing.found
    assert missing.value == b""


def test_connect_makes_a_link_and_disconnect_closes_it(world: tombolo.World) -> None:
    def linked() -> bool:
        return (0, 150) in set(zip(*(side.tolist() for side in world.edges()), strict=True))

    assert not linked()
    assert world.connect(0, 150).connected
    world.run(1)
    assert linked()
    world.disconnect(0, 150)
    world.run(1)
    assert not linked()


def test_join_crash_and_leave_change_the_population(world: tombolo.World) -> None:
    joined = world.join(2, bootstrap=[0])
    assert joined == [300, 301]
    own_id = "12" * 20
    (fixed,) = world.join(id=own_id, dialable=False)
    world.run(60)
    assert world.id_of(fixed) == own_id
    assert not world.peers()["dialable"][fixed]
    assert world.lookup(5, own_id).closest[0] == fixed
    world.crash(0)
    world.leave([1, world.id_of(2)])
    assert (world.live_count, world.peer_count) == (300, 303)
    assert not world.peers()["up"][[0, 1, 2]].any()
    world.crash(share=0.5)
    assert 100 < world.live_count < 200
    metrics = world.metrics()
    assert metrics["joins"] == 3
    assert metrics["leaves"] == 2
    assert metrics["crashes"] == 301 - world.live_count


def test_a_live_start_lets_all_join() -> None:
    world = tombolo.World(peers=50, latency=10, start="join", seed=3)
    assert world.live_count < 50
    report = world.run_until(lambda w: w.live_count == 50, limit=10)
    assert report.reached
    world.run(60)
    assert world.false_empty_buckets() == 0
    assert world.lookups(50)["closest_ok"].all()


def test_run_until_reports_what_it_took(world: tombolo.World) -> None:
    assert world.run_until("tables_ok", limit=10) == tombolo.RunReport(True, 0.0, 0)
    world.workload("lookup", 50)
    report = world.run_until(lambda w: False, limit=2.5)
    assert not report.reached
    assert report.seconds == pytest.approx(2.5)
    assert report.messages > 0


def test_tables_have_a_row_per_peer(world: tombolo.World) -> None:
    peers = world.peers()
    assert peers.rows == 300
    assert peers["up"].dtype == bool
    assert peers["up"].all()
    assert (peers["contacts"] >= 60).all()
    assert (peers["links"] >= 16).all()
    assert len(set(peers["id"])) == 300
    assert peers["peer"].tolist() == list(range(300))


def test_graphs_match_edges(world: tombolo.World) -> None:
    begin, end = world.edges("links")
    assert (begin < end).all()
    graph = world.graph()
    assert graph.number_of_nodes() == 300
    assert graph.number_of_edges() == len(begin)
    assert networkx.is_connected(graph)
    contacts = world.graph("contacts")
    assert contacts.is_directed()
    assert [contacts.out_degree(i) for i in range(300)] == world.peers()["contacts"].tolist()
    world.crash(0)
    assert 0 not in world.graph("contacts")


def test_metrics_count_what_happened(world: tombolo.World) -> None:
    table = world.lookups(100)
    metrics = world.metrics()
    assert metrics["messages"] == metrics.messages["count"].sum()
    assert metrics["bytes"] == metrics.messages["bytes"].sum()
    assert metrics.received.sum() == metrics["messages"]
    assert metrics.hops("lookup").sum() == 100
    assert metrics.hops("lookup")[2] == (table["hops"] == 2).sum()
    assert metrics.success("lookup") == 1
    assert np.isnan(metrics.success("put"))
    frame = metrics.to_pandas()
    assert frame.loc["lookup", "succeeded"] == 100
    assert frame.loc["lookup", "hops_mean"] == pytest.approx(table["hops"].mean())
    assert frame.loc["lookup", "messages"] == table["messages"].sum()
    assert metrics.to_dict()["operations"]["lookup"]["closest_ok"] == 100
    world.reset_metrics()
    assert world.metrics()["messages"] == 0


def test_series_sums_to_the_metrics(world: tombolo.World) -> None:
    world.workload("send", 40, deadline_s=10, count=100)
    world.run(30)
    series, metrics = world.series(), world.metrics()
    assert series["time_s"].tolist() == list(range(1, 31))
    assert series["messages"].sum() == metrics["messages"]
    assert series["send_succeeded"].sum() == 100
    assert (series["live_peers"] == 300).all()
    first = series["send_latency_ms"][~np.isnan(series["send_latency_ms"])]
    assert (first >= 40).all()


def test_series_survives_a_reset_of_the_metrics(world: tombolo.World) -> None:
    world.workload("lookup", 20)
    world.run(5.5)
    world.reset_metrics()
    world.run(5)
    assert (world.series()["messages"] >= 0).all()


def test_batches_return_numpy_columns_and_frames(world: tombolo.World) -> None:
    table = world.sends(50, rate_per_s=10)
    assert table.rows == 50
    assert table["delivered"].all()
    assert (table["source"] != table["target"]).all()
    assert np.diff(table["started_s"]) == pytest.approx(np.full(49, 0.1))
    assert not table["hops"].flags.owndata  # a view of what the simulator wrote
    frame = table.to_pandas()
    assert list(frame.columns) == list(table)
    array = table.to_numpy()
    assert array.shape == (50,)
    assert (array["hops"] == table["hops"]).all()
    assert world.lookups(0).rows == 0


def test_options_list_every_setting() -> None:
    world = tombolo.World(peers=20, k=8, config={"links": {"max_links": 40}, "relay.ttl": 30})
    options = world.options
    assert options["kademlia.k"] == 8
    assert options["links.max_links"] == 40
    assert options["relay.ttl"] == 30
    assert options["kademlia.refresh_interval_s"] == 3600
    # What is listed can be given back.
    again = {name: value for name, value in options.items() if "." in name}
    assert tombolo.World(peers=20, config=again).options == options
