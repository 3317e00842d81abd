"""Makes the Python package importable from the tree, unless a built one is in the path already.

`tombolo.cluster` needs no compiled module; what compares real nodes with simulated ones does.
"""

import importlib.util
import sys
from pathlib import Path

if importlib.util.find_spec("tombolo") is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python" / "src"))
