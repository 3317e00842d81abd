"""What tombolo-node says about its configuration, before it becomes a node."""

import json
import os
import re
import subprocess

import pytest
from cluster import PROGRAMS, Cluster


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


@pytest.mark.parametrize("value", ["maybe", "2", "on", "-1", "99999999999999999999"])
def test_flag_that_is_neither_true_nor_false_is_refused(value):
    done = run("--check-config", f"--insecure={value}")
    assert done.returncode == 2
    complaint = f"--security-insecure must be true or false, not '{value}'"
    assert done.stderr == f"tombolo-node: {complaint}\n"


def test_mistyped_variable_is_a_warning_with_the_one_that_was_meant(tmp_path):
    done = check(tmp_path, "", TOMBOLO_LINK_LISTEN="127.0.0.1:1", TOMBOLO_NODE_SERVICE_HOST="x")
    assert (done.returncode, done.stdout) == (0, "the configuration is good\n")
    assert done.stderr == (
        "tombolo-node: warning: unknown variable 'TOMBOLO_LINK_LISTEN' in the environment; "
        "did you mean 'TOMBOLO_LINKS_LISTEN'?\n"
    )


def test_running_node_warns_of_a_mistyped_variable_in_its_log(tmp_path, monkeypatch):
    monkeypatch.setenv("TOMBOLO_LIMITS_LINK", "9")
    monkeypatch.setenv("TOMBOLO_NODE_PORT_7400_TCP_ADDR", "10.0.0.1")
    with Cluster(1, tmp_path) as cluster:
        log = (cluster[0].folder / "log").read_text()
    warnings = [line for line in log.splitlines() if '"level":"warning"' in line]
    assert len(warnings) == 1
    assert "unknown variable 'TOMBOLO_LIMITS_LINK'" in warnings[0]


def test_bytes_that_are_no_utf8_leave_the_log_json(tmp_path, monkeypatch):
    monkeypatch.setenv("TOMBOLO_LIMITS_\udcff", "9")  # the byte 0xff
    monkeypatch.setenv("TOMBOLO_LIMITS_É", "9")
    with Cluster(1, tmp_path) as cluster:
        lines = (cluster[0].folder / "log").read_bytes().splitlines()
    entries = [json.loads(line.decode()) for line in lines]
    told = {e["message"].partition("'")[2].partition("'")[0] for e in entries}
    assert {"TOMBOLO_LIMITS_?", "TOMBOLO_LIMITS_É"} <= told


def test_help_has_all_that_a_manual_page_has():
    text = run("--help").stdout
    options = re.findall(r"\[(\w+\.\w+), (TOMBOLO_\w+)\]", text)
    assert len(options) > 40
    assert len(re.findall(r"; default [^\[]+ \[\w+\.\w+, TOMBOLO_\w+\]", text)) == len(options)
    assert "default 0.0.0.0:7400 [links.listen, TOMBOLO_LINKS_LISTEN]" in text
    assert "8 to 4096; default 128 [limits.links, TOMBOLO_LIMITS_LINKS]" in text
    for part in ("Signals:", "Exit status: 0", "Examples:", "SIGHUP"):
        assert part in text
    for example in re.findall(r"^  tombolo-node (.*)$", text, re.MULTILINE):
        flags = set(re.findall(r"--[\w-]+", example))
        assert flags <= set(re.findall(r"--[\w-]+", text.partition("Every option")[0])), example


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
