"""What ./dev promises before it builds anything: usage, and how it treats missing Debian packages.

A copy of the script runs in an empty folder with a PATH of stand-ins: nothing is installed or built.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REAL = ("bash", "cat", "dirname", "env", "nproc")
INSTALL = "apt-get install -y --no-remove --no-install-recommends"


@pytest.fixture
def machine(tmp_path):
    """A folder of programs: the few real ones that the script needs, and what `fake` adds."""
    (tmp_path / "tree").mkdir()
    shutil.copy(ROOT / "dev", tmp_path / "tree")
    for name in REAL:
        (tmp_path / name).symlink_to(shutil.which(name))
    return tmp_path


def fake(machine: Path, name: str, body: str) -> None:
    path = machine / name
    path.write_text(f'#!/bin/bash\necho "{name} $*" >>"{machine}/log"\n{body}\n')
    path.chmod(0o755)


def fake_debian(machine: Path, user: int = 0, apt_status: int = 1) -> None:
    fake(machine, "dpkg-query", "exit 1")  # nothing is installed
    fake(machine, "id", f"echo {user}")
    fake(machine, "apt-get", f'[ "$1" = update ] || exit {apt_status}')


def dev(machine: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [shutil.which("bash"), machine / "tree" / "dev", *arguments],
        env={"PATH": str(machine), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def log(machine: Path) -> str:
    path = machine / "log"
    return path.read_text() if path.exists() else ""


def test_help_names_every_command(machine):
    result = dev(machine, "--help")
    assert result.returncode == 0
    for command in ("demo", "test", "build", "bench", "format", "lint", "docs"):
        assert f"\n  {command} " in result.stdout
    assert log(machine) == ""


@pytest.mark.parametrize("arguments", [(), ("dance",)])
def test_bad_usage_prints_the_usage(machine, arguments):
    result = dev(machine, *arguments)
    assert result.returncode == 2
    assert "usage: ./dev COMMAND" in result.stderr


def test_unknown_stage_is_refused_before_any_work(machine):
    result = dev(machine, "test", "dance")
    assert result.returncode == 1
    assert "unknown stage 'dance'" in result.stderr
    assert log(machine) == ""


def test_missing_packages_are_installed_gently_and_shown(machine):
    fake_debian(machine)
    result = dev(machine, "docs")
    assert result.returncode == 1
    assert INSTALL in log(machine)
    assert INSTALL in result.stderr
    assert "could not install" in result.stderr
    assert "sudo" not in log(machine)


def test_sudo_is_used_when_not_root(machine):
    fake_debian(machine, user=1000)
    fake(machine, "sudo", '"$@"')
    dev(machine, "docs")
    assert f"sudo env DEBIAN_FRONTEND=noninteractive {INSTALL}" in log(machine)


def test_no_sudo_is_a_clear_error(machine):
    fake_debian(machine, user=1000)
    result = dev(machine, "docs")
    assert "neither root nor sudo; please install: " in result.stderr
    assert "apt-get" not in log(machine)


def test_no_apt_is_a_clear_error(machine):
    fake(machine, "dpkg-query", "exit 1")
    result = dev(machine, "demo")
    assert result.returncode == 1
    assert "apt-get not found; please install: " in result.stderr


def test_other_systems_are_told_what_to_do(machine):
    result = dev(machine, "demo")
    assert result.returncode == 1
    assert "TOMBOLO_NO_INSTALL=1" in result.stderr


def test_demo_asks_for_neither_grpc_nor_test_packages(machine):
    fake_debian(machine)
    dev(machine, "demo")
    wanted = log(machine)
    assert "g++" in wanted
    for name in ("grpc", "protobuf", "clang", "gtest", "absl"):
        assert name not in wanted


def test_nothing_runs_when_everything_is_there(machine):
    fake(machine, "dpkg-query", "echo -n installed")
    fake(machine, "apt-get", "exit 0")
    dev(machine, "build")  # ends for want of presets: the packages are what matters here
    assert "dpkg-query" in log(machine)
    assert "apt-get" not in log(machine)


def test_no_install_asks_nothing(machine):
    fake_debian(machine)
    dev(machine, "build", TOMBOLO_NO_INSTALL="1")
    assert log(machine) == ""


def test_ci_runs_the_tests():
    text = (ROOT / ".ci" / "run").read_text()
    assert "exec ./dev test" in text
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert os.access(ROOT / "dev", os.X_OK)
