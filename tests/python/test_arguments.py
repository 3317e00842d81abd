"""Wrong arguments raise TypeError or ValueError that name the argument and what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import tombolo
from tombolo import churn, latency

WORLDS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"peers": 0}, ValueError, r"peers = 0 .*1 to 67108864"),
    ({"peers": -1}, ValueError, r"peers = -1 .*1 to 67108864"),
    ({"peers": 10**30}, ValueError, r"peers = 10{30} .*1 to 67108864"),
    ({"peers": "many"}, TypeError, r"peers = 'many': must be an integer"),
    ({"peers": 10.0}, TypeError, r"peers = 10.0: must be an integer"),
    ({"seed": -1}, ValueError, r"seed = -1 .*0 to 18446744073709551615"),
    ({"k": 65}, ValueError, r"kademlia.k = 65 .*1 to 64"),
    ({"k": True}, TypeError, r"kademlia.k = True: must be an integer"),
    ({"alpha": 0}, ValueError, r"kademlia.alpha = 0 .*1 to 64"),
    ({"overlay": "ring"}, ValueError, r"overlay = 'ring': allowed are 'kademlia', 'chord', 'both'"),
    ({"start": "now"}, ValueError, r"start = 'now': allowed are 'built', 'join'"),
    ({"start": 1}, TypeError, r"start = 1: must be a string"),
    ({"loss": 1.5}, ValueError, r"loss = 1.5.*0 to 1"),
    ({"loss": float("nan")}, ValueError, r"loss = nan.*0 to 1"),
    ({"nat_share": "half"}, TypeError, r"nat_share = 'half': must be a number"),
    ({"series_s": 0}, ValueError, r"series_s.*above 0"),
    ({"latency": "mars"}, ValueError, r"latency = 'mars': allowed are 'internet', 'cloud'"),
    ({"latency": -3}, ValueError, r"latency.one_way_ms = -3 .*0.001"),
    ({"latency": []}, TypeError, r"latency: list"),
    ({"latency": latency.uniform(20, 10)}, ValueError, r"latency.longest_ms = 10 .*20"),
    ({"latency": latency.lognormal(sigma=-1)}, ValueError, r"latency.sigma = -1"),
    ({"latency": latency.matrix("no-such-file.tsv")}, ValueError, r"no-such-file.tsv"),
    (
        {"latency": latency.matrix([[0, 1, 2], [1, 0, 3]])},
        ValueError,
        r"rtt_ms: shape \(2, 3\).*square",
    ),
    ({"latency": latency.matrix([[0, -1], [1, 0]])}, ValueError, r"-1 is negative"),
    ({"latency": latency.coordinates([[1.0]])}, ValueError, r"points_ms: .*access delay"),
    ({"churn": "mars"}, ValueError, r"churn.preset = 'mars': allowed are 'bittorrent-redhat'"),
    ({"churn": 3}, TypeError, r"churn: int"),
    ({"churn": churn.weibull(shape=0)}, ValueError, r"churn.shape = 0"),
    ({"churn": churn.exponential(100, graceful_share=2)}, ValueError, r"churn.graceful_share = 2"),
    ({"heal": {"strategy": "glue"}}, ValueError, r"heal.strategy = 'glue': .*'zip', 'gossip', 's"),
    ({"heal": {"fanout": 0}}, ValueError, r"heal.fanout = 0 .*1 to 8"),
    ({"heal": {"speed": 1}}, ValueError, r"unknown key 'heal.speed'; .*heal.probe_interval_s"),
    ({"heal": "zip"}, TypeError, r"heal: str, must be a dict of settings"),
    ({"faults": 3}, TypeError, r"faults: int, must be a dict of settings"),
    ({"config": 3}, TypeError, r"config: int"),
    ({"config": {"links": {"max": 3}}}, ValueError, r"unknown key 'links.max'; .*links.max_links"),
    ({"config": {"colour": 3}}, ValueError, r"unknown key 'colour'; .*nat_share"),
    ({"config": {"relay.ttl": 0}}, ValueError, r"relay.ttl = 0 .*1 to 255"),
    ({"config": {"links.dial_back_off_s": float("nan")}}, ValueError, r"dial_back_off_s = nan"),
]


@pytest.mark.parametrize(("arguments", "error", "text"), WORLDS, ids=lambda value: repr(value)[:40])
def test_world(arguments: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        tombolo.World(**{"peers": 10, **arguments})


CALLS: list[tuple[Callable[[tombolo.World], Any], type[Exception], str]] = [
    (lambda w: w.run(-1), ValueError, r"seconds = -1: allowed is 0 to 1e9"),
    (lambda w: w.run(float("nan")), ValueError, r"seconds = nan"),
    (lambda w: w.run("long"), TypeError, r"seconds = 'long': must be a number"),
    (
        lambda w: w.run_until("all_well", 1),
        ValueError,
        r"condition = 'all_well': allowed are 'ring_ok', 'tables_ok', 'all_routable' or a function",
    ),
    (lambda w: w.run_until("tables_ok", 1, every=0), ValueError, r"every = 0: allowed is above 0"),
    (lambda w: w.run_until("ring_ok", limit=-1), ValueError, r"limit = -1: allowed is 0 to 1e9"),
    (lambda w: w.run_until("ring_ok", limit="x"), TypeError, r"limit = 'x': must be a number"),
    (lambda w: w.partition(2), TypeError, r"groups = 2: must be shares"),
    (lambda w: w.partition("half"), TypeError, r"groups = 'half': must be shares"),
    (lambda w: w.send(0, 999), ValueError, r"target = 999: no such peer"),
    (lambda w: w.lookup(300), ValueError, r"source = 300: no such peer, allowed is 0 to 299"),
    (lambda w: w.lookup(-1), ValueError, r"source = -1: no such peer"),
    (lambda w: w.lookup(0, 1.5), TypeError, r"key: float"),
    (lambda w: w.lookup(0, b"short"), ValueError, r"key: 5 bytes, allowed are .*20 bytes"),
    (lambda w: w.lookup(True), TypeError, r"source: bool"),
    (lambda w: w.lookup("ab" * 20), ValueError, r"source = 'abab.*no live peer has this id"),
    (lambda w: w.send(0, "zz"), ValueError, r"target = 'zz': allowed are 40 hexadecimal digits"),
    (lambda w: w.send(0, 1, "text"), TypeError, r"data: str, must be bytes"),
    (lambda w: w.send(0, 1, size=-1), ValueError, r"size = -1: allowed is 0 to"),
    (lambda w: w.send(0, 1, copies=9), ValueError, r"copies = 9 .*1 to 8"),
    (lambda w: w.send(0, 1, deadline_s=0), ValueError, r"deadline_s = 0: allowed is above 0"),
    (lambda w: w.send(0, 1, deadline_s="x"), TypeError, r"deadline_s = 'x': must be a number"),
    (
        lambda w: w.put(0, "k", bytes(65_537)),
        ValueError,
        r"value: 65537 bytes, allowed are up to 65536",
    ),
    (lambda w: w.put(0, "k", b"", ttl_s=1e12), ValueError, r"ttl_s = 1e?\+?.*0 to 1e9"),
    (lambda w: w.lookups(-1), ValueError, r"count = -1: allowed is 0 to"),
    (lambda w: w.lookups(1.5), TypeError, r"count = 1.5: must be an integer"),
    (lambda w: w.sends(1, rate_per_s=0), ValueError, r"rate_per_s = 0: allowed is above 0"),
    (lambda w: w.join(-1), ValueError, r"count = -1"),
    (lambda w: w.join(2, id="ab" * 20), ValueError, r"count = 2: .*1 with an id"),
    (lambda w: w.join(id=w.id_of(3)), ValueError, r"peer 3 has this id already"),
    (lambda w: w.join(bootstrap=[999]), ValueError, r"bootstrap = 999: no such peer"),
    (lambda w: w.crash(), ValueError, r"either a peer .* or share"),
    (lambda w: w.crash(1, share=0.5), ValueError, r"either a peer .* or share"),
    (lambda w: w.crash(share=1.5), ValueError, r"share = 1.5.*0 to 1"),
    (lambda w: w.leave(300), ValueError, r"peer = 300: no such peer"),
    (lambda w: w.workload("dance", 1), ValueError, r"kind = 'dance': allowed are 'lookup', 'send'"),
    (lambda w: w.workload("send", 0), ValueError, r"rate_per_s = 0.*above 0"),
    (lambda w: w.workload("send", 1, size=3), ValueError, r"unknown key 'size'; .*payload_bytes"),
    (lambda w: w.edges("roads"), ValueError, r"kind = 'roads': allowed are 'links', 'contacts'"),
    (lambda w: w.graph("roads"), ValueError, r"kind = 'roads'"),
    (lambda w: w.metrics().hops("walk"), ValueError, r"kind = 'walk': allowed are lookup"),
    (lambda w: w.on("party", print), ValueError, r"kind = 'party': allowed are joined"),
    (lambda w: w.off("message", print), ValueError, r"handler: not set for 'message'"),
    (lambda w: w.save("no-such-folder/world"), OSError, r"no-such-folder/world"),
    (lambda w: w.load("no-such-file"), OSError, r"no-such-file"),
    (lambda w: w.load(__file__), ValueError, r"test_arguments.py: not a saved world"),
    (lambda w: latency.constant(3, speed=4), TypeError, r"'speed': allowed are jitter_ms"),
    (lambda w: latency.matrix([[0, 1], [1, 0]], unit="h"), ValueError, r"unit = 'h'"),
    (lambda w: latency.matrix([[0, 1], [1]]), TypeError, r"rtt: must be"),
]


@pytest.mark.parametrize(("call", "error", "text"), CALLS, ids=[text for _, _, text in CALLS])
def test_call(
    call: Callable[[tombolo.World], Any], error: type[Exception], text: str, world: tombolo.World
) -> None:
    with pytest.raises(error, match=text):
        call(world)
    assert world.lookup(0).found  # no error leaves the world unusable


def test_a_dead_peer_begins_nothing(world: tombolo.World) -> None:
    world.crash(4)
    for call in (
        lambda: world.lookup(4),
        lambda: world.send(4, 5),
        lambda: world.put(4, "k", b""),
        lambda: world.get(4, "k"),
        lambda: world.connect(4, 5),
        lambda: world.disconnect(4, 5),
    ):
        with pytest.raises(ValueError, match=r"source = 4: this peer is not up"):
            call()


def test_an_empty_world_says_so() -> None:
    world = tombolo.World(peers=2)
    world.crash([0, 1])
    with pytest.raises(RuntimeError, match="no peer is up"):
        world.lookup()
    with pytest.raises(RuntimeError, match="no two peers are up"):
        world.lookups(1)
