"""What numbers given to the verbs of `World` may be; errors name the argument."""

from __future__ import annotations


def check_number(value: object, argument: str) -> None:
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise TypeError(f"{argument} = {value!r}: must be a number")


def check_seconds(value: float, argument: str) -> None:
    """A span of simulated time."""
    check_number(value, argument)
    if not 0 <= value <= 1e9:
        raise ValueError(f"{argument} = {value!r}: allowed is 0 to 1e9")
