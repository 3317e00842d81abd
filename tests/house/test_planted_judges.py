"""What counts as a find of the swarm: a failed check, a failed assertion, a crash, a run without end.
A swarm that ends for another reason has found nothing."""

import importlib.util
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PATH = Path(__file__).parents[1] / "planted" / "run.py"
SPEC = importlib.util.spec_from_file_location("planted_run", PATH)
planted = importlib.util.module_from_spec(SPEC)
sys.modules["planted_run"] = planted  # its dataclasses look for their module
SPEC.loader.exec_module(planted)

MISTAKE = planted.Mistake("a-mistake", "", 7, None, "overlay/ring.cc")
REPORT = json.dumps({"seeds_done": 3, "failures": [{"invariant": "I1 one ring"}]})
ASSERTED = "x.cc:1: f: Assertion `a' failed.\ntombolo-sim: aborted at seed 4; replay: ...\n"


def judge(status: int, stdout: str = "", stderr: str = ""):
    return planted.judge(MISTAKE, subprocess.CompletedProcess([], status, stdout, stderr))


@pytest.mark.parametrize(
    ("status", "stdout", "stderr", "seeds", "invariant"),
    [
        (1, REPORT, "", 3, "I1 one ring"),
        (1, "", ASSERTED, 4, "Assertion `a' failed"),
        (-signal.SIGSEGV, "", "", 0, "it crashed"),
        (-signal.SIGXCPU, "", "", 7, "it never ends"),
    ],
)
def test_finds(status, stdout, stderr, seeds, invariant):
    assert judge(status, stdout, stderr) == planted.Found(MISTAKE, "", seeds, invariant)


@pytest.mark.parametrize(
    ("status", "stderr", "wrong"),
    [
        (0, "", "not found within 7 seeds"),
        (2, "tombolo-sim: unknown: --brief\n", "ended with status 2: tombolo-sim: unknown"),
        (127, "", "ended with status 127: no word"),
        (1, "tombolo-sim: out of memory\n", "ended with status 1: tombolo-sim: out of memory"),
        (-signal.SIGKILL, "", "ended with status -9: no word"),
    ],
)
def test_no_finds(status, stderr, wrong):
    assert wrong in judge(status, stderr=stderr).wrong
