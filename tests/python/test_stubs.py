"""The committed stubs are those of the module."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "python" / "src" / "tombolo"


def test_stubs_are_up_to_date(tmp_path: Path) -> None:
    pytest.importorskip("pybind11_stubgen")
    command = [sys.executable, "-m", "pybind11_stubgen", "tombolo._core"]
    command += ["--numpy-array-use-type-var", "-o", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    generated = (tmp_path / "tombolo" / "_core.pyi").read_text()
    committed = (PACKAGE / "_core.pyi").read_text()
    assert ast.dump(ast.parse(generated)) == ast.dump(ast.parse(committed)), "see python/README.md"


def test_the_package_says_that_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()
