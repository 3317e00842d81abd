"""tombolo.Socket: datagrams between real nodes, as programs expect them of UDP."""

import asyncio
import select
import threading

import pytest
import tombolo
from tombolo.cluster import Cluster, until
from tombolo.node import create_datagram_endpoint

SOON_S = 10.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(3, tmp_path_factory.mktemp("socket")) as nodes:
        nodes.wait_joined()
        nodes.wait_reachable(30)
        yield nodes


@pytest.fixture
def pair(cluster):
    with tombolo.Socket() as a, tombolo.Socket(queue_limit=4) as b:
        a.bind(cluster[0].control_address)
        b.bind(cluster[1].control_address)
        a.settimeout(SOON_S)
        b.settimeout(SOON_S)
        yield a, b


def test_there_and_back(cluster, pair):
    a, b = pair
    assert a.sendto(b"ping", cluster[1].id) == 4
    data, sender = b.recvfrom()
    assert (data, sender) == (b"ping", cluster[0].id == a.getsockname() and a.getsockname())
    b.sendto(b"pong", bytes.fromhex(sender))
    assert a.recv() == b"pong"


def test_empty_long_and_too_long_datagrams(pair):
    a, b = pair
    a.sendto(b"", b.getsockname())
    assert b.recv() == b""
    a.sendto(bytes(range(256)) * 256, b.getsockname())
    assert b.recv(300) == bytes(range(256)) + bytes(range(44))  # the rest is lost
    with pytest.raises(OSError, match="65537 bytes"):
        a.sendto(bytes(65_537), b.getsockname())
    with pytest.raises(ValueError, match="address"):
        a.sendto(b"x", "127.0.0.1")


def test_full_queue_drops_and_counts(pair):
    a, b = pair
    for number in range(10):
        a.sendto(bytes([number]), b.getsockname())
    until("the rest is dropped", lambda: b.dropped == 6, SOON_S)
    received = [b.recv() for _ in range(4)]
    assert len(set(received)) == 4
    b.settimeout(0)
    with pytest.raises(BlockingIOError):
        b.recv()


def test_timeouts(pair):
    _, b = pair
    b.settimeout(0.05)
    with pytest.raises(TimeoutError, match=r"0\.05 s"):
        b.recvfrom()
    b.setblocking(False)
    assert b.gettimeout() == 0
    assert not b.getblocking()
    with pytest.raises(BlockingIOError):
        b.recvfrom()
    with pytest.raises(ValueError, match="seconds"):
        b.settimeout(-1)


def test_select_tells_when_something_waits(pair):
    a, b = pair
    assert select.select([b], [], [], 0)[0] == []
    a.sendto(b"1", b.getsockname())
    a.sendto(b"2", b.getsockname())
    assert select.select([b], [], [], SOON_S)[0] == [b]
    assert {b.recv(), b.recv()} == {b"1", b"2"}
    assert select.select([b], [], [], 0)[0] == []


def test_close_wakes_receivers(cluster):
    socket = tombolo.Socket()
    with pytest.raises(OSError, match="not bound"):
        socket.recvfrom()
    socket.bind(cluster[2].control_address)
    with pytest.raises(OSError, match="is bound"):
        socket.bind(cluster[2].control_address)
    failures = []

    def receive():
        try:
            socket.recvfrom()
        except OSError as error:
            failures.append(str(error))

    receiver = threading.Thread(target=receive)
    receiver.start()
    socket.close()
    socket.close()
    receiver.join(SOON_S)
    assert len(failures) == 1
    assert "closed" in failures[0]
    assert socket.fileno() == -1
    with pytest.raises(OSError, match="closed"):
        socket.sendto(b"x", cluster[0].id)


def test_asyncio_endpoint(cluster):
    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport
            self.received = asyncio.Queue()
            self.lost = asyncio.get_running_loop().create_future()

        def datagram_received(self, data, addr):
            if data.startswith(b"echo "):
                self.transport.sendto(data[5:], addr)
            else:
                self.received.put_nowait((data, addr))

        def connection_lost(self, error):
            self.lost.set_result(error)

    async def main():
        near, near_protocol = await create_datagram_endpoint(Echo, cluster[0].control_address)
        far, far_protocol = await create_datagram_endpoint(Echo, cluster[1].control_address)
        assert far.get_extra_info("sockname") == cluster[1].id
        near.sendto(b"echo hello", cluster[1].id)
        got = await asyncio.wait_for(near_protocol.received.get(), SOON_S)
        assert got == (b"hello", cluster[1].id)
        with pytest.raises(ValueError, match="no default"):
            near.sendto(b"to whom?")
        for transport, protocol in ((near, near_protocol), (far, far_protocol)):
            transport.close()
            assert transport.is_closing()
            assert await asyncio.wait_for(protocol.lost, SOON_S) is None
        near.sendto(b"late", cluster[1].id)
        assert near.dropped == 1

    asyncio.run(main())
