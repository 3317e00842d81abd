"""Real nodes on loopback, for tests: started, asked and ended through their own programs.

    with Cluster(8, folder) as cluster:
        cluster.wait_joined()
        cluster[0].send(cluster[5].id, "hello")

Ports are the kernel's, control goes over Unix sockets in the data folders. Nothing sleeps for luck:
`until` asks again until a deadline. Only processes that were started here are ever signalled.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(os.environ.get("TOMBOLO_PROGRAMS", ROOT / "build" / "release" / "node"))

_PAUSE = threading.Event()  # never set


def until(what: str, holds: Callable[[], object], limit_s: float = 30.0) -> object:
    """The first true value of `holds`; an AssertionError naming `what` after the limit."""
    deadline = time.monotonic() + limit_s
    while True:
        value = holds()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {limit_s} s: {what}"
        _PAUSE.wait(0.02)


class Node:
    """One tombolo-node process with its data folder, which outlives the process."""

    def __init__(self, folder: Path, sockets: Path, bootstrap: list[str], *flags: str):
        self.folder = folder
        self.socket = f"unix:{sockets / folder.name}"  # such a path has at most 107 characters
        self.flags = flags
        self.bootstrap = bootstrap
        self.process: subprocess.Popen | None = None
        self.id = ""
        self.address = ""
        self.http = ""

    def start(self) -> None:
        """Returns once the control API answers."""
        command = [PROGRAMS / "tombolo-node", "--listen", "127.0.0.1:0", "--data-dir", self.folder]
        command += ["--control", self.socket, "--http", "127.0.0.1:0", *self.flags]
        for address in self.bootstrap:
            command += ["--bootstrap", address]
        self.folder.mkdir(exist_ok=True)
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, stderr=log)
        status = until(f"{self.folder.name} answers", self.status_if_up)
        self.id, self.address, self.http = status["id"], status["listening"], status["http"]

    def ctl(self, *words: str, limit_s: float = 30) -> subprocess.CompletedProcess:
        command = [PROGRAMS / "tomboloctl", "--json", "--node", self.socket, *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=limit_s)

    def ask(self, *words: str) -> dict:
        """The reply to a command; an AssertionError if it failed."""
        done = self.ctl(*words)
        assert done.returncode == 0, f"{words} at {self.folder.name}: {done.stderr}"
        return json.loads(done.stdout)

    def status_if_up(self) -> dict | None:
        assert self.process.poll() is None, (self.folder / "log").read_text()
        done = self.ctl("status")
        return json.loads(done.stdout) if done.returncode == 0 else None

    def joined(self) -> bool:
        status = self.status_if_up()
        return bool(status) and status["state"] == "JOINED" and status["contacts"] > 0

    def peers(self) -> set[str]:
        return {peer["id"] for peer in self.ask("peers")["peers"]}

    def send(self, target: str, text: str) -> dict:
        return self.ask("send", target, text)

    def watch(self) -> subprocess.Popen:
        """Events of the node as JSON lines; the caller ends the process. Nothing is missed from here on."""
        command = [PROGRAMS / "tomboloctl", "--json", "--node", self.socket, "watch"]
        watcher = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert "subscribed" in json.loads(watcher.stdout.readline())
        return watcher

    def terminate(self, limit_s: float = 15) -> int:
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=limit_s)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=10)

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Cluster:
    """`count` nodes that join through the first. Stops whatever still runs at the end."""

    def __init__(self, count: int, folder: Path, *flags: str):
        self.folder = folder
        self.sockets = tempfile.TemporaryDirectory(prefix="tombolo-")
        self.nodes: list[Node] = []
        try:
            for _ in range(count):
                self.add(*flags)
        except BaseException:
            self.__exit__()
            raise

    def add(self, *flags: str, folder: Path | None = None) -> Node:
        """One more node; `flags` in place of those of the cluster, `folder` of a node that has been."""
        bootstrap = [self.nodes[0].address] if self.nodes else []
        folder = folder or self.folder / f"node{len(self.nodes)}"
        node = Node(folder, Path(self.sockets.name), bootstrap, *flags)
        self.nodes.append(node)
        node.start()
        return node

    def wait_joined(self, limit_s: float = 30) -> None:
        for node in self.running:
            until(f"{node.folder.name} joined", node.joined, limit_s)

    @property
    def running(self) -> list[Node]:
        return [node for node in self.nodes if node.running]

    def __getitem__(self, index: int) -> Node:
        return self.nodes[index]

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.running:
            node.kill()
        self.sockets.cleanup()
