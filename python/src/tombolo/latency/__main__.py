"""``python -m tombolo.latency fit FILE``: coordinates plus access delays for a measured matrix."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from tombolo.latency._fitting import Array, Coordinates, fit, predict
from tombolo.latency._rtt_file import UNITS_MS, read_matrix

QUANTILES = (5, 25, 50, 75, 95)


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        measured = read_matrix(options.file, options.unit)
        coordinates = fit(measured, options.dimensions, options.seed, options.steps)
    except (OSError, ValueError) as error:
        print(f"tombolo.latency: {error}", file=sys.stderr)
        return 2
    report = quality(measured, coordinates)
    print("\n".join(report))
    if options.out:
        about = [
            f"Fitted by: python -m tombolo.latency fit {options.file.name} "
            f"--dimensions {options.dimensions} --seed {options.seed} --steps {options.steps}"
        ]
        about += [f"Source: {options.source}"] if options.source else []
        options.out.write_text(render(coordinates, about + report), encoding="utf-8")
    return 0


def quality(measured: Array, coordinates: Coordinates) -> list[str]:
    """Lines that say how well `coordinates` tell the measured pairs."""
    pairs = np.isfinite(measured) & ~np.eye(len(measured), dtype=bool)
    rtt, fitted = measured[pairs], predict(coordinates)[pairs]
    errors = np.percentile(np.abs(fitted - rtt) / rtt, QUANTILES)
    rows = [
        ("relative error", [f"{100 * e:.1f} %" for e in errors]),
        ("measured RTT, ms", [f"{v:.1f}" for v in np.percentile(rtt, QUANTILES)]),
        ("fitted RTT, ms", [f"{v:.1f}" for v in np.percentile(fitted, QUANTILES)]),
    ]
    lines = [f"{len(measured)} hosts, {pairs.sum()} ordered pairs measured"]
    lines.append(f"{'quantile':18}" + "".join(f"{q:>9} %" for q in QUANTILES))
    return lines + [f"{name:18}" + "".join(f"{v:>11}" for v in values) for name, values in rows]


def render(coordinates: Coordinates, about: list[str]) -> str:
    """The file that the simulator reads: a row per host, its coordinates, last its access delay."""
    lines = [f"# {line}" for line in about]
    axes = "\t".join(f"x{i + 1}" for i in range(coordinates.points.shape[1]))
    lines.append(f"# Columns, in ms of round-trip time: {axes}\taccess delay")
    for point, height in zip(coordinates.points, coordinates.heights, strict=True):
        lines.append("\t".join(f"{value:.2f}" for value in [*point, height]))
    return "\n".join(lines) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tombolo.latency", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("fit", help="fit coordinates plus access delays to a matrix")
    command.add_argument("file", type=Path, metavar="FILE", help="matrix or King rows of RTTs")
    command.add_argument("--out", type=Path, help="write the coordinates there (TSV)")
    command.add_argument("--dimensions", type=int, default=3, help="1 to 8 (default %(default)s)")
    command.add_argument("--unit", choices=UNITS_MS, default="ms", help="default %(default)s")
    command.add_argument("--seed", type=int, default=1, help="default %(default)s")
    command.add_argument("--steps", type=int, default=2000, help="default %(default)s")
    command.add_argument("--source", help="where FILE comes from, for the header of --out")
    return parser


if __name__ == "__main__":
    sys.exit(main())
