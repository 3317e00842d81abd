"""Every limit of the gateway, reached; TLS, compression and origins, switched on."""

import json
import socket
import ssl
import subprocess
import time

import pytest
from gateway import RawSocket, cluster, counter, frame, new_id, url
from tombolo.cluster import Cluster, until


def one_node(folder, *flags):
    words = [word for name, value in flags for word in (f"--peer-relay-{name}", str(value))]
    return cluster(1, folder, *words)


def test_too_many_clients(tmp_path):
    with one_node(tmp_path, ("clients", 2)) as nodes:
        kept = [RawSocket(url(nodes[0])) for _ in range(2)]
        with pytest.raises((EOFError, ConnectionError)):
            RawSocket(url(nodes[0]))
        assert counter(nodes[0], "socket_refused_full") == 1
        kept.pop().close()
        until("room again", lambda: _opens(url(nodes[0])))


def own_address():
    """Of this machine towards others, though nothing is sent to them; None without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        host = probe.getsockname()[0]
    return None if host.startswith("127.") else host


@pytest.mark.parametrize("any_address", ["0.0.0.0", "[::]"])
def test_too_many_clients_of_one_address(tmp_path, any_address):
    """Loopback, where proxies are, is not counted, whichever kind of socket sees it."""
    address = own_address()
    if address is None:
        pytest.skip("this machine has no address but loopback")
    flags = ("--peer-relay-listen", f"{any_address}:0", "--peer-relay-clients-per-address", "2")
    with Cluster(1, tmp_path, flags=flags) as nodes:
        port = url(nodes[0]).rpartition(":")[2]
        kept = [RawSocket(f"ws://{address}:{port}") for _ in range(2)]
        assert not _opens(f"ws://{address}:{port}")
        assert counter(nodes[0], "socket_refused_address") == 1
        local = [RawSocket(f"ws://127.0.0.1:{port}") for _ in range(4)]
        assert counter(nodes[0], "socket_refused_address") == 1
        kept.pop().close()
        until("room again", lambda: _opens(f"ws://{address}:{port}"))
        for raw in (*kept, *local):
            raw.close()


def _opens(address):
    try:
        RawSocket(address)
    except (EOFError, ConnectionError):
        return False
    return True


def test_deadlines_of_upgrade_greeting_and_silence(tmp_path):
    with one_node(tmp_path, ("handshake-s", 1), ("idle-s", 1)) as nodes:
        mute = RawSocket(url(nodes[0]), upgrade=False)
        nameless = RawSocket(url(nodes[0]))
        silent = RawSocket(url(nodes[0]))
        silent.greet(new_id())
        assert nameless.close_code() == 1008
        assert silent.frame() == (9, b""), "a ping"
        with pytest.raises((EOFError, ConnectionError)):
            mute.frame()
        assert counter(nodes[0], "socket_handshake_timeout") == 1
        assert counter(nodes[0], "no_greeting") == 1
        silent.close()


def test_client_that_answers_no_ping_is_given_up(tmp_path):
    with one_node(tmp_path, ("idle-s", 1)) as nodes:
        silent = RawSocket(url(nodes[0]))
        silent.greet(new_id())
        until("it is", lambda: counter(nodes[0], "socket_silent") == 1, 30)
        silent.close()


def test_message_too_big(tmp_path):
    with one_node(tmp_path, ("message-bytes", 2048)) as nodes:
        raw = RawSocket(url(nodes[0]))
        raw.greet(new_id())
        raw.say_frame(b"x" * 2049)
        assert raw.close_code() == 1009
        pieces = RawSocket(url(nodes[0]))
        pieces.greet(new_id())
        pieces.say_frame(b"x" * 1500, final=False)
        pieces.say_frame(b"x" * 1500, 0, final=False)
        assert pieces.close_code() == 1009
        assert counter(nodes[0], "socket_too_big") == 2


def test_ping_between_the_pieces_of_a_message_is_none_of_it(tmp_path):
    with one_node(tmp_path, ("message-bytes", 2048)) as nodes:
        raw = RawSocket(url(nodes[0]))
        raw.greet(new_id())
        raw.say_frame(b"x" * 2040, final=False)
        raw.say_frame(b"y" * 100, 9)
        assert raw.frame() == (10, b"y" * 100), "a pong"
        raw.close()


@pytest.mark.parametrize("limit", [("messages-per-s", 20), ("bytes-per-s", 6000)])
def test_who_sends_too_fast_is_read_more_slowly_and_loses_nothing(tmp_path, limit):
    with one_node(tmp_path, limit) as nodes:
        sender, receiver = RawSocket(url(nodes[0])), RawSocket(url(nodes[0]))
        a, b = new_id(), new_id()
        sender.greet(a)
        receiver.greet(b)
        until("both are in", lambda: counter(nodes[0], "clients") == 2)
        began = time.monotonic()
        for number in range(60):
            sender.say(frame(b, a, {"type": "user", "data": number}))
        assert [receiver.hear()["data"]["data"] for _ in range(60)] == list(range(60))
        assert time.monotonic() - began > 1.5
        assert counter(nodes[0], "socket_slowed") > 0
        sender.close()
        receiver.close()


def test_origins(tmp_path):
    with one_node(tmp_path, ("origins", "https://good.example")) as nodes:
        bad = RawSocket(url(nodes[0]), headers="Origin: https://bad.example\r\n")
        assert bad.response.startswith(b"HTTP/1.1 403")
        good = RawSocket(url(nodes[0]), headers="Origin: https://good.example\r\n")
        assert good.greet(new_id()) == nodes[0].id
        assert RawSocket(url(nodes[0])).greet(new_id()) == nodes[0].id, "no browser"


def test_originals_with_compression(tmp_path, originals):
    """They offer it; the node agrees if it is told to."""
    with cluster(2, tmp_path, "--peer-relay-deflate") as nodes:
        originals.open("a", url(nodes[0]))
        originals.open("b", url(nodes[1]))
        originals.exchange("a", "b", "x" * 50_000)
        assert counter(nodes[0], "socket_bytes_in") < 40_000


def test_tls(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    command = [*make.split(), "-subj", "/CN=node", "-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    flags = (("tls-certificate", certificate), ("tls-key", key))
    with one_node(tmp_path / "nodes", *flags) as nodes:
        context = ssl.create_default_context(cafile=certificate)
        context.check_hostname = False

        def connect():
            raw = RawSocket(url(nodes[0]), upgrade=False)
            raw.socket = context.wrap_socket(raw.socket)
            raw.upgrade()
            return raw

        sender, receiver = connect(), connect()
        a, b = new_id(), new_id()
        sender.greet(a)
        receiver.greet(b)
        until("both are in", lambda: counter(nodes[0], "clients") == 2)
        for size in (1, 80_000, 10):
            sender.say(frame(b, a, {"type": "user", "data": "x" * size}))
            assert len(receiver.hear()["data"]["data"]) == size
        sender.say(frame(nodes[0].id, a, {"type": "handshake-offer"}))
        sender.say(frame(nodes[0].id, a, {"type": "findPeers", "data": a}))
        assert a in json.dumps(sender.hear())
        plain = RawSocket(url(nodes[0]), upgrade=False)
        plain.say_bytes(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises((EOFError, ConnectionError)):
            plain.frame()
