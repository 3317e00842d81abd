"""What is in node/deploy/ fits the program: its keys, flags, variables, pages and commands exist."""

import re
import shutil
import subprocess

import pytest
from cluster import PROGRAMS, ROOT
from test_command_line import run

DEPLOY = ROOT / "node" / "deploy"


def text(name: str) -> str:
    return (DEPLOY / name).read_text()


def variables(source: str) -> dict[str, str]:
    """TOMBOLO_* variables that a file sets; TOMBOLO_NODE is tomboloctl's."""
    found = dict(re.findall(r"(?<!-D)(TOMBOLO_\w+)(?:=|, value: \")([^\s\"]+)", source))
    found.pop("TOMBOLO_NODE", None)
    return found


def test_configuration_is_good():
    done = run("--config", DEPLOY / "node.toml", "--check-config")
    assert done.returncode == 0, done.stderr


def test_commented_keys_of_the_configuration_exist(tmp_path):
    whole = re.sub(r"(?m)^# (\w+ = )", r"\1", text("node.toml"))
    assert whole.count("bootstrap =") == 1
    (tmp_path / "node.toml").write_text(whole)
    done = run("--config", tmp_path / "node.toml", "--check-config")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["Containerfile", "kubernetes.yaml"])
def test_variables_are_keys(name):
    set_there = variables(text(name))
    assert set_there
    help_text = run("--help").stdout
    for variable in set_there:
        assert variable in help_text, variable
    done = run("--check-config", **set_there)
    assert done.returncode == 0, done.stderr


def test_flags_of_unit_and_manifest_exist():
    command = re.search(r"^ExecStart=\S+ (.*)$", text("tombolo-node.service"), re.MULTILINE)[1]
    command = command.replace("/etc/tombolo/node.toml", str(DEPLOY / "node.toml"))
    command = re.sub(r"%[St]", "/run", command)
    assert run(*command.split(), "--check-config").returncode == 0
    arguments = re.findall(r"^            - (\S+)$", text("kubernetes.yaml"), re.MULTILINE)
    assert "--bootstrap" in arguments
    arguments = [word.replace("$(POD_NAME)", "tombolo-0") for word in arguments]
    done = run(*arguments, "--check-config")
    assert done.returncode == 0, done.stderr


def test_probes_and_commands_exist():
    source = (ROOT / "node" / "report.cc").read_text()
    for page in set(
        re.findall(r"(?:path: |7402)(/\w+)", text("kubernetes.yaml") + text("Containerfile"))
    ):
        if not page.startswith("/var"):
            assert f'"{page}"' in source, page
    verb = re.search(r"tomboloctl, (\w+)\]", text("kubernetes.yaml"))[1]
    done = subprocess.run(
        [PROGRAMS / "tomboloctl", verb, "--help"], capture_output=True, text=True, timeout=10
    )
    assert done.returncode == 0


def test_grace_periods_are_longer_than_drains():
    manifest = text("kubernetes.yaml")
    grace = int(re.search(r"terminationGracePeriodSeconds: (\d+)", manifest)[1])
    assert grace > int(variables(manifest)["TOMBOLO_NODE_DRAIN_TIMEOUT_S"])
    stop = int(re.search(r"TimeoutStopSec=(\d+)", text("tombolo-node.service"))[1])
    assert stop > int(re.search(r"drain_timeout_s = (\d+)", text("node.toml"))[1])


def test_systemd_finds_no_fault_with_the_unit(tmp_path):
    """Where systemd is at hand; the paths are those of this build, since verify looks for programs."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    unit = text("tombolo-node.service").replace(
        "/usr/bin/tombolo-node", str(PROGRAMS / "tombolo-node")
    )
    (tmp_path / "tombolo-node.service").write_text(unit)
    done = subprocess.run(
        [analyze, "verify", "--man=no", tmp_path / "tombolo-node.service"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    faults = [line for line in done.stderr.splitlines() if "tombolo" in line]
    assert faults == []
