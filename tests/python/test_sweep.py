"""Sweeps: tables, confidence intervals, errors."""

from __future__ import annotations

import numpy as np
import pytest
import tombolo
from tombolo.stats import mean_interval, t_quantile
from tombolo.sweeping import seed_of


def shifted(*, seed: int, shift: float = 0.0) -> dict[str, float | str]:
    return {"value": shift + (seed % 1000) / 1000, "note": "text"}


def failing(*, seed: int, x: int) -> dict[str, float]:
    raise ArithmeticError("no answer")


def test_rows_are_tidy_and_the_summary_has_intervals() -> None:
    result = tombolo.sweep(shifted, {"shift": [0.0, 10.0]}, seeds=4, workers=1)
    assert list(result.table.columns) == ["shift", "replicate", "seed", "value", "note"]
    assert result.table["replicate"].tolist() == [0, 1, 2, 3] * 2
    assert list(result.summary.columns) == [
        "shift", "replicates", "value_mean", "value_low", "value_high",
    ]  # fmt: skip
    values = result.table["value"][4:]
    row = result.summary.iloc[1]
    assert row["value_mean"] == pytest.approx(values.mean())
    assert row["value_high"] - row["value_mean"] == pytest.approx(3.1824 * values.std() / 2)
    assert row["value_mean"] - row["value_low"] == pytest.approx(3.1824 * values.std() / 2)


def test_a_spec_runs_the_standard_measurement() -> None:
    spec = {"peers": 60, "lookups": 10, "sends": 10, "latency": "cloud"}
    table = tombolo.sweep(spec, {"k": [4]}, seeds=1, workers=1).table
    assert table["lookup_success"][0] == 1
    assert table["send_delivered"][0] == 1
    assert table["lookup_hops"][0] >= 1


def test_models_are_parameters_too() -> None:
    models = [tombolo.latency.constant(5), tombolo.latency.matrix([[0, 8], [8, 0]])]
    result = tombolo.sweep({"peers": 30, "lookups": 5}, {"latency": models}, seeds=1, workers=1)
    assert result.table["latency"].tolist() == [repr(model) for model in models]
    assert repr(models[1]) == repr(tombolo.latency.matrix([[0, 8], [8, 0]]))
    assert repr(models[1]) != repr(tombolo.latency.matrix([[0, 9], [8, 0]]))


def test_seeds_follow_root_point_and_replicate() -> None:
    seed = seed_of(1, {"a": 1, "b": "x"}, 0)
    assert seed == 362702814980729995  # never changes: published results name it
    assert seed == seed_of(1, {"b": "x", "a": 1}, 0)
    others = [seed_of(2, {"a": 1, "b": "x"}, 0), seed_of(1, {"a": 2, "b": "x"}, 0)]
    others += [seed_of(1, {"a": 1, "b": "x"}, 1), seed_of(1, {"a": "1", "b": "x"}, 0)]
    assert len({seed, *others}) == 5
    assert 0 <= seed < 2**63


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_names_point_and_seed(workers: int) -> None:
    seed = seed_of(1, {"x": 3}, 0)
    with pytest.raises(RuntimeError, match=rf"seed={seed} .*'x': 3.*ArithmeticError: no answer"):
        tombolo.sweep(failing, {"x": [3, 4]}, seeds=1, workers=workers)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((3, {}), TypeError, "function: must be callable"),
        ((shifted, {"shift": 3}), TypeError, r"grid\['shift'\] = 3: must be a list"),
        ((shifted, {"shift": [1]}, 0), ValueError, "seeds = 0: allowed is 1 and up"),
        ((shifted, {"shift": [1]}, 1, 0), ValueError, "workers = 0: allowed is 1 and up"),
        ((shifted, {"shift": [1]}, 1.5), TypeError, "seeds = 1.5: must be an integer"),
    ],
)
def test_wrong_arguments(arguments: tuple, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        tombolo.sweep(*arguments)


def test_a_function_must_return_a_mapping() -> None:
    with pytest.raises(TypeError, match="returned int"):
        tombolo.sweep(lambda seed: 3, [{}], seeds=1, workers=1)


# Published tables of Student's t, 97.5 %.
@pytest.mark.parametrize(
    ("degrees", "value"),
    [(1, 12.706), (2, 4.303), (10, 2.228), (11, 2.201), (20, 2.086), (30, 2.042), (120, 1.980)],
)
def test_t_quantile(degrees: int, value: float) -> None:
    assert t_quantile(degrees) == pytest.approx(value, abs=6e-4)


def test_interval_of_little() -> None:
    assert np.isnan(mean_interval([])).all()
    mean, low, high = mean_interval([4.0, np.nan])
    assert mean == 4
    assert np.isnan([low, high]).all()
    with pytest.raises(ValueError, match="degrees = 0"):
        t_quantile(0)
