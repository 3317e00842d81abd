"""tests/bars/node_bars.py judges what the benches say; here they say what the test wants."""

import os
import subprocess
import sys

import pytest
from cluster import ROOT


def judge(folder, *names: str, **benches: str) -> subprocess.CompletedProcess:
    """Of programs that print these texts; all others are missing."""
    (folder / "tests").mkdir()
    for name, text in benches.items():
        (folder / "tests" / name).write_text(f"#!/bin/sh\necho '{text}'\n")
        (folder / "tests" / name).chmod(0o755)
    environment = {**os.environ, "TOMBOLO_PROGRAMS": str(folder / "node")}
    command = [sys.executable, ROOT / "tests" / "bars" / "node_bars.py", "--short", *names]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)


def relayed(share: float) -> str:
    return f"relayed, fire and forget       34014 /s  {share:5.1f} % of bare echoes"


@pytest.mark.parametrize(("share", "verdict", "status"), [(60.0, "met", 0), (59.9, "MISSED", 1)])
def test_figure_beside_its_bar_is_the_verdict(tmp_path, share, verdict, status):
    done = judge(tmp_path, "relay", relay_bench=relayed(share))
    assert done.returncode == status, done.stderr
    row = f"| relay | relayed messages/s of 64 B, % of bare gRPC echoes | {share:g} | at least 60 |"
    assert f"{row} {verdict} |" in done.stdout


def test_what_cannot_be_measured_is_said(tmp_path):
    done = judge(tmp_path)
    assert done.returncode == 3, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.endswith(" not measured |")]
    assert [row.split(" | ")[0].strip("| ") for row in rows] == [
        "gateway", "relay", "channel", "clients", "idle"]  # fmt: skip
    assert all("is not built" in row for row in rows)


def test_missed_bar_counts_more_than_one_that_was_not_measured(tmp_path):
    done = judge(tmp_path, "channel", channel_bench="channel over a link 10.0 MB/s 12.5 % of it")
    assert done.returncode == 1
    assert " | 12.5 | at least 60 | MISSED |" in done.stdout
    assert "tombolo-node is not built" in done.stdout


def test_bench_that_says_nothing_usable_is_no_success(tmp_path):
    done = judge(tmp_path, "relay", relay_bench="nothing")
    assert done.returncode == 1
    assert "| MISSED |" in done.stdout


def test_unknown_bar_is_bad_usage(tmp_path):
    done = judge(tmp_path, "relays")
    assert done.returncode == 2
    assert "allowed are gateway, relay, channel, clients, idle" in done.stderr
