"""``python -m tombolo.demo`` at small size."""

from __future__ import annotations

from pathlib import Path

import pytest
from tombolo.demo import main


def test_the_demo_prints_a_summary_and_draws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--peers", "200", "--seconds", "60", "--out", str(tmp_path / "out")]) == 0
    text = capsys.readouterr().out
    for part in ("200 peers", "seed 1", "lookups", "theory", "relays", "delivered", "trace hash"):
        assert part in text
    picture = tmp_path / "out" / "demo.png"
    assert str(picture) in text
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_demo_takes_a_real_matrix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rtt = tmp_path / "rtt.tsv"
    rtt.write_text("0 20 30\n20 0 40\n30 40 0\n")
    arguments = ["--peers", "50", "--seconds", "45", "--latency", str(rtt), "--out", str(tmp_path)]
    assert main(arguments) == 0
    assert "rtt.tsv" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--peers", "0"], "peers = 0 is out of range"),
        (["--peers", "9", "--latency", "no-such-file"], "no-such-file"),
        (["--peers", "9", "--seconds", "-1"], "seconds = -1"),
    ],
)
def test_the_demo_names_bad_input(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert text in capsys.readouterr().err
