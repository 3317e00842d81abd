"""Progress bars in terminals and notebooks (tqdm)."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from tombolo.optional import require


class Silent:
    """A bar that shows nothing."""

    n = 0.0

    def update(self, amount: float) -> None:
        pass


def bar(enabled: bool, total: float, unit: str) -> AbstractContextManager[Any]:
    """A tqdm bar, or a silent one. Raises ImportError if asked for without tqdm."""
    if not enabled:
        return nullcontext(Silent())
    tqdm = require("tqdm.auto", "progress").tqdm
    form = "{percentage:3.0f}% |{bar}| {n:.4g}/{total:.4g} {unit} [{elapsed}<{remaining}]"
    return tqdm(total=total, unit=unit, bar_format=form)
