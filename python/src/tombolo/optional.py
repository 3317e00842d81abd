"""Packages that only some features need."""

from __future__ import annotations

import importlib
from types import ModuleType


def require(module: str, extra: str) -> ModuleType:
    """Imports `module`, or says which extra of the package brings it.

    Names a clone, since the package of this name in the public index is another one.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.split(".")[0]
        raise ImportError(
            f"this needs {package}, which is not installed: pip install './python[{extra}]' "
            "in a clone of the repository"
        ) from error
