"""``python -m tombolo.demo``: a whole overlay at work in a few seconds.

Builds a world on measured internet latencies, lets peers come and go, looks up, relays, stores and
fetches for some simulated minutes, prints a summary, and draws it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tombolo import churn, latency, theory
from tombolo.metrics import Metrics
from tombolo.table import Table
from tombolo.world import DEFAULT_SEED, World

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOAD_PER_S = {"lookup": 20.0, "send": 100.0, "put": 2.0, "get": 10.0}
KEYS = 100  # of puts and gets
FILL_S, FILL_PER_S = 30.0, 20.0  # puts that fill the store before the gets begin
SAMPLES = 5000  # lookups and relays measured one by one at the end
SERIES_S = 5.0
BLUE, ORANGE, GREY = "#2563a8", "#d9772b", "#8a8f98"


@dataclass(frozen=True)
class Outcome:
    world: World
    title: str
    load: Metrics  # of the run under load
    series: Table
    lookups: Table
    sends: Table
    seconds: dict[str, float]  # wall clock by phase


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        outcome = simulate(options)
    except ValueError as error:
        print(f"tombolo.demo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print("\n".join(summary(outcome)))
    try:
        path = draw(outcome, options.out)
    except ImportError as error:
        print(f"\nno plot: {error}")
        return 0
    print(f"\nplot      {path}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tombolo.demo", description=__doc__)
    parser.add_argument("--peers", type=int, default=10_000, help="default %(default)s")
    parser.add_argument(
        "--seconds", type=float, default=180, help="simulated (default %(default)s)"
    )
    parser.add_argument(
        "--latency", type=Path, metavar="FILE", help="a matrix of round-trip times in ms"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("tombolo-demo"), metavar="DIR", help="for the plot"
    )
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="default %(default)s")
    return parser


def simulate(options: argparse.Namespace) -> Outcome:
    seconds: dict[str, float] = {}
    with _timed(seconds, "build"):
        world = World(
            options.peers,
            latency=latency.matrix(options.latency) if options.latency else latency.internet(),
            churn=churn.weibull(mean_s=10_000, shape=0.5),
            seed=options.seed,
            series_s=SERIES_S,
            progress=sys.stderr.isatty() and _has_tqdm(),
        )
    where = options.latency.name if options.latency else "internet (490 PlanetLab hosts)"
    title = f"{options.peers:,} peers, latencies: {where}, seed {options.seed}"
    with _timed(seconds, "run"):
        world.workload("put", FILL_PER_S, keys=KEYS, duration_s=FILL_S)
        for kind, rate in LOAD_PER_S.items():
            start = FILL_S + 5 if kind == "get" else 0.0
            world.workload(kind, rate, keys=KEYS, start_s=start)
        world.run(options.seconds)
    load, series = world.metrics(), world.series()
    with _timed(seconds, "samples"):
        lookups = world.lookups(SAMPLES)
        sends = world.sends(SAMPLES)
    return Outcome(world, title, load, series, lookups, sends, seconds)


def _has_tqdm() -> bool:
    try:
        import tqdm  # noqa: F401
    except ImportError:
        return False
    return True


@contextmanager
def _timed(seconds: dict[str, float], phase: str) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    seconds[phase] = time.perf_counter() - begin


def summary(outcome: Outcome) -> list[str]:
    """Lines for people."""
    world, load, series = outcome.world, outcome.load, outcome.series
    peers, k = world.options["peers"], world.options["kademlia.k"]
    lookups, sends = outcome.lookups, outcome.sends
    ended = sends["reason"] != "void"  # neither end died meanwhile
    simulated = float(series["time_s"][-1]) if series.rows else 0.0
    counters = load.counters
    per_peer = counters["messages"] / max(world.live_count, 1) / max(simulated, 1)
    wall = outcome.seconds["run"]
    return [
        outcome.title,
        "",
        f"run       {simulated:.0f} s simulated under load and churn: {counters['joins']} joined, "
        f"{counters['crashes']} crashed, {world.live_count:,} up",
        f"          lookups {load.success('lookup'):.2%}, relays {load.success('send'):.2%}, "
        f"gets {load.success('get'):.2%} successful",
        f"lookups   {lookups['hops'].mean():.2f} hops (theory {theory.kademlia_hops(peers, k):.2f}), "
        f"{_times(lookups['latency_ms'])}, closest live peer found {lookups['closest_ok'].mean():.2%}",
        f"relays    {sends['hops'][sends['delivered']].mean():.2f} hops, "
        f"{_times(sends['latency_ms'][sends['delivered']])} with receipt, "
        f"delivered {sends['delivered'][ended].mean():.2%}",
        f"load      {per_peer:.2f} messages per peer and second, busiest peer "
        f"{load.received.max() / max(simulated, 1):.1f} per second",
        f"speed     built in {outcome.seconds['build']:.2f} s; {counters['events'] / wall:,.0f} events/s, "
        f"{simulated / wall:,.0f} times faster than real time",
        f"again     same seed, same bits: trace hash {world.trace_hash}",
    ]


def _times(ms: np.ndarray) -> str:
    p50, p95, p99 = np.quantile(ms, (0.5, 0.95, 0.99))
    return f"{p50:.0f} / {p95:.0f} / {p99:.0f} ms (p50 / p95 / p99)"


def draw(outcome: Outcome, folder: Path) -> Path:
    """Writes demo.png into `folder`. Raises ImportError without matplotlib."""
    from tombolo.optional import require

    require("matplotlib", "plot").use("Agg")
    from matplotlib import pyplot

    with pyplot.rc_context({"axes.spines.top": False, "axes.spines.right": False, "font.size": 10}):
        figure, axes = pyplot.subplots(1, 3, figsize=(14, 4.2), layout="constrained")
        _draw_hops(axes[0], outcome)
        _draw_latency(axes[1], outcome)
        _draw_delivery(axes[2], outcome)
        figure.suptitle(outcome.title, fontsize=12, fontweight="bold")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "demo.png"
        figure.savefig(path, dpi=150)
        pyplot.close(figure)
    return path


def _draw_hops(axes: Axes, outcome: Outcome) -> None:
    options = outcome.world.options
    lookups = outcome.lookups["hops"]
    sends = outcome.sends["hops"][outcome.sends["delivered"]]
    highest = int(max(lookups.max(), sends.max()))
    for hops, shift, color, name in (
        (lookups, -0.2, BLUE, "lookup"),
        (sends, 0.2, ORANGE, "relay"),
    ):
        shares = np.bincount(hops, minlength=highest + 1) / len(hops)
        label = f"{name}, mean {hops.mean():.2f}"
        axes.bar(np.arange(highest + 1) + shift, shares, 0.4, color=color, label=label)
    expected = theory.kademlia_hops(options["peers"], options["kademlia.k"])
    axes.axvline(
        expected, color=BLUE, linestyle="--", linewidth=1, label=f"lookup, theory {expected:.2f}"
    )
    axes.set(xlabel="hops", ylabel="share", title="Hops", xticks=range(highest + 1))
    axes.legend(frameon=False)


def _draw_latency(axes: Axes, outcome: Outcome) -> None:
    delivered = outcome.sends["delivered"]
    for ms, color, name in (
        (outcome.lookups["latency_ms"], BLUE, "lookup (k closest answered)"),
        (outcome.sends["latency_ms"][delivered], ORANGE, "relay and receipt"),
    ):
        ordered = np.sort(ms)
        axes.plot(ordered, np.arange(1, len(ordered) + 1) / len(ordered), color=color, label=name)
    for share in (0.5, 0.95):
        axes.axhline(share, color=GREY, linewidth=0.6, linestyle=":")
    axes.set(xlabel="ms, simulated", ylabel="share done", title="Latency", ylim=(0, 1.01))
    axes.set_xlim(left=0, right=float(np.quantile(outcome.lookups["latency_ms"], 0.999)) * 1.05)
    axes.legend(frameon=False, loc="lower right")


def _draw_delivery(axes: Axes, outcome: Outcome) -> None:
    series = outcome.series
    for kind, color, name, style in (
        ("lookup", BLUE, "lookups", "-"),
        ("send", ORANGE, "relays", "--"),
    ):
        succeeded, failed = series[f"{kind}_succeeded"], series[f"{kind}_failed"]
        ended = succeeded + failed
        share = np.divide(succeeded, ended, out=np.full(len(ended), np.nan), where=ended > 0)
        axes.plot(series["time_s"], share * 100, style, color=color, label=f"{name} successful")
    axes.set(xlabel="s, simulated", ylabel="%", title="Success under churn", ylim=(95, 100.2))
    turnover = axes.twinx()
    turnover.spines["right"].set_visible(True)
    changes = (series["crashes"] + series["leaves"]) / SERIES_S
    turnover.fill_between(
        series["time_s"], changes, color=GREY, alpha=0.25, linewidth=0, step="mid"
    )
    turnover.set_ylabel("peers lost per second", color=GREY)
    turnover.set_ylim(0, max(float(changes.max()), 1) * 4)
    turnover.tick_params(colors=GREY)
    axes.legend(frameon=False, loc="center right")


if __name__ == "__main__":
    sys.exit(main())
