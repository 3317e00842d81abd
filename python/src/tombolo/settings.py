"""Arguments of `World` as the flat keys of the compiled core: ``section.key``, as in scenario files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tombolo import churn as churn_models
from tombolo import latency as latency_models


def flatten(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a world. Raises TypeError or ValueError that name the argument."""
    given = {name: value for name, value in arguments.items() if value is not None}
    settings: dict[str, Any] = {}
    if "latency" in given:
        settings |= _section("latency", latency_models.as_model(given.pop("latency")).settings())
    if "churn" in given:
        settings |= _section("churn", churn_models.as_model(given.pop("churn")).settings())
    for name in ("faults", "heal"):
        if name in given:
            settings |= _section(name, _mapping(name, given.pop(name)))
    for name in ("k", "alpha"):
        if name in given:
            settings[f"kademlia.{name}"] = given.pop(name)
    settings |= _config(given.pop("config", {}))
    return given | settings


def _section(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{name}.{key}": value for key, value in values.items()}


def _mapping(argument: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{argument}: {type(value).__name__}, must be a dict of settings")
    return value


def _config(config: object) -> dict[str, Any]:
    """``{"kademlia": {"k": 8}}`` and ``{"kademlia.k": 8}`` say the same."""
    settings: dict[str, Any] = {}
    for name, value in _mapping("config", config).items():
        settings |= _section(name, value) if isinstance(value, Mapping) else {name: value}
    return settings
