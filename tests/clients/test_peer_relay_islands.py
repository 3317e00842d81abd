"""Clients during a split and after it, and beside peers of the original network."""

import socket

from gateway import cluster, url


def test_islands_go_on_and_all_reach_each_other_after_the_heal(
    tmp_path, originals, record_property
):
    with cluster(6, tmp_path) as six:
        six.wait_reachable(30)
        for number in range(6):
            originals.open(f"c{number}", url(six[number]))
        originals.exchange("c0", "c5", "whole")
        originals.exchange("c2", "c3", "whole")
        six.partition([[0, 1, 2], [3, 4, 5]])
        for pair in (("c0", "c2"), ("c1", "c2"), ("c3", "c5"), ("c4", "c5")):
            originals.exchange(*pair, "island", limit_s=40)
        # A client that comes, and one that moves, within an island.
        originals.open("new", url(six[4]))
        originals.exchange("new", "c3", "came in the split", limit_s=40)
        originals.do("move", name="c1", url=url(six[0]))
        originals.exchange("c1", "c2", "moved in the split", limit_s=40)
        originals.send("c0", "c4", "into the void")
        six.heal()
        began = six.now
        names = [*(f"c{number}" for number in range(6)), "new"]
        for one in names:
            for other in names:
                if one < other:
                    originals.exchange(one, other, "healed", limit_s=60)
        record_property("all clients reach each other after, s", six.now - began)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_node_is_a_peer_among_originals(tmp_path, originals):
    """A network moves over peer by peer: originals and nodes relay for each other's clients."""
    ports = {name: free_port() for name in ("first", "second")}
    urls = {name: f"ws://localhost:{port}" for name, port in ports.items()}
    originals.open("first", port=ports["first"])
    originals.open("second", urls["first"], port=ports["second"])
    originals.open("old", urls["first"])
    with cluster(2, tmp_path, "--peer-relay-bootstrap", urls["first"]) as two:
        for node in (two[0], two[1]):
            originals.wait("peer", "first", id=node.id)
        # It has asked for candidates and connected to the other peer of the network, too.
        originals.wait("peer", "second", id=two[0].id, limit_s=30)
        originals.open("new", url(two[0]))
        originals.open("newer", url(two[1]))
        originals.exchange("new", "newer", "between nodes")
        originals.exchange("new", "first", "from a node's client to an original peer")
        originals.exchange("old", "new", "from an original's client to a node's")
        originals.exchange("old", "newer", "and to that of the other node")
        originals.ask("close", "destroyed", "first")
        originals.exchange("second", "newer", "the first original has gone", limit_s=60)
