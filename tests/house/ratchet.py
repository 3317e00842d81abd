"""Limits on the length of files and functions, with a list of exceptions that only shrinks.

ratchet.json holds today's exceptions and their length. An entry that grew, that is no longer needed or
that could be lower is a violation; so is everything long that has no entry. `python tests/house/rules.py
--shrink` lowers and removes entries. New code gets no new entry: split it.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

from cpp_text import Reader

FILE_LINES = 400
FILE_LINES_OF = {
    "overlay/peer.cc": 300
}  # the class named after the whole protocol is the one that grows
FUNCTION_LINES = 60
FOLDERS = ("node", "overlay", "sim", "python", "tests", "cmake")


def _ratchet_file(root: Path) -> Path:
    return root / "tests" / "house" / "ratchet.json"


def _exceptions(root: Path) -> dict[str, int]:
    path = _ratchet_file(root)
    return json.loads(path.read_text()) if path.exists() else {}


def _functions(path: Path) -> Iterator[tuple[str, int, int]]:
    """Yields name, line and length of the functions of a C++ or Python file."""
    text = path.read_text()
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node.name, node.lineno, node.end_lineno - node.lineno + 1
    else:
        for function in Reader(text).functions:
            yield function.name, function.line, function.length


def _too_long(root: Path) -> dict[str, tuple[int, int, int]]:
    """Maps `file` or `file:function` to (line, length, limit) of everything above its limit."""
    found: dict[str, tuple[int, int, int]] = {}
    paths = (path for folder in FOLDERS for path in (root / folder).rglob("*"))
    for path in sorted(path for path in paths if path.suffix in (".h", ".cc", ".py", ".cmake")):
        name = path.relative_to(root).as_posix()
        lines, limit = len(path.read_text().splitlines()), FILE_LINES_OF.get(name, FILE_LINES)
        if lines > limit:
            found[name] = (1, lines, limit)
        if path.suffix == ".cmake":
            continue
        for function, line, length in _functions(path):
            key = f"{name}:{function}"
            if length > max(FUNCTION_LINES, found.get(key, (0, 0, 0))[1]):
                found[key] = (line, length, FUNCTION_LINES)
    return found


def check_lengths(root: Path) -> Iterator[str]:
    exceptions, long = _exceptions(root), _too_long(root)
    for key, (line, length, limit) in long.items():
        granted = exceptions.get(key, 0)
        what = f"function {key.split(':')[1]}" if ":" in key else "file"
        where = f"{key.split(':')[0]}:{line}"
        if length > max(granted, limit):
            yield f"{where}: {what} has {length} lines, limit {granted or limit}: split it"
        elif length < granted:
            yield f"{where}: {what} shrank to {length} lines: run tests/house/rules.py --shrink"
    for key in exceptions.keys() - long.keys():
        yield f"tests/house/ratchet.json:1: '{key}' needs no exception any more: run tests/house/rules.py --shrink"


def shrink(root: Path) -> None:
    """Lowers every exception to the present length and removes those not needed."""
    long = _too_long(root)
    kept = {
        key: min(granted, long[key][1]) for key, granted in _exceptions(root).items() if key in long
    }
    _ratchet_file(root).write_text(json.dumps(dict(sorted(kept.items())), indent=2) + "\n")
