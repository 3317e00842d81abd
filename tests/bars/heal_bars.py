"""The bars of island healing: runs `tombolo-sim bench heal` over many seeds and judges every row.

    python3 tests/bars/heal_bars.py [--row NAME ...] [--seeds N] [--first S] [--jobs J] [--build DIR]

Each row is one experiment and its bars; `--list` shows them. Seeds are `--first` to `--first` + N - 1,
5 by default; the stated bars are for 200 (1,000 for `mixed`), and expensive rows stop at fewer, which
the table says. Times are in mean one-way delays of the simulated network unless they carry a unit;
counts are exact. A run that never gets there counts as infinite. The table, in Markdown, comes row by
row, with one line for each seed that did not heal, to be repeated as it stands.

At most two runs at a time, so that CPU times mean something; nothing is built. Needs only Python and
a finished build (build/release by default).
Exit status: 0 every bar is met, 1 one is not, 2 bad usage or no program.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from heal_checks import Report, Reports, Row
from heal_rows import all_rows

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = "sim/tombolo-sim"
MOST_JOBS = 2


@dataclass
class Tally:
    """What the runs of a row have come to."""

    reports: dict[str, Reports] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def run_one(program: Path, arguments: list[str]) -> tuple[Report, str]:
    """The report, and the command if the run says that it fell short."""
    done = subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True)
    command = f"tombolo-sim {shlex.join(arguments)}"
    if done.returncode not in (0, 1) or not done.stdout:
        sys.exit(f"heal_bars.py: {command}: exit status {done.returncode}\n{done.stderr}")
    short = f"{command}  # {done.stderr.strip()}" if done.returncode == 1 else ""
    return json.loads(done.stdout), short


def measure(row: Row, program: Path, seeds: Sequence[int], jobs: int) -> Tally:
    work = [(name, make(seed)) for seed in seeds for name, make in row.variants.items()]
    tally = Tally({name: [] for name in row.variants})
    with ThreadPoolExecutor(jobs) as pool:
        results = pool.map(lambda item: run_one(program, item[1]), work)
        for (name, _), (report, short) in zip(work, results, strict=True):
            tally.reports[name].append(report)
            if short:
                tally.failures.append(short)
    return tally


def tell(row: Row, tally: Tally, seeds: int) -> bool:
    """Prints the rows of the table; true if all bars are met."""
    good = True
    for check in row.checks:
        value = check.measured(tally.reports)
        verdict = "-"
        if check.good is not None:
            met = check.good(value)
            good = good and met
            verdict = "met" if met else "MISSED"
        print(
            f"| {row.name} | {row.what} | {seeds} | {check.what} | {check.bar} | {value:.4g} | {verdict} |"
        )
    for failure in tally.failures:
        print(f"|  | `{failure}` |  |  |  |  |  |")
    sys.stdout.flush()
    return good


def arguments_of(rows: dict[str, Row]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--row", action="append", metavar="NAME", help="only this; may be repeated")
    parser.add_argument("--seeds", type=int, default=5, help="at most, per row (5)")
    parser.add_argument("--first", type=int, default=1, help="first seed (1)")
    parser.add_argument("--jobs", type=int, default=1, choices=range(1, MOST_JOBS + 1))
    parser.add_argument(
        "--build", default="build/release", help="build tree with tombolo-sim in it"
    )
    parser.add_argument("--list", action="store_true", help="names the rows and ends")
    arguments = parser.parse_args()
    for name in arguments.row or []:
        if name not in rows:
            parser.error(f"no row '{name}'; there are {', '.join(rows)}")
    if arguments.seeds < 1:
        parser.error("--seeds: at least 1")
    return arguments


def main() -> int:
    rows = {row.name: row for row in all_rows()}
    arguments = arguments_of(rows)
    if arguments.list:
        for row in rows.values():
            print(f"{row.name:18} {row.what}; at most {row.most} seeds")
        return 0
    program = ROOT / arguments.build / PROGRAM
    if not program.exists():
        print(f"heal_bars.py: {program} is not there: run ./dev build", file=sys.stderr)
        return 2
    print("| row | what | seeds | measure | bar | measured | verdict |\n|--|--|--|--|--|--|--|")
    good = True
    for name in arguments.row or rows:
        row = rows[name]
        seeds = range(arguments.first, arguments.first + min(arguments.seeds, row.most))
        good = tell(row, measure(row, program, seeds, arguments.jobs), len(seeds)) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
