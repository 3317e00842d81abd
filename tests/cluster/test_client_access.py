"""tombolo.node.Client at a control API that wants TLS and a token."""

import contextlib
import re
import subprocess

import pytest
from cluster import PROGRAMS, until
from test_control_access import Keys, openssl
from tombolo.node import Client, UnauthenticatedError, UnreachableError

TOKEN = "a token of sixteen and more"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


@contextlib.contextmanager
def guarded(keys, folder):
    """A node with these keys: the address of its control API."""
    log = folder / "log"
    command = [PROGRAMS / "tombolo-node", "--data-dir", folder / "data", "--http", "off",
               "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", *keys.flags]  # fmt: skip
    with log.open("wb") as out:
        process = subprocess.Popen(command, stderr=out)
    try:
        found = until("it runs", lambda: re.search(r"control at ([\d.:]+)", log.read_text()))
        yield found[1]
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture(scope="module")
def address(keys, tmp_path_factory):
    with guarded(keys, tmp_path_factory.mktemp("guarded")) as found:
        yield found


def test_token_over_tls_is_let_in(keys, address):
    for ca in (keys.ca, str(keys.ca), keys.ca.read_bytes()):
        with Client(address, token=TOKEN, ca=ca) as client:
            assert client.status().id == client.id
            assert client.status().http == ""
            assert client.reload().restart_required == ()


def test_no_token_or_a_wrong_one_is_refused(keys, address):
    for token in (None, "another token of sixteen"):
        with pytest.raises(UnauthenticatedError, match=f"{address} says UNAUTHENTICATED"):
            Client(address, token=token, ca=keys.ca)
    assert issubclass(UnauthenticatedError, PermissionError)


def test_what_is_wrong_with_tls_is_told(keys, address, tmp_path):
    with pytest.raises(UnreachableError, match="does it want TLS"):
        Client(address)
    with pytest.raises(UnreachableError, match="not trusted"):
        Client(address, token=TOKEN, ca=Keys(tmp_path).ca)
    with pytest.raises(UnreachableError, match="another name"):
        Client(address.replace("127.0.0.1", "localhost"), token=TOKEN, ca=keys.ca)
    with pytest.raises(UnreachableError, match="no certificate in PEM"):
        Client(address, token=TOKEN, ca=b"none")


class Ed25519Keys(Keys):
    def issue(self) -> None:
        openssl("req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", self.key, "-out", self.cert,
                "-subj", "/CN=node", "-addext", "subjectAltName=IP:127.0.0.1")  # fmt: skip


def test_certificate_that_grpc_does_not_take_is_told_from_a_want_of_tls(tmp_path):
    keys = Ed25519Keys(tmp_path)
    with guarded(keys, tmp_path) as address:
        for given in ({"ca": keys.cert}, {"tls": True}):
            with pytest.raises(UnreachableError, match=r"TLS failed; .* Ed25519") as caught:
                Client(address, token=TOKEN, **given)
            assert "does it want TLS" not in str(caught.value)


def test_connection_that_breaks_later_says_nothing_of_tls(keys, tmp_path):
    with contextlib.ExitStack() as running:
        address = running.enter_context(guarded(keys, tmp_path))
        with Client(address, token=TOKEN, ca=keys.ca) as client:
            listener = client.listen("files")
            client.status()  # its calls have left by then
            running.close()
            with pytest.raises(UnreachableError) as caught:
                listener.accept(20)
            assert "TLS" not in str(caught.value)
