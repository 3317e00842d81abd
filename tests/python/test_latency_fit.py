"""The pure-Python part of ``tombolo.latency``: reading matrices, fitting coordinates, the command."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from tombolo.latency import fit, predict, read_matrix, read_text
from tombolo.latency.__main__ import main

DATA = Path(__file__).parents[2] / "python" / "src" / "tombolo" / "data"


def plane(hosts: int, seed: int = 3) -> np.ndarray:
    """Round-trip times that coordinates can tell exactly."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 150, (hosts, 2))
    access = rng.exponential(10, hosts)
    distances = np.sqrt(((points[:, None] - points[None, :]) ** 2).sum(axis=2))
    rtt = distances + access[:, None] + access[None, :]
    np.fill_diagonal(rtt, 0)
    return rtt


def relative_errors(measured: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    pairs = np.isfinite(measured) & ~np.eye(len(measured), dtype=bool)
    return np.abs(fitted - measured)[pairs] / measured[pairs]


def test_fit_recovers_a_plane_with_access_delays():
    rtt = plane(60)
    coordinates = fit(rtt, dimensions=2)
    assert coordinates.points.shape == (60, 2)
    assert (coordinates.heights >= 0).all()
    assert np.median(relative_errors(rtt, predict(coordinates))) < 0.01


def test_fit_predicts_pairs_that_were_not_measured():
    rtt = plane(60)
    holes = rtt.copy()
    hidden = np.random.default_rng(1).random(rtt.shape) < 0.1
    hidden |= hidden.T
    holes[hidden] = np.nan
    fitted = predict(fit(holes, dimensions=2))
    np.fill_diagonal(hidden, False)
    assert np.median(np.abs(fitted - rtt)[hidden] / rtt[hidden]) < 0.05


def test_fit_is_repeatable_and_depends_on_the_seed():
    rtt = plane(20)
    first, again, other = (fit(rtt, 2, seed, steps=50) for seed in (1, 1, 2))
    assert (first.points == again.points).all()
    assert (first.points != other.points).any()


@pytest.mark.parametrize("dimensions", [0, 9])
def test_fit_names_what_is_allowed(dimensions):
    with pytest.raises(ValueError, match=r"dimensions = .: allowed are 1 to 8"):
        fit(plane(5), dimensions)


def test_fit_needs_a_measurement():
    with pytest.raises(ValueError, match="rtt_ms: no pair is measured"):
        fit(np.full((3, 3), np.nan))


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("# c\n0\t10\t20\n10\t0\t30\n20\t30\t0\n", "ms"),
        ("0,.01,.02\n.01,0,.03\n.02,.03,0\n", "s"),
        ("node 1 a\n1,2 10\n1,3 20\n3,2 30\n", "ms"),
        ("1,2,10000\n1,3,20000\n2,3,30000\n", "us"),
    ],
)
def test_read_text_takes_both_formats_in_every_unit(text, unit):
    nan = np.nan
    expected = [[nan, 10, 20], [10, nan, 30], [20, 30, nan]]
    np.testing.assert_allclose(read_text(text, "m", unit), expected)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("0 1\n1 0 2\n", "m:2: 3 columns in a matrix of 2 rows, expected as many columns as rows"),
        ("0 1\nx 0\n", "m:2: 'x' is no number, expected a round-trip time"),
        ("0 1\nnan 0\n", "m:2: 'nan' is no number, expected a round-trip time"),
        ("0 1\n-1 0\n", "m:2: -1 is negative, allowed are 0 (not measured) and up"),
        ("0 2e6\n1 0\n", "m:1: the largest round-trip time is 2e+06 ms"),
        ("node\n0,1 5\n", "m:2: expected a row 'i,j rtt' with hosts from 1 to 5000"),
        ("1,5001,5\n", "m:1: expected a row 'i,j rtt' with hosts from 1 to 5000"),
        ("", "m:1: no numbers, expected a matrix of round-trip times"),
        ("7\n", "m:1: a single host, expected at least 2"),
    ],
)
def test_read_text_names_file_line_and_what_is_allowed(text, error):
    with pytest.raises(ValueError, match="^" + re.escape(error)):
        read_text(text, "m")


def test_read_text_refuses_unknown_units():
    with pytest.raises(ValueError, match="unit = 'min': allowed are ms, s, us"):
        read_text("0 1\n1 0\n", unit="min")


def test_command_prints_quantiles_and_writes_what_the_simulator_reads(tmp_path, capsys):
    matrix = tmp_path / "rtt.tsv"
    np.savetxt(matrix, plane(30), delimiter="\t")
    out = tmp_path / "points.tsv"
    arguments = ["fit", str(matrix), "--out", str(out), "--dimensions", "2", "--source", "a plane"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    for line in ("30 hosts, 870 ordered pairs", "relative error", "measured RTT", "fitted RTT"):
        assert line in printed
    text = out.read_text()
    assert "# Source: a plane" in text
    assert "python -m tombolo.latency fit rtt.tsv --dimensions 2 --seed 1" in text
    rows = np.loadtxt(out)
    assert rows.shape == (30, 3)
    assert (rows[:, -1] >= 0).all()


def test_command_reports_bad_input_on_stderr(tmp_path, capsys):
    bad = tmp_path / "bad.tsv"
    bad.write_text("0 1\n1 x\n")
    assert main(["fit", str(bad)]) == 2
    assert f"{bad}:2: 'x' is no number" in capsys.readouterr().err
    assert main(["fit", str(tmp_path / "none")]) == 2


def test_shipped_internet_points_tell_the_measured_matrix():
    folder = os.environ.get("TOMBOLO_DATA_DIR")
    if not folder:
        pytest.skip("set TOMBOLO_DATA_DIR to the folder of the measured matrices")
    from tombolo.latency import Coordinates

    measured = read_matrix(Path(folder) / "planetlab490_rtt_ms.tsv")
    rows = np.loadtxt(DATA / "internet.tsv")
    fitted = predict(Coordinates(rows[:, :-1], rows[:, -1]))
    assert np.median(relative_errors(measured, fitted)) < 0.08


def test_shipped_cloud_matrix_names_its_regions():
    text = (DATA / "cloud.tsv").read_text()
    regions = text.split("# Regions: ")[1].splitlines()[0].split(", ")
    measured = read_matrix(DATA / "cloud.tsv")
    assert measured.shape == (28, 28)
    assert len(regions) == 28
    assert np.isnan(np.diag(measured)).all()
    # Both directions were measured apart; they agree but for a few detours.
    ratio = measured / measured.T
    assert np.nanpercentile(ratio, 95) < 1.15
