"""Rules about every text of the repository: code, documents, scripts and notebooks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

SKIPPED_FOLDERS = {"build", "site", "__pycache__", "node_modules"}  # and hidden ones, but for:
KEPT_FOLDERS = {".ci", ".github"}
SUFFIXES = {
    "", ".cc", ".h", ".py", ".pyi", ".md", ".toml", ".json", ".txt", ".cmake", ".in", ".yml", ".yaml", ".ipynb", ".sh",
}  # fmt: skip

_HOSTS = (
    "pypi.org", "pythonhosted.org", "npmjs.org", "npmjs.com", "deb.debian.org", "crates.io", "docker.io", "ghcr.io",
    "anaconda.org", "conda.anaconda.org", "proxy.golang.org",
)  # fmt: skip

_EVERYWHERE = (
    ("open task marker", r"\b(?:TODO|FIXME|XXX)\b", "finish it, or file an issue"),
    (
        "path of one machine",
        r"(?<![\w.$}/])/(?:home|root|work|Users|mnt|srv)/\w|\b[A-Z]:\\\\?Users\b",
        "a path relative to the repository, or an argument",
    ),
    (
        "registry host",
        r"(?<![\w-])(?:" + "|".join(re.escape(host) for host in _HOSTS) + r")\b",
        "the package's name; the client knows where to look",
    ),
)
_IN_PYTHON_TESTS = (("sleep", r"\bsleep\s*\(", "simulated time, or polling with a deadline"),)


def _is_skipped(folder: str) -> bool:
    return folder in SKIPPED_FOLDERS or (folder.startswith(".") and folder not in KEPT_FOLDERS)


def text_files(root: Path) -> list[Path]:
    """Every text file of the tree, sorted; files without suffix count if they hold text."""
    found = []
    for path in sorted(root.rglob("*")):
        folders = path.relative_to(root).parts[:-1]
        if any(map(_is_skipped, folders)) or not path.is_file() or path.suffix not in SUFFIXES:
            continue
        if b"\0" not in path.read_bytes()[:1024]:
            found.append(path)
    return found


def _matches(name: str, text: str, rules: tuple[tuple[str, str, str], ...]) -> Iterator[str]:
    for what, pattern, use in rules:
        for match in re.finditer(pattern, text):
            yield f"{name}:{text.count(chr(10), 0, match.start()) + 1}: banned {what}: use {use}"


def _check_notebook(name: str, text: str) -> Iterator[str]:
    for number, cell in enumerate(json.loads(text)["cells"], start=1):
        if cell.get("outputs") or cell.get("execution_count") is not None:
            yield f"{name}:1: cell {number} has stored output: strip it (outputs come from running)"


def check_texts(root: Path) -> Iterator[str]:
    for path in text_files(root):
        name, text = path.relative_to(root).as_posix(), path.read_text(errors="replace")
        if path.suffix == ".ipynb":
            yield from _check_notebook(name, text)
        if name.startswith("tests/house/"):
            continue  # these files name what they ban
        yield from _matches(name, text, _EVERYWHERE)
        if name.startswith("tests/") and path.suffix == ".py":
            yield from _matches(name, text, _IN_PYTHON_TESTS)
