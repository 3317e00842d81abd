"""What tombolo-node says about its configuration, before it becomes a node."""

import os
import subprocess

import pytest
from cluster import PROGRAMS


def run(*words, **variables):
    command = [PROGRAMS / "tombolo-node", *words]
    environment = {**os.environ, **variables}
    return subprocess.run(command, capture_output=True, text=True, timeout=10, env=environment)


def check(tmp_path, text, **variables):
    file = tmp_path / "node.toml"
    file.write_text(text)
    return run("--config", file, "--check-config", **variables)


def test_good_file(tmp_path):
    done = check(tmp_path, '[links]\nlisten = "0.0.0.0:7400"\nbootstrap = ["a.example:7400"]\n')
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[links]\nlisten = "here"\n', ":2: links.listen must be HOST:PORT"),
        (
            '[links]\n\nlisen = "0.0.0.0:1"\n',
            ":3: unknown key 'links.lisen'; did you mean 'links.listen'?",
        ),
        ("[limits]\nlinks = 1\n", ":2: limits.links must be a number from 8 to 4096, not '1'"),
        ('[limits]\nlinks = "many"\n', ":2: limits.links must be a number"),
        ('[links]\nbootstrap = "a:1"\n', ":2: links.bootstrap must be a list"),
        ('[security]\ndeny = ["me"]\n', "must be an id of 40 hexadecimal digits, not 'me'"),
        ('[control]\nlisten = "0.0.0.0:7401"\n', "it needs control.tls_cert, control.tls_key and"),
        ('[control]\ntls_cert = "c.pem"\n', "control.tls_cert and control.tls_key need each other"),
        ('[control]\ntoken_file = "token"\n', "control.token_file needs control.tls_cert"),
        ('[http]\nlisten = "everywhere"\n', "must be HOST:PORT with a numeric host, or off"),
        (
            '[links]\nlisten = "0.0.0.0:1"\n[security]\ninsecure = true\n',
            'only a loopback address is listened at, not links.listen = "0.0.0.0:1"',
        ),
        ('[peer_relay]\ntls_key = "k"\n', "peer_relay.tls_certificate and peer_relay.tls_key need"),
        (
            '[control]\ntls_cert = "/no/c.pem"\ntls_key = "/no/k.pem"\n',
            "cannot read /no/c.pem",
        ),
        ('[security]\nnetwork_key = "/no/key"\n', "/no/key"),
        ("[lnks]\n", ":1: unknown section 'lnks'"),
        ("listen\n", ":1: "),
        ("answer = 42\n", ":1: 'answer' is outside of a section"),
    ],
)
def test_bad_file_names_line_and_cure(tmp_path, text, complaint):
    done = check(tmp_path, text)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_environment_and_flags_are_checked_alike(tmp_path):
    assert "TOMBOLO_LIMITS_LINKS must be" in check(tmp_path, "", TOMBOLO_LIMITS_LINKS="x").stderr
    assert check(tmp_path, "", TOMBOLO_LINKS_BOOTSTRAP="a:1,b:2").returncode == 0
    assert "--links-advertise must be" in run("--check-config", "--links-advertise", "x").stderr


def test_folder_is_no_configuration(tmp_path):
    done = run("--config", tmp_path, "--check-config")
    assert done.returncode == 2
    assert f"cannot read {tmp_path}" in done.stderr


def test_flag_switches_off_what_the_environment_switches_on():
    words = ("--check-config", "--links-listen", "0.0.0.0:1")
    assert run(*words, TOMBOLO_SECURITY_INSECURE="true").returncode == 2
    assert (
        run(*words, "--security-insecure=false", TOMBOLO_SECURITY_INSECURE="true").returncode == 0
    )


def test_stronger_source_wins(tmp_path):
    bad_file = '[links]\nlisten = "0.0.0.0:1"\n'
    assert check(tmp_path, bad_file, TOMBOLO_LINKS_LISTEN="nowhere").returncode == 2
    done = run("--check-config", "--listen", "127.0.0.1:1", TOMBOLO_LINKS_LISTEN="127.0.0.1:2")
    assert done.returncode == 0


def test_unknown_flag_is_bad_usage():
    done = run("--lisen", "x")
    assert done.returncode == 2
    assert done.stderr == "tombolo-node: unknown argument '--lisen'; did you mean '--listen'?\n"


def test_missing_file_is_named():
    done = run("--config", "/nowhere/node.toml")
    assert done.returncode == 2
    assert "/nowhere/node.toml" in done.stderr


def test_key_that_others_may_read_is_refused(tmp_path):
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "key.pem").write_text("x")
    (tmp_path / "data" / "key.pem").chmod(0o644)
    done = run(
        "--data-dir",
        tmp_path / "data",
        "--listen",
        "127.0.0.1:0",
        "--control",
        f"unix:{tmp_path}/c",
    )
    assert done.returncode == 1
    assert "chmod 600" in done.stderr


def test_insecure_node_stays_on_loopback(tmp_path):
    done = run("--insecure", "--listen", "0.0.0.0:0", "--data-dir", tmp_path / "data")
    assert done.returncode == 2
    assert "loopback" in done.stderr
