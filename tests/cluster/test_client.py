"""tombolo.node.Client against real nodes: its verbs, its events, its errors."""

import asyncio
import subprocess
import sys
import threading

import grpc
import pytest
import tombolo
from tombolo.cluster import Cluster, until
from tombolo.node import (
    AsyncClient,
    CallTimeoutError,
    Client,
    NodeError,
    UnreachableError,
)

SOON_S = 10.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(4, tmp_path_factory.mktemp("client")) as nodes:
        nodes.wait_joined()
        nodes.wait_reachable(30)
        yield nodes


@pytest.fixture(scope="module")
def clients(cluster):
    opened = [node.client() for node in cluster.nodes[:3]]
    yield opened
    for client in opened:
        client.close()


@pytest.fixture
def client(clients):
    return clients[0]


def cell(net, target):
    """A cell of a notebook: runs against a simulated world and a real node alike."""
    heard = []
    net.on("delivered", heard.append)
    sent = net.send(None, target, b"hello", deadline_s=10)
    put = net.put(None, "colour", b"blue", ttl_s=60)
    got = net.get(None, "colour")
    found = net.lookup(None, target)
    linked = net.connect(None, target)
    told = net.broadcast(None, b"to all", ack=True, ttl_s=10, deadline_s=10)
    net.run(0.1)
    net.off("delivered", heard.append)
    lookups = net.lookups(20).to_pandas()
    sends = net.sends(20, deadline_s=10).to_pandas()
    assert isinstance(sent, tombolo.Sent)
    assert isinstance(put, tombolo.Put)
    assert isinstance(got, tombolo.Got)
    assert isinstance(found, tombolo.Lookup)
    assert isinstance(linked, tombolo.Connected)
    assert isinstance(told, tombolo.Broadcast)
    assert sent.delivered
    assert sent.reason == ""
    assert sent.hops >= 1
    assert sent.latency_ms > 0
    assert put.stored > 0
    assert (got.found, got.value) == (True, b"blue")
    assert found.found
    assert found.hops >= 1
    assert linked.connected
    assert told.complete
    assert told.acknowledged == told.reached > 0
    assert {event.hops for event in heard} == {sent.hops}
    assert len(lookups) == len(sends) == 20
    assert lookups.succeeded.all()
    assert sends.delivered.all()
    assert (sends.latency_ms > 0).all()
    common = {"source", "started_s", "hops", "latency_ms"}
    assert set(lookups.columns) >= common | {"succeeded", "messages"}
    assert set(sends.columns) == common | {"target", "delivered", "reason"}


def test_cell_runs_against_a_world():
    world = tombolo.World(peers=50, overlay="both", latency=20, seed=3)
    cell(world, world.id_of(7))


def test_cell_runs_against_a_real_node(cluster, client):
    cell(client, cluster[2].id)


def test_source_is_the_node(cluster, client):
    assert client.send(client.id, cluster[1].id).source == client.id == cluster[0].id
    with pytest.raises(ValueError, match=f"speaks for node {client.id}"):
        client.send(cluster[2].id, cluster[1].id)
    with pytest.raises(TypeError, match="real nodes have no numbers"):
        client.send(None, 1)


def test_wrong_arguments_name_what_is_allowed(cluster, client):
    target = cluster[1].id
    for call, text in (
        (lambda: client.send(None, "me"), "target = 'me'"),
        (lambda: client.send(None, target, bytes(65_537)), "up to 65536"),
        (lambda: client.send(None, target, copies=9), "copies = 9: allowed is 1 to 8"),
        (lambda: client.send(None, target, deadline_s=0), "deadline_s = 0"),
        (lambda: client.put(None, "k", bytes(65_537)), "up to 65536"),
        (lambda: client.subscribe(None, 0), "topic = 0"),
        (lambda: client.on("nothing", print), "kind = 'nothing'"),
        (lambda: client.lookups(3, rate_per_s=0), "rate_per_s"),
        (lambda: Client("nowhere"), "HOST:PORT"),
        (lambda: Client("203.0.113.1:7401", token="x"), "in the clear"),
    ):
        with pytest.raises(ValueError, match=text):
            call()


def test_message_and_link_events(cluster, clients):
    sender, receiver = clients[:2]
    with receiver.events("message") as events:
        sender.send(None, receiver.id, b"\0bytes")
        event = events.next(SOON_S)
    assert (event.kind, event.peer, event.origin) == ("message", receiver.id, sender.id)
    assert (event.data, event.size) == (b"\0bytes", 6)
    assert event.hops >= 1
    with pytest.raises(EOFError):
        events.next(SOON_S)
    with sender.events("message") as quiet, pytest.raises(TimeoutError):
        quiet.next(0.05)


def test_handlers_hear_events_in_run_and_can_call_back(clients):
    sender, receiver = clients[:2]
    heard, answered = [], []

    @receiver.on("message")
    def answer(event):
        heard.append((event.data, threading.current_thread()))
        receiver.send(None, event.origin, b"answer")

    sender.on("message", answered.append)
    sender.send(None, receiver.id, b"question")
    until("it is heard", lambda: receiver.run(0.02) and heard, SOON_S)
    until("it is answered", lambda: sender.run(0.02) and answered, SOON_S)
    assert heard == [(b"question", threading.current_thread())]
    assert answered[0].data == b"answer"
    receiver.off("message", answer)
    sender.off("message", answered.append)
    sender.send(None, receiver.id, b"unheard")
    receiver.run(0.1)
    assert len(heard) == 1
    with pytest.raises(ValueError, match="not set"):
        receiver.off("message", answer)


