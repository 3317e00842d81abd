"""Every notebook runs from top to bottom, at small size, in a fresh kernel.

TOMBOLO_NOTEBOOK_SCALE in the environment scales the sizes of a notebook. What a cell asserts is checked;
pictures are not compared.
"""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
FOUND = sorted(NOTEBOOKS.glob("*.ipynb"))


def test_there_are_notebooks():
    assert FOUND, "notebooks/ is empty"


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_notebook_runs(path, monkeypatch):
    monkeypatch.setenv("TOMBOLO_NOTEBOOK_SCALE", "0.05")
    monkeypatch.setenv("MPLBACKEND", "agg")
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(NOTEBOOKS)}},
    )
    client.execute()
    ran = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    assert ran, "no code"
    assert all(cell.execution_count for cell in ran)
