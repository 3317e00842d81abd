"""Makes the Python package importable from the tree: `tombolo.cluster` needs no compiled module."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python" / "src"))
