"""The bars of a node: what relaying, channels, idle clients and idle links cost, beside what they replace.

    build/venv/bin/python tests/bars/node_bars.py [gateway] [relay] [channel] [clients] [idle] [--short]

gateway  client - node - client beside client - original peer - client, the same load on both in turn: CPU
         of the server per message of 64 bytes at most a third of the original's, and a tenth of what it
         takes with the compression that real clients offer; of 16 KiB at most a third; at least twice
         the messages a second, unless the load generator is what has no more to give
relay    node - node - node, 64 bytes: at least 60 % of the rate of bare gRPC echoes (relay_bench)
channel  at least 60 % of a bare gRPC stream's bytes a second in writes of 16 KiB (channel_bench); 1 GiB
         between two processes arrives with the hash that it had
clients  10,000 idle clients of a gateway: at most 12 KiB resident each (peer_relay_load)
idle     a node with 30 links and nothing to do: at most 40 MiB resident, 0.5 % of a core (cluster_bars.py)

The table, in Markdown, comes row by row; more of what the benches print stands between, in comments.
Figures hold for the machine that they were taken on, which should have nothing else to do. --short takes
a minute or two in all, for a look: fewer messages, clients and rounds.

Needs finished programs (build/release with its tests, or TOMBOLO_PROGRAMS with `tests` beside it), numpy,
and npm for gateway. What cannot be measured has a row that says why. Exit status: 0 every bar is
met, 1 one is not, 2 bad usage, 3 none is missed but some could not be measured.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = Path(os.environ.get("TOMBOLO_PROGRAMS", ROOT / "build" / "release" / "node"))
BENCHES = PROGRAMS.parent / "tests"
sys.path[:0] = [str(ROOT / "python" / "src"), str(ROOT / "tests" / "clients")]

from gateway import cluster, url  # noqa: E402
from original import Originals, install  # noqa: E402
from tombolo.cluster import Cluster, DeadlineError, NodeProcess, until  # noqa: E402

LIMIT_S = 900.0  # of one program


class Row(NamedTuple):
    """A figure beside its bar; `met` is the verdict, None where there is no figure."""

    what: str
    figure: str
    bar: str
    met: bool | None


def at_most(what: str, figure: float, most: float) -> Row:
    return Row(what, f"{figure:.3g}", f"at most {most:.3g}", figure <= most)


def at_least(what: str, figure: float, least: float) -> Row:
    return Row(what, f"{figure:.3g}", f"at least {least:.3g}", figure >= least)


class UnavailableError(Exception):
    """Something that a measurement needs is not there; says what."""


def remark(text: str) -> None:
    print("\n".join(f"<!-- {line} -->" for line in text.strip().splitlines()), flush=True)


def run(*command: object) -> str:
    """What a program prints. Raises UnavailableError if it is not built, RuntimeError if it fails."""
    words = [str(word) for word in command]
    if not Path(words[0]).exists():
        target = Path(words[0]).name
        raise UnavailableError(
            f"{words[0]} is not built: cmake --build build/release --target {target}"
        )
    done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}: {done.stderr}")
    remark(done.stdout)
    return done.stdout


def number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(f"no '{pattern}' in: {text}")
    return float(found[1])


def check_node() -> None:
    if not (PROGRAMS / "tombolo-node").exists():
        raise UnavailableError(f"{PROGRAMS}/tombolo-node is not built")


# ---- The gateway beside an original.


class Server(NamedTuple):
    port: int
    pid: int


class Cost(NamedTuple):
    """Medians of some runs. CPU in microseconds per message; `generator_share` of one core."""

    rate: float
    cpu_us: float
    generator_share: float


def load(server: Server, size: int, seconds: float, deflate: bool) -> Cost:
    words = ["relay", server.port, server.pid, size, seconds, 64, *(["deflate"] if deflate else [])]
    text = run(BENCHES / "peer_relay_load", *words)
    rate = number(r"([\d.]+) messages/s", text)
    generator_us = number(r"generator CPU ([\d.]+) us", text)
    return Cost(rate, number(r"server CPU ([\d.]+) us", text), rate * generator_us / 1e6)


def median(costs: list[Cost]) -> Cost:
    return Cost(*(statistics.median(column) for column in zip(*costs, strict=True)))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def server_of(node: NodeProcess) -> Server:
    return Server(int(url(node).rpartition(":")[2]), node.pid)


# Server, bytes of a message, whether the clients offer compression, which a node declines unless told.
GATEWAY_RUNS = (
    ("node", 64, False),
    ("original", 64, False),
    ("original", 64, True),
    ("node", 16384, False),
    ("original", 16384, False),
)


def gateway(short: bool) -> Iterator[Row]:
    check_node()
    try:
        packages = install()
    except RuntimeError as error:
        raise UnavailableError(f"no original client: {error}") from error
    seconds, rounds = (1, 1) if short else (4, 5)
    with tempfile.TemporaryDirectory() as folder, Originals(packages) as originals:
        port = free_port()
        originals.open("server", port=port)
        with cluster(1, Path(folder)) as nodes:
            servers = {"node": server_of(nodes[0]), "original": Server(port, originals.pid)}
            found: dict[tuple[str, int, bool], list[Cost]] = {kind: [] for kind in GATEWAY_RUNS}
            for _ in range(rounds):
                for (name, size, deflate), costs in found.items():
                    remark(f"{name}:")
                    costs.append(load(servers[name], size, seconds, deflate))
    node, original, deflating, node_large, original_large = map(median, found.values())
    cpu = "CPU per message of {}, part of the original's"
    small = cpu.format("64 B")
    yield at_most(small, node.cpu_us / original.cpu_us, 1 / 3)
    yield at_most(f"{small} with compression", node.cpu_us / deflating.cpu_us, 1 / 10)
    yield at_most(cpu.format("16 KiB"), node_large.cpu_us / original_large.cpu_us, 1 / 3)
    faster = node.rate / original.rate
    spent = f"; the generator takes {100 * node.generator_share:.0f} % of a core"
    met = faster >= 2 or node.generator_share >= 0.9
    bar = "at least 2, or a generator at 90 %"
    yield Row("messages/s of 64 B, times the original's", f"{faster:.3g}{spent}", bar, met)


# ---- Between nodes.


def relay(short: bool) -> Iterator[Row]:
    text = run(BENCHES / "relay_bench", 20_000 if short else 100_000)
    share = number(r"relayed, fire and forget +\d+ /s +([\d.]+) %", text)
    yield at_least("relayed messages/s of 64 B, % of bare gRPC echoes", share, 60)


def channel(short: bool) -> Iterator[Row]:
    text = run(BENCHES / "channel_bench", *((100, 3) if short else (400, 5)))
    share = number(r"channel over a link +[\d.]+ MB/s +([\d.]+) %", text)
    yield at_least("channel MB/s in 16 KiB, % of a bare gRPC stream", share, 60)
    check_node()
    size = (64 << 20) if short else (1 << 30)
    sent, got = hashes_through_a_channel(size)
    what = f"SHA-256 of {size >> 20} MiB through a channel"
    yield Row(what, got[:12], f"{sent[:12]}, as sent", sent == got)


def hashes_through_a_channel(size: int) -> tuple[str, str]:
    """Of what was written at one node, and of what was read at another; `tomboloctl pipe` at each."""
    with tempfile.TemporaryDirectory() as folder, Cluster(2, Path(folder)) as nodes:
        nodes.wait_joined()
        ends = []

        def end_at(node: NodeProcess, *words: str) -> subprocess.Popen[bytes]:
            command = [PROGRAMS / "tomboloctl", "--node", node.control_address, "pipe", *words]
            ends.append(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
            )
            return ends[-1]

        try:
            listening = end_at(nodes[1], "--listen", "bulk")

            def opened() -> subprocess.Popen[bytes] | None:
                before = nodes[1].status()["counters"]["channels_accepted"]
                opening = end_at(nodes[0], nodes[1].id, "bulk")
                until(
                    "an answer",
                    lambda: (
                        opening.poll() is not None
                        or nodes[1].status()["counters"]["channels_accepted"] > before
                    ),
                )
                return opening if opening.poll() is None else None

            opening = until("the service is there", opened)
            listening.stdin.close()
            return pour(opening, listening, size)
        finally:
            for process in ends:
                process.kill()
                process.wait()
                for stream in (process.stdin, process.stdout):
                    stream.close()


def pour(
    opening: subprocess.Popen[bytes], listening: subprocess.Popen[bytes], size: int
) -> tuple[str, str]:
    sent, got = hashlib.sha256(), hashlib.sha256()

    def write() -> None:
        with contextlib.suppress(BrokenPipeError):  # the other hash tells
            for _ in range(size >> 20):
                block = os.urandom(1 << 20)
                sent.update(block)
                opening.stdin.write(block)
            opening.stdin.close()

    def give_up() -> None:
        opening.kill()
        listening.kill()

    too_long = threading.Timer(LIMIT_S, give_up)
    too_long.start()
    writer = threading.Thread(target=write)
    writer.start()
    while block := listening.stdout.read(1 << 16):
        got.update(block)
    writer.join()
    too_long.cancel()
    return sent.hexdigest(), got.hexdigest()


# ---- Idle.


def clients(short: bool) -> Iterator[Row]:
    check_node()
    count = 1_000 if short else 10_000
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most != resource.RLIM_INFINITY and most < count + 100:
        raise UnavailableError(f"{count} clients need more descriptors than {most} (ulimit -Hn)")
    with tempfile.TemporaryDirectory() as folder, cluster(1, Path(folder)) as nodes:
        server = server_of(nodes[0])
        text = run(BENCHES / "peer_relay_load", "idle", server.port, server.pid, count)
    each = number(r"([\d.]+) KiB per connection", text)
    yield at_most(f"resident per idle client of {count:,}, KiB", each, 12)


def idle(short: bool) -> Iterator[Row]:
    check_node()
    script = Path(__file__).with_name("cluster_bars.py")
    command = [sys.executable, script, "idle", "--quiet-s", "10" if short else "60"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
    rows = re.findall(r"^\| idle \| (.*) \| (\S+) \| (\S+) \| \S+ \|", done.stdout, re.MULTILINE)
    if not rows and "ModuleNotFoundError" in done.stderr:
        raise UnavailableError(done.stderr.strip().splitlines()[-1])
    if not rows:
        raise RuntimeError(f"{script.name} says nothing: {done.stdout}{done.stderr}")
    for what, most, figure in rows:
        yield at_most(f"node with 30 links: {what}", float(figure), float(most))


# ---- All of it.

BARS: dict[str, Callable[[bool], Iterator[Row]]] = {
    "gateway": gateway,
    "relay": relay,
    "channel": channel,
    "clients": clients,
    "idle": idle,
}


def measure(name: str, short: bool) -> list[bool | None]:
    """Prints the rows of a bar; its verdicts."""
    verdicts = []

    def tell(row: Row) -> None:
        verdict = {True: "met", False: "MISSED", None: "not measured"}[row.met]
        print(f"| {name} | {row.what} | {row.figure} | {row.bar} | {verdict} |", flush=True)
        verdicts.append(row.met)

    try:
        for row in BARS[name](short):
            tell(row)
    except UnavailableError as error:
        tell(Row(" ".join(str(error).split()), "", "", None))
    except (RuntimeError, DeadlineError, subprocess.TimeoutExpired) as error:
        tell(Row(" ".join(str(error).split()), "", "", False))
    return verdicts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BARS))
    parser.add_argument("--short", action="store_true", help="a look, in a minute or two")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(BARS):
        parser.error(f"{', '.join(unknown)}: allowed are {', '.join(BARS)}")
    print("| | measured | figure | bar | verdict |\n|---|---|---|---|---|", flush=True)
    verdicts = [v for name in arguments.names or BARS for v in measure(name, arguments.short)]
    if False in verdicts:
        return 1
    return 3 if None in verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
