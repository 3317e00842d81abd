"""Same seed, same bits: every scenario of tests/scenarios gives one result in all builds.

Compares the release build with itself, with the debug build and with clang's. `./dev test determinism`
makes the three builds first.
"""

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = sorted((ROOT / "tests" / "scenarios").glob("*.toml"))
# What a run computed, as opposed to how long it took.
FIELDS = ("trace_hash", "events", "messages", "messages_by_kind", "bytes", "simulated_seconds")


def run(preset: str, scenario: Path, folder: Path, *arguments: str) -> dict:
    program = ROOT / "build" / preset / "sim" / "tombolo-sim"
    report = folder / "report.json"
    command = [program, "run", scenario, "--quiet", "--report", report, *arguments]
    subprocess.run(command, cwd=ROOT, check=True, timeout=600)
    result = json.loads(report.read_text())
    return {field: result[field] for field in FIELDS}


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("expected")
    return {scenario: run("release", scenario, folder) for scenario in SCENARIOS}


def test_there_are_scenarios():
    assert SCENARIOS, "tests/scenarios is empty"


@pytest.mark.parametrize("preset", ["release", "debug", "clang-release"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_every_build_agrees(preset, scenario, expected, tmp_path):
    assert run(preset, scenario, tmp_path) == expected[scenario]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_another_seed_gives_another_run(scenario, expected, tmp_path):
    other = run("release", scenario, tmp_path, "--seed", "987654321")
    assert other["trace_hash"] != expected[scenario]["trace_hash"]
