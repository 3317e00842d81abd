"""Channels between real nodes over TLS: direct and relayed, to the end and to a sudden one."""

import hashlib
import os
import select
import subprocess
import threading
import time

import pytest
from cluster import PROGRAMS, Cluster, until

SILENCE_S = 4


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Node 2 does not let node 1 in, nor goes to it: what they say to each other is relayed by node 0."""
    flags = ("--limits-channel-silence-s", str(SILENCE_S))
    with Cluster(2, tmp_path_factory.mktemp("channels"), *flags) as nodes:
        nodes.add(*flags, "--security-deny", nodes[1].id)
        nodes.add(*flags)
        nodes.wait_joined()
        yield nodes


def pipe(node, *words, stdin=subprocess.PIPE) -> subprocess.Popen:
    command = [PROGRAMS / "tomboloctl", "--node", node.socket, "pipe", *words]
    return subprocess.Popen(
        command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    )


def counter(node, name: str) -> int:
    return node.ask("status")["counters"].get(name, 0)  # of messages: only kinds that occurred


def open_pipe(origin, target, service: str) -> tuple[subprocess.Popen, subprocess.Popen]:
    """Both ends of a channel that carries bytes."""
    listening = pipe(target, "--listen", service)
    before = counter(target, "channels_accepted")

    def opened() -> subprocess.Popen | None:
        opening = pipe(origin, target.id, service)
        # Too early, the service is none yet.
        until(
            "an answer",
            lambda: opening.poll() is not None or counter(target, "channels_accepted") > before,
        )
        if opening.poll() is None:
            return opening
        end(opening)
        return None

    return until("a channel", opened), listening


def end(*pipes: subprocess.Popen) -> None:
    for process in pipes:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream and not stream.closed:
                stream.close()


def check_transfer(origin, target, size: int) -> None:
    """Random bytes one way, then both halves end."""
    opening, listening = open_pipe(origin, target, "bytes")
    try:
        data = os.urandom(size)
        feeder = threading.Thread(target=lambda: (opening.stdin.write(data), opening.stdin.close()))
        feeder.start()
        digest = hashlib.sha256()
        listening.stdin.close()
        while block := listening.stdout.read(1 << 16):
            digest.update(block)
        feeder.join()
        assert digest.digest() == hashlib.sha256(data).digest()
        assert (opening.wait(10), listening.wait(10)) == (0, 0)
    finally:
        end(opening, listening)
    for node in (origin, target):
        until("nothing is left", lambda node=node: counter(node, "channels") == 0)


def test_bytes_arrive_over_a_link(cluster):
    check_transfer(cluster[1], cluster[3], 64 << 20)


def test_bytes_arrive_relayed(cluster):
    assert cluster[2].id not in cluster[1].peers()
    check_transfer(cluster[1], cluster[2], 16 << 20)
    assert sum(counter(node, "received_forward") for node in (cluster[0], cluster[3])) > 256


def test_service_that_nobody_accepts(cluster):
    opening = pipe(cluster[1], cluster[3].id, "nothing", stdin=subprocess.DEVNULL)
    assert opening.wait(10) == 1
    assert "NO_SERVICE" in opening.stderr.read().decode()
    end(opening)


def resident_bytes(node) -> int:
    with open(f"/proc/{node.process.pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_stalled_reader_costs_bounded_memory(cluster):
    opening, listening = open_pipe(cluster[1], cluster[3], "stall")
    try:
        before = [resident_bytes(node) for node in (cluster[1], cluster[3])]
        # Nobody reads from `listening`; the writer stops once every buffer on the way is full.
        block = bytes(1 << 16)
        written = 0
        os.set_blocking(opening.stdin.fileno(), False)
        while select.select([], [opening.stdin], [], 1.5)[1]:
            written += opening.stdin.write(block)
            assert written < 256 << 20, "nothing holds it back"
        for node, resident in zip((cluster[1], cluster[3]), before, strict=True):
            assert resident_bytes(node) - resident < 32 << 20
            assert counter(node, "channel_memory_bytes") <= 2 << 20
        assert opening.poll() is None
        assert listening.poll() is None
    finally:
        end(opening, listening)


@pytest.mark.parametrize("relayed", [False, True])
def test_killed_node_resets_the_other_end_in_time(tmp_path, relayed):
    flags = ("--limits-channel-silence-s", str(SILENCE_S))
    with Cluster(2, tmp_path, *flags) as nodes:
        victim = nodes.add(*flags, *(("--security-deny", nodes[1].id) if relayed else ()))
        nodes.wait_joined()
        opening, listening = open_pipe(nodes[1], victim, "last words")
        try:
            victim.kill()
            killed = time.monotonic()
            assert opening.wait(SILENCE_S + 5) == 1
            assert time.monotonic() - killed < SILENCE_S + 2
            assert "TIMEOUT" in opening.stderr.read().decode()
        finally:
            end(opening, listening)
