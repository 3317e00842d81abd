"""Who may use the control API: the owner of a Unix socket, and elsewhere whoever has the token, over TLS."""

import json
import signal
import stat
import subprocess
from pathlib import Path

import pytest
from cluster import PROGRAMS, Cluster, until
from test_command_line import run


def openssl(*words) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=30)


class Keys:
    """A certificate authority of the test's own, a server certificate, a token."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.ca, self.ca_key = folder / "ca.pem", folder / "ca.key"
        self.cert, self.key = folder / "cert.pem", folder / "key.pem"
        self.token = folder / "token"
        new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        openssl(*new, "-nodes", "-keyout", self.ca_key, "-out", self.ca, "-subj", "/CN=ca")
        self.issue()
        self.write_token("a token of sixteen and more")

    def issue(self) -> None:
        request = self.folder / "request"
        names = self.folder / "names"
        names.write_text("subjectAltName=IP:127.0.0.1\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", f"{self.key}.new", "-out", request, "-subj", "/CN=node")  # fmt: skip
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.ca_key, "-days", "2",
                "-CAcreateserial", "-extfile", names, "-out", f"{self.cert}.new")  # fmt: skip
        Path(f"{self.key}.new").rename(self.key)
        Path(f"{self.cert}.new").rename(self.cert)

    def write_token(self, text: str) -> None:
        self.token.write_text(text + "\n")
        self.token.chmod(0o600)

    @property
    def flags(self) -> list[str]:
        return ["--control-tls-cert", str(self.cert), "--control-tls-key", str(self.key),
                "--control-token-file", str(self.token)]  # fmt: skip


def ctl(address: str, *words) -> subprocess.CompletedProcess:
    command = [PROGRAMS / "tomboloctl", "--json", "--timeout", "5", "--node", address, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def node(keys, tmp_path):
    """A node whose control API is a port with TLS and a token; `node.at` is its address."""
    log = tmp_path / "log"
    command = [PROGRAMS / "tombolo-node", "--data-dir", tmp_path / "data", "--http", "off",
               "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", *keys.flags]  # fmt: skip
    with log.open("wb") as out:
        process = subprocess.Popen(command, stderr=out)
    try:
        lines = until("it runs", lambda: "control at" in log.read_text() and log.read_text())
        process.at = lines.partition("control at ")[2].partition(",")[0]
        process.log = log
        yield process
    finally:
        process.kill()
        process.wait(timeout=10)


def test_socket_is_the_owners_alone(tmp_path):
    with Cluster(1, tmp_path) as cluster:
        path = Path(cluster[0].socket.removeprefix("unix:"))
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_socket_of_a_living_node_is_not_taken_over(tmp_path):
    with Cluster(1, tmp_path) as cluster:
        words = ("--data-dir", tmp_path / "other", "--listen", "127.0.0.1:0", "--http", "off")
        done = run(*words, "--control", cluster[0].socket)
        assert done.returncode == 1
        assert f"{cluster[0].socket} is in use by another process" in done.stderr
        assert cluster[0].ask("status")["id"] == cluster[0].id
        cluster[0].kill()  # what it leaves behind is in nobody's way
        cluster[0].start()


def test_broken_certificate_is_named_at_reload(keys, node):
    good = keys.cert.read_text()
    keys.cert.write_text(good[:100])
    node.send_signal(signal.SIGHUP)
    try:
        until("the log names it", lambda: f"{keys.cert} is no certificate" in node.log.read_text())
        assert "the configuration stays as it was" in node.log.read_text()
    finally:
        keys.cert.write_text(good)


def serial_of(certificate: bytes) -> str:
    """Of a text that has one in PEM."""
    words = ["openssl", "x509", "-noout", "-serial"]
    return subprocess.run(words, input=certificate, capture_output=True, timeout=10).stdout.decode()


def shown(node) -> str:
    """The serial number of the certificate that a new caller sees; empty if there is none."""
    connect = ["openssl", "s_client", "-connect", node.at, "-alpn", "h2"]
    return serial_of(subprocess.run(connect, input=b"", capture_output=True, timeout=10).stdout)


SPOILS = {
    "cut short": (lambda keys: keys.cert.write_text(keys.cert.read_text()[:100]), "no certificate"),
    "half a chain": (
        lambda keys: keys.cert.write_text(keys.cert.read_text() + keys.ca.read_text()[:200]),
        "is no chain of certificates",
    ),
    "of another key": (
        lambda keys: keys.key.write_bytes(keys.ca_key.read_bytes()),
        "is not the key of",
    ),
    "empty": (lambda keys: keys.key.write_text(""), "is no key"),
    "gone": (lambda keys: keys.cert.unlink(), "cannot read"),
}


@pytest.mark.parametrize("how", SPOILS)
def test_spoiled_certificate_leaves_the_old_one_until_it_is_repaired(keys, node, how):
    spoil, complaint = SPOILS[how]
    before = serial_of(keys.cert.read_bytes())
    right = ["--ca", keys.ca, "--token-file", keys.token]
    spoil(keys)
    try:
        node.send_signal(signal.SIGHUP)
        until("the log names it", lambda: complaint in node.log.read_text())
        assert "the configuration stays as it was" in node.log.read_text()
        # The node also looks at the files by itself, and says what it sees once.
        kept = "the control API keeps the certificate that it has"
        until("it has looked again", lambda: kept in node.log.read_text())
        assert ctl(node.at, *right, "status").returncode == 0
        assert shown(node) == before
        reload = ctl(node.at, *right, "reload")
        assert reload.returncode == 1
        assert complaint in reload.stderr
        assert node.log.read_text().count(kept) == 1
    finally:
        keys.issue()
    after = serial_of(keys.cert.read_bytes())
    node.send_signal(signal.SIGHUP)
    until("the new certificate is shown", lambda: shown(node) == after)
    assert ctl(node.at, *right, "status").returncode == 0


def test_token_over_tls_opens_the_api(keys, node):
    status = ctl(node.at, "--ca", keys.ca, "--token-file", keys.token, "status")
    assert status.returncode == 0, status.stderr
    assert json.loads(status.stdout)["counters"]["control_refused"] == 0


def test_without_tls_token_or_authority_it_stays_shut(keys, node, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("a token of sixteen and less\n")
    for words, complaint in (
        ([], "give --ca if it uses TLS"),
        (["--ca", keys.ca], "needs its token"),
        (["--ca", keys.ca, "--token-file", wrong], "not the token"),
    ):
        done = ctl(node.at, *words, "status")
        assert done.returncode == 1
        assert complaint in done.stderr
    other = Keys(tmp_path)
    assert ctl(node.at, "--ca", other.ca, "--token-file", keys.token, "status").returncode == 1
    right = ctl(node.at, "--ca", keys.ca, "--token-file", keys.token, "status")
    assert json.loads(right.stdout)["counters"]["control_refused"] == 2
    assert "a token of" not in node.log.read_text()


def test_certificate_and_token_may_change_while_it_runs(keys, node):
    keys.issue()
    serial = serial_of(keys.cert.read_bytes())
    until("the new certificate is shown", lambda: shown(node) == serial)
    right = ["--ca", keys.ca, "--token-file", keys.token]
    old = keys.folder / "old-token"
    old.write_text(keys.token.read_text())
    keys.write_token("quite another token")
    assert ctl(node.at, "--ca", keys.ca, "--token-file", old, "reload").returncode == 0
    assert ctl(node.at, *right, "status").returncode == 0
    assert ctl(node.at, "--ca", keys.ca, "--token-file", old, "status").returncode == 1


def test_token_never_goes_over_plaintext(keys):
    done = ctl("127.0.0.1:1", "--token-file", keys.token, "status")
    assert done.returncode == 2
    assert "needs --ca" in done.stderr


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda keys: keys.token.chmod(0o644), "chmod 600"),
        (lambda keys: keys.token.write_text("short"), "16 to 1024 bytes"),
        (lambda keys: keys.cert.write_text("nothing"), "is no certificate"),
        (lambda keys: keys.key.write_bytes(keys.ca_key.read_bytes()), "is not the key of"),
        (lambda keys: keys.key.unlink(), "key.pem"),
    ],
)
def test_bad_files_are_named_at_the_start(tmp_path, spoil, complaint):
    keys = Keys(tmp_path)
    spoil(keys)
    done = run("--data-dir", tmp_path / "data", "--http", "off", "--listen", "127.0.0.1:0",
               "--control", "0.0.0.0:0", *keys.flags)  # fmt: skip
    assert done.returncode == 1
    assert complaint in done.stderr
