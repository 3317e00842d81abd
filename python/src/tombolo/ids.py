"""Ids and keys: 160 bits, written as 40 hexadecimal digits.

Where a function takes a peer or a key, an ``int`` is the number of a peer in its world, a string of 40
hexadecimal digits or 20 ``bytes`` an id. Keys may also be names: any other string stands for its SHA-1.
"""

from __future__ import annotations

import hashlib
import operator
import re

Id = int | str | bytes

_HEX = re.compile(r"[0-9a-fA-F]{40}")


def key(name: str | bytes) -> str:
    """The key of a name: its SHA-1 (of the UTF-8 bytes), as 40 hexadecimal digits."""
    data = name.encode() if isinstance(name, str) else bytes(name)
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def is_id(text: object) -> bool:
    return isinstance(text, str) and _HEX.fullmatch(text) is not None


def to_bytes(value: str | bytes, argument: str, names_allowed: bool = False) -> bytes:
    """The 20 bytes of an id. Raises ValueError or TypeError that name `argument`."""
    allowed = "40 hexadecimal digits or 20 bytes" + (", or a name" if names_allowed else "")
    if isinstance(value, bytes):
        if len(value) == 20:
            return value
        raise ValueError(f"{argument}: {len(value)} bytes, allowed are {allowed}")
    if not isinstance(value, str):
        raise TypeError(f"{argument}: {type(value).__name__}, allowed are a peer number, {allowed}")
    if is_id(value):
        return bytes.fromhex(value)
    if names_allowed:
        return bytes.fromhex(key(value))
    raise ValueError(f"{argument} = {value!r}: allowed are {allowed}")


def as_index(value: object) -> int | None:
    """The number of a peer (any integer type, no bool), or None if `value` is something else."""
    if isinstance(value, (bool, str, bytes)) or not hasattr(value, "__index__"):
        return None
    return operator.index(value)
