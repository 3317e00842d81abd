"""What the log of a node never shows, however much it is told to say: payloads, tokens and keys."""

import base64
import json
import re
import signal
import socket
import subprocess

import pytest
from cluster import PROGRAMS, Cluster, until
from test_channels import counter, end, open_pipe
from test_control_access import Keys, ctl
from test_gateway_tls import gateway, upgrade

LEVELS = {"trace", "debug", "info", "warning", "error", "critical"}
MARK = "zebra-in-the-wine-cellar"  # in every payload
NETWORK_KEY = "otter-under-the-piano-with-a-hat"
TOKENS = ("token-of-the-walrus", "token-of-the-second-walrus")
WRONG_TOKEN = "token-of-the-impostor"


def frame(text: str) -> bytes:
    """A masked text of WebSocket, the mask being zeros."""
    body = text.encode()
    short = len(body) < 126
    length = bytes([0x80 | len(body)]) if short else b"\xfe" + len(body).to_bytes(2, "big")
    return b"\x81" + length + bytes(4) + body


def say_something_of_each_kind(here, there, third) -> None:
    """`here` and `there` are linked, or not: nobody's log may tell."""
    assert here.send(there.id, f"{MARK} sent")["failure"] == "NONE"
    assert here.ctl("send", "f" * 40, f"{MARK} to nobody", "--deadline", "500").returncode == 1
    here.ask("broadcast", f"{MARK} broadcast", "--acknowledge")
    here.ask("broadcast", f"{MARK} of a topic", "--topic", "7")
    until("others store it", lambda: here.ask("put", "key", f"{MARK} put")["stored"] >= 3)
    assert MARK in json.dumps(third.ask("get", "key"))
    pipes = open_pipe(here, there, "service")
    try:
        pipes[0].stdin.write(f"{MARK} in a channel\n".encode())
        assert MARK.encode() in pipes[1].stdout.readline()
    finally:
        end(*pipes)


def attach(home) -> None:
    """A client, by a name that is nobody else's business."""
    command = [PROGRAMS / "tomboloctl", "--json", "--node", home.socket, "attach", f"{MARK} client"]
    attached = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert json.loads(attached.stdout.readline())
    finally:
        attached.kill()
        attached.communicate(timeout=10)


def speak_to_the_gateway(node) -> None:
    """A client's message, and one that is no JSON."""
    own_id = "a" * 40
    known = counter(node, "peer_relay_greeted")
    client = socket.create_connection(gateway(node), 10)
    assert upgrade(client).startswith(b"HTTP/1.1 101")
    client.sendall(frame(f'"{own_id}"'))
    until("it is greeted", lambda: counter(node, "peer_relay_greeted") > known)
    data = {"type": "user", "data": f"{MARK} of a client"}
    words = {"to": "b" * 40, "from": own_id, "path": [own_id], "nonce": "1", "data": data}
    client.sendall(frame(json.dumps(words)))
    client.sendall(frame(f"{MARK} is no JSON"))
    until("it is refused", lambda: counter(node, "peer_relay_no_json") == 1)
    client.close()


def use_the_token(node, keys: Keys) -> None:
    """A good one, a wrong one, and one that takes the place of the good one."""
    right = ["--ca", keys.ca, "--token-file", keys.token]
    assert ctl(node.secure, *right, "status").returncode == 0
    wrong = keys.folder / "wrong"
    wrong.write_text(WRONG_TOKEN)
    assert ctl(node.secure, "--ca", keys.ca, "--token-file", wrong, "status").returncode == 1
    keys.write_token(TOKENS[1])
    node.process.send_signal(signal.SIGHUP)
    until("the new one holds", lambda: ctl(node.secure, *right, "status").returncode == 0)
    keys.write_token("short")
    node.process.send_signal(signal.SIGHUP)
    until("it is refused", lambda: "16 to 1024 bytes" in (node.folder / "log").read_text())
    keys.write_token(TOKENS[1])


class SecureNode:
    """A node whose control API is a port with TLS and a token; what the tests need of cluster.Node."""

    def __init__(self, folder, bootstrap: str, flags: list[str]):
        self.folder = folder
        folder.mkdir()
        command = [PROGRAMS / "tombolo-node", "--data-dir", folder, "--http", "off", "--listen",
                   "127.0.0.1:0", "--control", "127.0.0.1:0", "--bootstrap", bootstrap, *flags]  # fmt: skip
        with open(folder / "log", "wb") as log:
            self.process = subprocess.Popen(command, stderr=log)
        text = until("it runs", lambda: re.search(r"control at ([\d.:]+\d)", self.log()))
        self.secure = text[1]

    def log(self) -> str:
        return (self.folder / "log").read_text()


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """What four nodes wrote about a life with marked payloads, and the secrets that they had."""
    folder = tmp_path_factory.mktemp("logs")
    keys = Keys(folder)
    keys.write_token(TOKENS[0])
    network_key = folder / "network.key"
    network_key.write_text(NETWORK_KEY)
    network_key.chmod(0o600)
    flags = ["--node-log-level", "trace", "--security-network-key", str(network_key),
             "--peer-relay-listen", "127.0.0.1:0"]  # fmt: skip
    with Cluster(3, folder, *flags) as cluster:
        secure = SecureNode(folder / "secure", cluster[0].address, [*flags, *keys.flags])
        try:
            cluster.wait_joined()
            say_something_of_each_kind(*cluster.nodes)
            attach(cluster[1])
            speak_to_the_gateway(cluster[0])
            use_the_token(secure, keys)
            stranger = cluster.add("--node-log-level", "trace")  # does not know the key
            until("it is refused", lambda: counter(stranger, "transport_dials_failed") > 0)
            cluster[2].kill()
            here, there = cluster[0], cluster[1]
            here.send(there.id, f"{MARK} after a death")
            assert [node.terminate() for node in (here, there, stranger)] == [0, 0, 0]
        finally:
            secure.process.terminate()
            secure.process.wait(timeout=15)
        folders = [*(node.folder for node in cluster.nodes), secure.folder]
        private = [(node / "key.pem").read_text() for node in folders] + [keys.key.read_text()]
        secrets = [MARK, NETWORK_KEY, *TOKENS, WRONG_TOKEN]
        for pem in private:
            assert "PRIVATE KEY" in pem
            secrets += [line for line in pem.splitlines() if not line.startswith("-----")]
        yield {node.name: (node / "log").read_text() for node in folders}, secrets


def test_no_secret_and_no_payload_is_in_any_log(logs):
    texts, secrets = logs
    assert len(texts) == 5
    for name, text in texts.items():
        for secret in [*secrets, "PRIVATE KEY"]:
            raw = secret.encode()
            for form in (secret, raw.hex(), base64.b64encode(raw).decode().rstrip("=")):
                assert form.lower() not in text.lower(), f"{secret} in the log of {name}"


def test_every_line_is_one_json_object_with_time_level_and_message(logs):
    texts, _ = logs
    levels = set()
    for name, text in texts.items():
        assert text.endswith("\n")
        for line in text.splitlines():
            entry = json.loads(line)
            assert list(entry) == ["time", "level", "message"], f"{name}: {line}"
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["time"]), line
            assert entry["level"] in LEVELS, line
            assert entry["message"], line
            levels.add(entry["level"])
    assert {"debug", "info", "error"} <= levels, "else they were not told to say much"