def test_topics_are_heard_while_subscribed(clients):
    sender, member, other = clients
    with member.events("broadcast") as heard, other.events("broadcast") as not_heard:
        member.subscribe(None, 77)
        sender.broadcast(data=b"for members", topic=77)
        event = heard.next(SOON_S)
        assert (event.topic, event.data, event.origin) == (77, b"for members", sender.id)
        member.unsubscribe(None, 77)
        sender.broadcast(data=b"for all")
        assert heard.next(SOON_S).data == not_heard.next(SOON_S).data == b"for all"


def test_fire_and_forget_arrives_as_well(clients):
    sender, receiver = clients[:2]
    with receiver.events("message") as events:
        assert sender.send(None, receiver.id, b"forget", receipt=False).delivered
        assert events.next(SOON_S).data == b"forget"


def test_unknown_target_is_a_result_not_an_error(client):
    sent = client.send(None, "00" * 20, deadline_s=5)
    assert not sent.delivered
    assert sent.reason in ("unreachable", "deadline")


def test_what_the_node_says_of_itself(cluster, client):
    status = client.status()
    assert (status.id, status.state, status.listening) == (
        cluster[0].id,
        "joined",
        cluster[0].listening,
    )
    assert status.counters["sent_find_node"] > 0
    peers = client.peers().to_pandas()
    assert set(peers.id) == cluster[0].peers()
    assert set(client.topology().contacts()) == {node.id for node in cluster.nodes[1:]}
    assert client.wait_joined() < 1


def test_names_are_those_of_the_command_line(cluster, client):
    client.put(None, "flower", b"rose")
    assert cluster[3].control.ask("get", "flower")["value"] == "rose"
    client.put(None, "flower", "lily")  # later is newer
    assert client.get(None, "flower").value == b"lily"


def test_attached_client_is_held_until_it_is_closed(cluster, client):
    with client.attach("phone") as phone:
        assert phone.attached
        assert phone.holders > 0


def test_attachment_is_told_of_the_newer_home(cluster, clients):
    here, there = clients[0], clients[1]
    with here.attach("walker", sequence=1) as first, there.attach("walker", sequence=2) as second:
        assert first.attached
        assert second.attached
        assert first.moved() == cluster[1].id
        assert not first.attached
        assert second.home is None
        with there.attach("walker", sequence=3) as third:
            assert second.moved() == cluster[1].id, "to another call of the same node"
            assert third.home is None


def test_reflection_names_the_services(cluster):
    """What grpcurl asks for to list them; raw, since the package of reflection is not needed otherwise."""
    method = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    list_services = b"\x3a\x00"
    with grpc.insecure_channel(cluster[0].control_address) as channel:
        replies = channel.stream_stream(method)(iter([list_services]), timeout=SOON_S)
        reply = next(replies)
    for service in ("tombolo.control.v1.Control", "grpc.health.v1.Health"):
        assert service.encode() in reply


def test_many_threads_may_use_one_client(cluster, client):
    failed = []

    def work():
        for _ in range(20):
            if not client.send(None, cluster[1].id, deadline_s=10).delivered:
                failed.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_coroutines_run_side_by_side(cluster):
    async def main():
        async with (
            AsyncClient(cluster[0].control_address) as a,
            AsyncClient(cluster[1].control_address) as b,
        ):
            events = await b.events("message")
            sent = await asyncio.gather(*(a.send(None, b.id, bytes([n])) for n in range(50)))
            assert all(one.delivered for one in sent)
            got = {(await events.next(SOON_S)).data for _ in range(50)}
            assert got == {bytes([n]) for n in range(50)}
            events.close()
            assert [event async for event in events] == []

    asyncio.run(main())


def test_nobody_there_is_told_with_the_address(tmp_path):
    with pytest.raises(UnreachableError, match=r"at 127\.0\.0\.1:1: connection refused"):
        Client("127.0.0.1:1")
    with pytest.raises(ConnectionError, match="no such file"):
        Client(f"unix:{tmp_path}/none")
    assert issubclass(UnreachableError, NodeError)


def test_silence_is_a_timeout():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as mute:  # accepts, says nothing
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises((CallTimeoutError, UnreachableError), match=address):
            Client(address, timeout_s=0.3)


def test_events_go_on_after_a_restart(tmp_path):
    with Cluster(2, tmp_path) as pair:
        pair.wait_joined()
        with pair[0].client() as sender, pair[1].client() as receiver:
            events = receiver.events("message", "missed")
            pair.kill(1)
            with pytest.raises(UnreachableError, match="at unix:"):
                receiver.status()
            pair.restart(1)
            missed = events.next(SOON_S)
            assert (missed.kind, missed.events) == ("missed", None)
            until(
                "it is reached again",
                lambda: sender.send(None, receiver.id, b"back", deadline_s=2).delivered,
            )
            assert events.next(SOON_S).data == b"back"


def test_missing_packages_are_named():
    program = (
        "import sys; sys.modules['grpc'] = None\n"
        "try:\n    import tombolo.node\nexcept ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "pip install './python[node]'" in done.stdout
