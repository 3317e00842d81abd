"""Results as columns of equal length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tombolo.optional import require

if TYPE_CHECKING:
    import pandas


class Table(Mapping[str, NDArray[Any]]):
    """Named numpy columns, one row per thing; ``table["hops"]`` is a column, of shape (rows,).

    The arrays are the table's own buffers, not copies. Names carry units: ``_s``, ``_ms``.
    """

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self._columns = dict(columns)
        if len({len(column) for column in self._columns.values()}) > 1:
            raise ValueError("columns: all must have the same length")

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        """The number of columns, as of every mapping; `rows` counts rows."""
        return len(self._columns)

    @property
    def rows(self) -> int:
        return len(next(iter(self._columns.values()))) if self._columns else 0

    def to_pandas(self) -> pandas.DataFrame:
        """A pandas DataFrame with the same columns. Raises ImportError without pandas."""
        return require("pandas", "pandas").DataFrame(self._columns)

    def to_numpy(self) -> NDArray[np.void]:
        """A structured array of shape (rows,), one field per column (copied)."""
        types = [(name, column.dtype) for name, column in self._columns.items()]
        array = np.empty(self.rows, dtype=types)
        for name, column in self._columns.items():
            array[name] = column
        return array

    def __repr__(self) -> str:
        return f"<tombolo.Table: {self.rows} rows of {', '.join(self)}>"

    def _repr_html_(self) -> str:
        try:
            return self.to_pandas()._repr_html_()
        except ImportError:
            return f"<pre>{self!r}</pre>".replace("<tombolo", "&lt;tombolo")
