"""Plants known mistakes into a copy of the core, one at a time, and lets the swarm find them.

Each `*.patch` beside this file is one mistake: a line that says what it is, a line `Seeds: N` (the
swarm must fail within so many seeds), and a diff of one source file of `overlay/`. For each: a fresh
copy of `overlay/` is patched, the file compiled (-O1) and linked with the rest of a finished build
in place of the right one, and the swarm run. A patch that does not apply, does not build or is not
found fails the run, and so does a swarm that ends for a reason of its own. First of all the same is
done without a mistake, where the swarm must find nothing: what is found later is the mistake. The
source tree and the build are only read.

    python3 tests/planted/run.py [--build DIR] [--out DIR] [--jobs N] [NAME ...]

`--build` is a build tree with tombolo-sim in it (build/release by default).
Exit status: 0 all found, 1 one was not, 2 bad usage or something is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PROGRAM = "sim/tombolo-sim"
# A mistake may well make the core run for ever; that is a find, too. Counted in CPU time: on a busy
# machine an hour may pass and prove nothing. A seed takes a third of a second.
LONGEST_SEED_S = 300
MEAN_SEED_S = 2
CRASHES = (signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV)
CONTROL_SEEDS = 20


@dataclass(frozen=True)
class Mistake:
    name: str
    what: str
    seeds: int
    diff: Path | None  # None: no mistake at all
    file: str  # of the repository

    @staticmethod
    def read(path: Path) -> Mistake:
        text = path.read_text()
        seeds = re.search(r"^Seeds: (\d+)$", text, re.MULTILINE)
        files = re.findall(r"^\+\+\+ b/(\S+)", text, re.MULTILINE)
        # A header would be part of everything.
        if not seeds or len(files) != 1 or not re.fullmatch(r"overlay/\w+\.cc", files[0]):
            raise ValueError(f"{path.name}: wanted are 'Seeds: N' and a diff of one overlay/*.cc")
        return Mistake(path.stem, text.splitlines()[0], int(seeds[1]), path, files[0])


@dataclass(frozen=True)
class Found:
    """How planting one mistake went."""

    mistake: Mistake
    wrong: str  # empty: the swarm has found it
    seeds: int = 0
    invariant: str = ""


class Build:
    """A finished build, of which one object is to be replaced."""

    def __init__(self, tree: Path, out: Path) -> None:
        self.tree = tree
        self.out = out
        compdb = run(["ninja", "-C", str(tree), "-t", "compdb"]).stdout
        self.compile = {
            Path(entry["file"]).resolve().relative_to(ROOT).as_posix(): entry["command"]
            for entry in json.loads(compdb)
            if entry["output"].endswith(".cc.o") and Path(entry["file"]).is_relative_to(ROOT)
        }
        commands = run(["ninja", "-C", str(tree), "-t", "commands", PROGRAM]).stdout
        self.link = commands.strip().splitlines()[-1]

    def plant(self, mistake: Mistake) -> str | None:
        """Leaves the program with the mistake in it; returns what is wrong."""
        folder = self.out / mistake.name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(ROOT / "overlay", folder / "overlay")
        # As if there were no repository: git would look for the files in its index.
        env = {**os.environ, "GIT_DIR": "/nonexistent"}
        patch = ["git", "apply", "-C1", str(mistake.diff)]
        if mistake.diff and run(patch, cwd=folder, env=env).returncode != 0:
            return "the patch does not apply"
        source, target = folder / mistake.file, folder / "planted.o"
        # -I of the copy comes first; what a patch makes unused is no error.
        command = re.sub(r" -o \S+", "", self.compile[mistake.file]).replace(" -Werror", "")
        command = command.replace(f"-I{ROOT} ", f"-I{folder} -I{ROOT} ", 1)
        command = re.sub(r" -c \S+", "", command) + f" -O1 -g0 -w -o {target} -c {source}"
        if run(shlex.split(command), cwd=self.tree).returncode != 0:
            return "it does not build"
        # Optimising the whole program anew would take longer than most bugs live.
        link = re.sub(
            rf" -o {PROGRAM}", f" -fno-lto {target} -o {folder / 'tombolo-sim'}", self.link
        )
        if run(["sh", "-c", link], cwd=self.tree).returncode != 0:
            return "it does not link"
        return None

    def swarm(self, mistake: Mistake) -> Found:
        """The seeds until the first failure and what failed."""
        command = [str(self.out / mistake.name / "tombolo-sim"), "swarm", "--json", "--brief"]
        command += ["--seeds", str(mistake.seeds), "--failures", "1"]
        return judge(mistake, run(command, preexec_fn=lambda: limit_cpu_time(mistake)))


def judge(mistake: Mistake, done: subprocess.CompletedProcess) -> Found:
    """What a swarm that has ended says of the mistake in it."""
    if done.returncode == 0:
        return Found(mistake, f"not found within {mistake.seeds} seeds")
    if done.returncode == -signal.SIGXCPU:
        return Found(mistake, "", mistake.seeds, "it never ends")
    if done.returncode == 1 and done.stdout.startswith("{"):
        report = json.loads(done.stdout)
        return Found(mistake, "", report["seeds_done"], report["failures"][0]["invariant"])
    # An assertion of the core: the line on stderr names the seed.
    seed = re.search(r"at seed (\d+)", done.stderr)
    said = re.search(r"Assertion .* failed", done.stderr)
    if done.returncode == 1 and seed:
        return Found(mistake, "", int(seed[1]), said[0] if said else "an assertion failed")
    if -done.returncode in CRASHES:
        return Found(mistake, "", 0, "it crashed")
    last = done.stderr.strip().splitlines()[-1:] or ["no word"]
    return Found(mistake, f"the swarm ended with status {done.returncode}: {last[0]}")


def limit_cpu_time(mistake: Mistake) -> None:
    limit = LONGEST_SEED_S + MEAN_SEED_S * mistake.seeds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 10))


def run(command: list[str], **options) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def try_one(build: Build, mistake: Mistake) -> Found:
    """Plants one mistake and prints one line about it."""
    start = time.monotonic()
    wrong = build.plant(mistake)
    found = Found(mistake, wrong) if wrong else build.swarm(mistake)
    shutil.rmtree(build.out / mistake.name, ignore_errors=True)
    said = found.wrong or f"seed {found.seeds} of {mistake.seeds}: {found.invariant}"
    print(f"{mistake.name:26} {said}  ({time.monotonic() - start:.1f} s)", flush=True)
    return found


def try_none(build: Build) -> str | None:
    """Builds the core as it is, in the same way; returns what the swarm finds, or what is wrong."""
    control = Mistake("no-mistake", "", CONTROL_SEEDS, None, "overlay/merge.cc")
    if wrong := build.plant(control):
        return f"the control: {wrong}"
    found = build.swarm(control)
    shutil.rmtree(build.out / control.name, ignore_errors=True)
    if found == Found(control, f"not found within {CONTROL_SEEDS} seeds"):
        return None
    return f"the control, with no mistake in it: {found.wrong or found.invariant}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="mistakes to plant; all of them by default")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "planted")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    mistakes = [Mistake.read(path) for path in sorted(HERE.glob("*.patch"))]
    unknown = set(options.names) - {mistake.name for mistake in mistakes}
    if unknown or not (options.build / PROGRAM).exists():
        missing = f"no mistake {', '.join(sorted(unknown))}" if unknown else f"no {PROGRAM}"
        print(f"planted: {missing}", file=sys.stderr)
        return 2
    build = Build(options.build.resolve(), options.out.resolve())
    chosen = [m for m in mistakes if not options.names or m.name in options.names]
    if wrong := try_none(build):
        print(f"planted: {wrong}", file=sys.stderr)
        return 1
    with ThreadPoolExecutor(options.jobs) as pool:
        found = list(pool.map(lambda mistake: try_one(build, mistake), chosen))
    wrong = [f for f in found if f.wrong]
    print(f"{len(found) - len(wrong)} of {len(found)} mistakes found")
    for f in wrong:
        print(f"planted: {f.mistake.name}: {f.wrong}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
