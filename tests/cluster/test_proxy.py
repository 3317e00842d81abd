"""The link proxy of tombolo.cluster, with this process as both nodes."""

import contextlib
import os
import select
import socket
import subprocess
import sys
import time

import pytest
from tombolo.cluster import _sockets
from tombolo.cluster._proxy import Proxy
from tombolo.cluster._weather import Weather

SOON_S = 5.0  # at the latest
QUIET_S = 0.3  # nothing comes for so long


class Pair:
    """Node 0 dials, node 1 listens."""

    def __init__(self):
        self.weather = Weather()
        self.proxy = Proxy()
        self.port = int(self.proxy.open(1).rpartition(":")[2])
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(SOON_S)
        self.proxy.starts(1, -1)
        self.proxy.starts(0, os.getpid())
        self.proxy.listens(1, self.listener.getsockname()[1])

    def shape(self):
        self.proxy.shape(self.weather.wish)

    def dial(self):
        near = socket.create_connection(("127.0.0.1", self.port), SOON_S)
        near.settimeout(SOON_S)
        return near

    def accept(self):
        far, _ = self.listener.accept()
        far.settimeout(SOON_S)
        return far

    def close(self):
        self.proxy.close()
        self.listener.close()


@pytest.fixture
def pair():
    with contextlib.closing(Pair()) as both:
        yield both


def is_quiet(connection):
    return not select.select([connection], [], [], QUIET_S)[0]


def test_bytes_and_ends_pass_both_ways(pair):
    near = pair.dial()
    far = pair.accept()
    near.sendall(b"there")
    assert far.recv(100) == b"there"
    near.shutdown(socket.SHUT_WR)
    assert far.recv(100) == b""
    far.sendall(b"back")
    far.close()
    assert near.recv(100) == b"back"
    assert near.recv(100) == b""


def test_cut_holds_bytes_until_it_heals(pair):
    near, far = pair.dial(), pair.accept()
    pair.weather.cut(0, 1, one_way=False)
    pair.shape()
    near.sendall(b"there")
    far.sendall(b"back")
    assert is_quiet(near)
    assert is_quiet(far)
    pair.weather.heal()
    pair.shape()
    assert far.recv(100) == b"there"
    assert near.recv(100) == b"back"


def test_one_way_cut_lets_the_other_way_pass(pair):
    near, far = pair.dial(), pair.accept()
    pair.weather.cut(0, 1, one_way=True)
    pair.shape()
    near.sendall(b"there")
    far.sendall(b"back")
    assert near.recv(100) == b"back"
    assert is_quiet(far)


def test_end_during_a_cut_is_a_reset_after_it(pair):
    near, far = pair.dial(), pair.accept()
    pair.weather.isolate(1)
    pair.shape()
    near.sendall(b"never read")
    near.close()
    assert is_quiet(far)
    pair.weather.heal()
    pair.shape()
    with pytest.raises(ConnectionResetError):
        far.recv(100)


def test_new_connection_hangs_while_one_way_is_cut(pair):
    pair.weather.cut(1, 0, one_way=True)
    pair.shape()
    near = pair.dial()
    near.sendall(b"hello")
    assert is_quiet(near)
    assert is_quiet(pair.listener)
    pair.weather.heal()
    pair.shape()
    assert pair.accept().recv(100) == b"hello"


def test_dialler_that_gave_up_is_forgotten(pair):
    pair.weather.partition([[0], [1]], one_way=False)
    pair.shape()
    near = pair.dial()
    assert is_quiet(pair.listener)
    near.close()
    pair.weather.heal()
    pair.shape()
    assert is_quiet(pair.listener)
    assert pair.proxy.counts["abandoned"] == 1


def test_delay_is_that_of_each_way(pair):
    pair.weather.delay(0.1, None, None)
    pair.shape()
    began = time.monotonic()
    near = pair.dial()
    near.sendall(b"there")
    far = pair.accept()
    assert time.monotonic() - began >= 0.2  # a handshake is a round trip
    assert far.recv(100) == b"there"
    began = time.monotonic()
    far.sendall(b"back")
    assert near.recv(100) == b"back"
    assert time.monotonic() - began >= 0.1


def test_node_that_is_down_refuses(pair):
    pair.proxy.ends(1)
    with pytest.raises(ConnectionResetError):
        pair.dial().recv(100)
    assert pair.proxy.counts["refused"] == 1


def test_node_that_starts_keeps_diallers_waiting(pair):
    pair.proxy.ends(1)
    pair.proxy.starts(1, -1)
    near = pair.dial()
    assert is_quiet(near)
    pair.proxy.listens(1, pair.listener.getsockname()[1])
    near.sendall(b"at last")
    assert pair.accept().recv(100) == b"at last"


def test_strangers_are_reset(pair):
    pair.proxy.ends(0)
    with pytest.raises(ConnectionResetError):
        pair.dial().recv(100)
    assert pair.proxy.counts["strangers"] == 1


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_dialling_process_is_found(family):
    host = "127.0.0.1" if family == socket.AF_INET else "::ffff:127.0.0.1"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        program = (
            f"import socket,sys; s = socket.socket({int(family)}); s.connect(({host!r}, {port})); "
            "sys.stdin.read()"
        )
        child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE)
        try:
            accepted, _ = listener.accept()
            with accepted:
                assert _sockets.dialler(accepted, [os.getpid(), child.pid]) == child.pid
                assert _sockets.dialler(accepted, [os.getpid()]) is None
        finally:
            child.communicate()


def test_islands_one_way_and_both():
    weather = Weather()
    weather.partition([[0, 1], [2, 3]], one_way=True)
    assert weather.can_talk(0, 1)
    assert weather.can_talk(0, 2)
    assert not weather.can_talk(2, 0)
    weather.partition([[0, 1], [2, 3]], one_way=False)
    assert not weather.can_talk(0, 2)
    weather.isolate(0)
    assert weather.island_of(0) == -1
    assert not weather.can_talk(1, 0)
    weather.heal()
    assert weather.can_talk(0, 3)
    assert weather.island_of(3) == 0


def test_of_a_cut_and_a_bridge_the_later_one_counts():
    weather = Weather()
    weather.partition([[0], [1]], one_way=False)
    weather.bridge(0, 1)
    assert weather.can_talk(0, 1)
    weather.cut(0, 1, one_way=True)
    assert not weather.can_talk(0, 1)
    assert weather.can_talk(1, 0)
    weather.bridge(1, 0)
    assert weather.can_talk(0, 1)


def test_new_partition_forgets_bridges_and_isolations_but_not_cuts():
    weather = Weather()
    weather.bridge(0, 1)
    weather.cut(1, 2, one_way=True)
    weather.isolate(2)
    weather.partition([[0], [1, 2]], one_way=False)
    assert not weather.can_talk(0, 1)
    assert not weather.can_talk(1, 2)
    assert weather.can_talk(2, 1)
