"""The certificate of a gateway's listener is renewed while the node runs."""

import re
import signal
import socket
import ssl

import pytest
from cluster import Cluster, until
from test_control_access import Keys


@pytest.fixture
def keys(tmp_path):
    return Keys(tmp_path)


@pytest.fixture
def node(tmp_path, keys):
    flags = ["--peer-relay-listen", "127.0.0.1:0", "--peer-relay-tls-certificate", str(keys.cert)]
    with Cluster(1, tmp_path, *flags, "--peer-relay-tls-key", str(keys.key)) as nodes:
        yield nodes[0]


def log(node) -> str:
    return (node.folder / "log").read_text()


def gateway(node) -> tuple[str, int]:
    host, port = re.search(r"peer-relay clients at ([\d.]+):(\d+)", log(node)).groups()
    return host, int(port)


def shown(node) -> str:
    """The certificate that a new client sees."""
    return ssl.get_server_certificate(gateway(node)).strip()


def client(node, keys) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=keys.ca)
    return context.wrap_socket(
        socket.create_connection(gateway(node), 10), server_hostname="127.0.0.1"
    )


def upgrade(link: socket.socket) -> bytes:
    link.sendall(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    return link.recv(1024)


def test_new_certificate_is_for_new_connections_and_old_ones_stay(node, keys):
    assert shown(node) == keys.cert.read_text().strip()
    before = client(node, keys)
    keys.issue()
    assert shown(node) != keys.cert.read_text().strip()
    node.process.send_signal(signal.SIGHUP)
    until("it is read", lambda: "changed: peer_relay.tls_certificate" in log(node))
    assert shown(node) == keys.cert.read_text().strip()
    assert upgrade(before).startswith(b"HTTP/1.1 101")
    assert upgrade(client(node, keys)).startswith(b"HTTP/1.1 101")
    assert node.ask("reload") == {"changed": [], "restart_required": []}


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda keys: keys.cert.write_text("nothing"), "cert.pem is no certificate: "),
        (lambda keys: keys.key.write_text("nothing"), "key.pem is no key: "),
        (lambda keys: keys.key.unlink(), "key.pem"),
        (lambda keys: keys.key.write_bytes(keys.ca_key.read_bytes()),
         "key.pem is not the key of "),
    ],
)  # fmt: skip
def test_bad_pair_is_named_and_the_old_one_stays(node, keys, spoil, complaint):
    old = keys.cert.read_text().strip()
    keys.issue()
    spoil(keys)
    done = node.ctl("reload")
    assert done.returncode == 1
    assert complaint in done.stderr
    node.process.send_signal(signal.SIGHUP)
    until("it says so", lambda: log(node).count("the configuration stays as it was") == 2)
    assert complaint in log(node)
    assert shown(node) == old
    keys.issue()
    assert node.ask("reload")["changed"] == ["peer_relay.tls_certificate"]
    assert shown(node) == keys.cert.read_text().strip()
