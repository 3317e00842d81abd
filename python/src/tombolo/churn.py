"""How long peers stay: churn models for `World`.

Sessions are set by their mean, so that the population stays as it began: newcomers arrive at the rate
peers / mean. A world starts in the middle of things: the peers of the beginning draw what is left of
sessions under way. All take ``graceful_share``, the share (0..1) of sessions that end with goodbyes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Churn:
    """A model and its parameters; made by the functions of this module, checked by `World`."""

    values: tuple[tuple[str, Any], ...]

    def settings(self) -> dict[str, Any]:
        """The keys of section [churn]."""
        return dict(self.values)


def _churn(**values: Any) -> Churn:
    return Churn(tuple(values.items()))


def exponential(mean_s: float, graceful_share: float = 0.0) -> Churn:
    """Memoryless sessions."""
    return _churn(model="exponential", mean_s=mean_s, graceful_share=graceful_share)


def weibull(mean_s: float = 10_000.0, shape: float = 0.5, graceful_share: float = 0.0) -> Churn:
    """Weibull sessions; shape below 1: many short, few long. The defaults are KAD's (see preset "kad")."""
    return _churn(model="weibull", mean_s=mean_s, shape=shape, graceful_share=graceful_share)


def pareto(mean_s: float, shape: float = 1.5, graceful_share: float = 0.0) -> Churn:
    """Pareto sessions; shape above 1."""
    return _churn(model="pareto", mean_s=mean_s, shape=shape, graceful_share=graceful_share)


def lognormal(mean_s: float, sigma: float = 1.5, graceful_share: float = 0.0) -> Churn:
    """Lognormal sessions; `sigma` is the standard deviation of the logarithm."""
    return _churn(model="lognormal", mean_s=mean_s, sigma=sigma, graceful_share=graceful_share)


def preset(name: str, graceful_share: float = 0.0) -> Churn:
    """A published measurement: bittorrent-redhat, -debian, -flatout, -dht, kad, ipfs-2022.

    Sources: Stutzbach and Rejaie (IMC 2006), Andelfinger's BitTorrent DHT scenario, Steiner et al. (IMC
    2007) as used by Heep, Trautwein et al. (SIGCOMM 2022); `World` refuses other names.
    """
    return _churn(preset=name, graceful_share=graceful_share)


def as_model(value: object) -> Churn:
    """A model as it is, a string as the name of a preset."""
    if isinstance(value, Churn):
        return value
    if isinstance(value, str):
        return preset(value)
    raise TypeError(
        f"churn: {type(value).__name__}, must be a model of tombolo.churn or the name of a preset"
    )
