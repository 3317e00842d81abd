"""Unmodified peer-relay clients at nodes: what their users were promised, and what was wrong with it."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from gateway import RawSocket, cluster, counter, frame, new_id, url
from tombolo.cluster import until


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    with cluster(3, tmp_path_factory.mktemp("nodes")) as three:
        yield three


def test_two_clients_of_one_node(nodes, originals):
    here = url(nodes[0])
    sent_before = counter(nodes[0], "remote_sent")
    a, b = originals.open("a", here), originals.open("b", here)
    assert originals.all("peer", "a")[0]["id"] == nodes[0].id
    originals.send("a", "b", {"hello": [1, "zwei", None]})
    originals.wait("message", "b")
    originals.send("b", "a", "back")
    originals.wait("message", "a")
    assert originals.received("b") == [(a, {"hello": [1, "zwei", None]})]
    assert originals.received("a") == [(b, "back")]
    assert counter(nodes[0], "remote_sent") == sent_before, "a pair on one node never leaves it"


def test_two_clients_of_two_nodes(nodes, originals):
    originals.open("a", url(nodes[0]))
    b = originals.open("b", url(nodes[1]))
    originals.exchange("a", "b", "hello")
    assert set(originals.received("a")) == {(b, "hello")}
    originals.send("a", "b", "x" * 60_000)
    originals.wait("message", "b", data="x" * 60_000)
    for number in range(200):
        originals.send("b", "a", number)
    until("all 200", lambda: len([d for _, d in originals.received("a") if d != "hello"]) >= 200)
    numbers = [data for _, data in originals.received("a") if data != "hello"]
    assert sorted(numbers) == list(range(200)), "each once"


def test_clients_of_a_draining_node_move_to_another(tmp_path, originals):
    """An original asks the gateway that it is told of for its url, and is there before it is closed."""
    with cluster(2, tmp_path, "--node-drain-timeout-s", "8") as two:
        originals.open("a", url(two[0]))
        b = originals.open("b", url(two[1]))
        originals.exchange("a", "b", "before")
        assert two[0].terminate() == 0
        originals.wait("peer", "a", id=two[1].id)
        originals.send("a", "b", "after")
        originals.wait("message", "b", data="after")
        originals.send("b", "a", "back")
        originals.wait("message", "a", data="back")
        assert (b, "back") in originals.received("a")


def test_draining_node_says_where_else_to_go_and_closes_over_a_while(tmp_path):
    with cluster(2, tmp_path, "--node-drain-timeout-s", "8") as two:
        far, far_id = RawSocket(url(two[1])), new_id()
        far.greet(far_id)
        near = {new_id(): RawSocket(url(two[0])) for _ in range(12)}
        for own_id, raw in near.items():
            raw.greet(own_id)
        own_id, raw = next(iter(near.items()))
        far.say(frame(own_id, far_id, {"type": "user", "data": "x"}))
        while raw.hear()["data"] != {"type": "user", "data": "x"}:
            pass
        pool = ThreadPoolExecutor(len(near) + 1)
        ended = pool.submit(two[0].terminate)
        assert raw.hear()["data"] == {"type": "foundPeers", "data": [two[1].id]}
        raw.say(frame(two[1].id, own_id, {"type": "handshake-offer"}))
        assert raw.hear()["data"]["data"]["ws"] == url(two[1])
        ends = list(pool.map(lambda raw: (raw.close_code(), time.monotonic()), near.values()))
        assert {code for code, _ in ends} == {1001}
        times = [when for _, when in ends]
        # Drawn from a second and a half: less is a chance of one in millions.
        assert max(times) - min(times) > 0.2
        assert ended.result() == 0
        pool.shutdown()
        far.close()


def test_message_before_anybody_is_connected(nodes, originals):
    """The client keeps it until it has a peer."""
    originals.open("a", url(nodes[0]))
    originals.do("open", name="b", bootstrap=[url(nodes[1])])
    originals.ids["b"] = originals.wait("open", "b")["id"]
    originals.send("b", "a", "early")
    originals.wait("message", "a", data="early")


def test_datagram_sockets(nodes, originals):
    one = originals.ask("socket", "listening", "one", bootstrap=[url(nodes[0])])["address"]
    other = originals.ask("socket", "listening", "other", bootstrap=[url(nodes[2])])["address"]
    originals.ids |= {"one": one["address"], "other": other["address"]}

    def say(name, hex_text, target, port):
        originals.do("datagram", name=name, hex=hex_text, address=target, port=port)

    def arrives():
        say("one", "00ff10", other["address"], other["port"])
        return originals.all("datagram", "other")

    heard = until("a datagram", arrives, pause_s=0.2)[0]
    assert heard["hex"] == "00ff10"
    assert heard["rinfo"] == {**one, "family": "peer-relay"}
    say("other", "abcd", heard["rinfo"]["address"], heard["rinfo"]["port"])
    assert originals.wait("datagram", "one")["rinfo"]["address"] == other["address"]
    originals.ask("close", "destroyed", "one")


def test_clients_with_ports_connect_to_each_other(nodes, originals):
    """Candidates and the handshake are relayed; a direct connection then needs no node."""
    here = url(nodes[0])
    a = originals.open("a", here, port=0)
    b = originals.open("b", here, port=0)
    originals.wait("peer", "a", id=b)
    originals.wait("peer", "b", id=a)
    originals.do("disconnect", name="a", to=nodes[0].id)
    originals.do("disconnect", name="b", to=nodes[0].id)
    originals.send("a", "b", "directly")
    originals.wait("message", "b", data="directly")


def test_webrtc_handshake_and_signals_cross_nodes(nodes, originals):
    a, b = originals.open("a", url(nodes[0])), originals.open("b", url(nodes[1]))
    for name in ("a", "b"):
        originals.do("wrtc", name=name)
    originals.exchange("a", "b", "are you there?")
    originals.do("connect", name="a", to=b)
    assert originals.wait("wrtc", "a")["id"] == b, "the answer says that both can"
    offer = {"type": "offer", "sdp": "v=0\r\n" + "a=x\r\n" * 900}
    originals.do("signal", name="a", to=b, data=offer)
    heard = originals.wait("signal", "b")
    assert (heard["from"], heard["data"]) == (a, offer)
    candidate = {"candidate": {"candidate": "candidate:1 1 udp", "sdpMLineIndex": 0}}
    originals.do("signal", name="b", to=a, data=candidate)
    assert originals.wait("signal", "a")["data"] == candidate


def test_node_answers_for_itself(nodes):
    """Candidates, and where it can be reached: not `localhost`, wherever the asker is."""
    raw = RawSocket(url(nodes[0]), path="/any/path?at=all")
    own_id = new_id()
    raw.greet(own_id)
    raw.say(frame(nodes[0].id, own_id, {"type": "findPeers", "data": own_id}))
    found = raw.hear()
    assert (found["to"], found["from"]) == (own_id, nodes[0].id)
    assert found["path"] == [nodes[0].id]
    assert found["data"] == {"type": "foundPeers", "data": [own_id]}
    other = RawSocket(url(nodes[0]))
    other_id = new_id()
    other.greet(other_id)
    other.say(frame(nodes[0].id, other_id, {"type": "findPeers", "data": other_id}))
    assert other.hear()["data"]["data"] == [other_id, own_id]
    raw.close()
    other.close()


def test_a_thousand_clients_are_all_routable(nodes, originals):
    """The original manages 129."""
    count = 1000
    originals.ask("crowd", "crowd", "c", bootstrap=[url(nodes[0])], count=count, limit_s=60)

    def joined():
        return originals.ask("joined", "joined", "c", count=count)["joined"] == count

    until("all have the node as a peer", joined, 60, pause_s=0.3)
    for step in (1, 377):
        originals.ask("round", "round", "c", count=count, step=step, limit_s=60)

        def score(step=step):
            return originals.ask("score", "score", "c", count=count, step=step)

        until(f"all have heard at step {step}", lambda: score()["right"] == count, 60, pause_s=0.3)
        assert score() == {"event": "score", "name": "c", "right": count, "messages": count}


def test_clients_come_and_go(nodes, originals):
    here = url(nodes[0])
    originals.open("stays", here)
    before = counter(nodes[0], "clients")
    for round_ in range(5):
        for name in ("x", "y", "z"):
            originals.open(name, url(nodes[round_ % 3]))
        originals.exchange("x", "stays", f"round {round_}")
        for name in ("x", "y", "z"):
            originals.ask("close", "destroyed", name)
    until("the gone are forgotten", lambda: counter(nodes[0], "clients") == before)
    originals.open("x", here)
    originals.exchange("x", "stays", "the end")


def test_unknown_target_is_dropped_and_counted(nodes, originals):
    originals.open("a", url(nodes[0]))
    before = counter(nodes[0], "remote_unknown")
    originals.send("a", new_id(), "nobody", times=20)
    until("all are counted", lambda: counter(nodes[0], "remote_unknown") >= before + 20)
    originals.open("b", url(nodes[0]))
    originals.exchange("a", "b", "still here")


def test_duplicate_messages_arrive_once(nodes, originals):
    """A client with two nodes sends everything twice: once through each."""
    a = originals.open("a", url(nodes[0]), url(nodes[1]))
    until("both", lambda: len(originals.all("peer", "a")) == 2)
    b = originals.open("b", url(nodes[2]))
    originals.exchange("a", "b", "warm")
    until("the home is known", lambda: originals.received("b"))
    raw = RawSocket(url(nodes[2]))
    c = new_id()
    raw.greet(c)
    for text in ("one", "two", "three"):
        originals.send("a", c, text)
    heard = [raw.hear() for _ in range(3)]
    assert sorted(one["data"]["data"] for one in heard) == ["one", "three", "two"]
    raw.say(frame(b, c, {"type": "user", "data": "last"}))
    raw.say(frame(nodes[2].id, c, {"type": "findPeers", "data": c}))
    assert raw.hear()["data"]["type"] == "foundPeers", "and no fourth in between"
    assert {one["from"] for one in heard} == {a}
    raw.close()


def test_moved_client_is_found_at_its_new_home(nodes, originals):
    a, b = originals.open("a", url(nodes[0])), originals.open("b", url(nodes[1]))
    originals.exchange("a", "b", "before")
    for turn, node in enumerate((nodes[2], nodes[0], nodes[1])):
        before = len(originals.all("peer", "b"))
        originals.do("move", name="b", url=url(node))
        until("b has moved", lambda before=before: len(originals.all("peer", "b")) > before)
        assert originals.all("peer", "b")[-1]["id"] == node.id
        originals.exchange("a", "b", f"after move {turn}")
    assert {origin for origin, _ in originals.received("a")} == {b}
    assert {origin for origin, _ in originals.received("b")} == {a}


def test_client_with_two_homes_keeps_the_other_when_one_dies(tmp_path, originals):
    with cluster(3, tmp_path) as three:
        originals.open("a", url(three[0]))
        originals.open("b", url(three[1]))
        originals.do("join", name="b", url=url(three[2]))
        originals.wait("peer", "b", id=three[2].id)
        originals.exchange("a", "b", "with two homes")
        three.kill(2)  # where its lease is
        originals.exchange("a", "b", "with one", limit_s=60)
