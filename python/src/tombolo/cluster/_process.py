"""One `tombolo-node` process: its data folder, its log and its control API."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tombolo.cluster._control import Control, Reply

if TYPE_CHECKING:
    from tombolo.node import Client

T = TypeVar("T")

_PAUSE = threading.Event()  # never set


class DeadlineError(AssertionError):
    """Something did not come true in time; says what."""


def until(what: str, holds: Callable[[], T], limit_s: float = 30.0, pause_s: float = 0.02) -> T:
    """The first true value of `holds`, asked every `pause_s`. Raises DeadlineError after `limit_s`."""
    deadline = time.monotonic() + limit_s
    while True:
        value = holds()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise DeadlineError(f"not within {limit_s:g} s: {what}")
        _PAUSE.wait(pause_s)


class NodeDiedError(RuntimeError):
    """A node has ended though nobody wanted that; says how, with the end of its log."""


class NodeProcess:
    """A node that can be started, killed and started again, with the same id each time.

    number      in its cluster
    id          40 hexadecimal digits; "" before the first start
    listening   HOST:PORT where the process itself listens
    log         the file with what all its processes wrote
    received    how often each broadcast came: {(origin id, sequence): count}, over all its lives
    messages    [(origin id, text)] as they came
    """

    def __init__(
        self, number: int, folder: Path, sockets: Path, programs: Path, flags: Sequence[str]
    ) -> None:
        self.number = number
        self.folder = folder
        self.flags = list(flags)
        self.prefix: list[str] = []  # what its command begins with
        self.listen_at = "127.0.0.1:0"
        self.id = ""
        self.listening = ""
        self.log = folder / "log"
        self.received: Counter[tuple[str, int]] = Counter()
        self.messages: list[tuple[str, str]] = []
        self.launches = 0  # processes so far
        self.launched_s = 0.0  # of the last one; of the monotonic clock
        self.missed_events = 0  # that the node dropped since they were not read in time
        self._programs = programs
        self._socket = sockets / str(number)
        self._process: subprocess.Popen[bytes] | None = None
        self._control: Control | None = None
        self._wanted = False  # it has been started, and not ended by us

    # ---- Life.

    def launch(self) -> int:
        """Starts the process and returns its id; `attach` makes it usable."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [
            *self.prefix,
            str(self._programs / "tombolo-node"),
            "--data-dir",
            str(self.folder / "data"),
            "--listen",
            self.listen_at,
            "--control",
            self.control_address,
            *self.flags,
        ]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TOMBOLO_")}
        environment["TOMBOLO_HTTP_LISTEN"] = "off"  # many nodes share a machine; a flag wins
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )
        self._wanted = True
        self.launches += 1
        self.launched_s = time.monotonic()
        return self._process.pid

    def attach(self, limit_s: float) -> None:
        """Waits until the control API answers. Raises DeadlineError, or NodeDiedError if it ended."""
        until(f"node {self.number} answers", self._answers, limit_s, pause_s=0.005)
        self._control = Control(self._programs / "tomboloctl", self.control_address)
        subscribed = threading.Event()
        self._control.begin("watch", on_reply=lambda event: self._take(event, subscribed))
        if not subscribed.wait(limit_s):
            raise DeadlineError(f"node {self.number} does not tell events within {limit_s:g} s")
        status = self.status()
        self.id, self.listening = status["id"], status["listening"]

    def _answers(self) -> bool:
        self.check()
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self._socket)) == 0

    def signal(self, number: int) -> None:
        """Sends a signal to this process, if it runs."""
        if self._process is not None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL: it says nothing to anybody."""
        self.signal(signal.SIGKILL)
        self._reap(10.0)

    def terminate(self, limit_s: float = 20.0) -> int:
        """SIGTERM: it leaves in order; returns its exit status. Raises subprocess.TimeoutExpired."""
        self.signal(signal.SIGTERM)
        return self._reap(limit_s)

    def _reap(self, limit_s: float) -> int:
        self._wanted = False
        status = 0 if self._process is None else self._process.wait(limit_s)
        if self._control is not None:
            self._control.close()
            self._control = None
        return status

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def up(self) -> bool:
        """It has been started, and not ended since. Raises NodeDiedError if it ended by itself."""
        self.check()
        return self._wanted

    def check(self) -> None:
        """Raises NodeDiedError if the process has ended by itself."""
        if self._wanted and not self.running:
            assert self._process is not None
            how = self._process.returncode
            what = f"signal {signal.Signals(-how).name}" if how < 0 else f"status {how}"
            raise NodeDiedError(f"node {self.number} has ended with {what}:\n{self.tail()}")

    @property
    def attached(self) -> bool:
        """Its control API can be asked."""
        return self._control is not None

    @property
    def pid(self) -> int:
        """Of the process that runs, or ran last. Raises RuntimeError before the first start."""
        if self._process is None:
            raise RuntimeError(f"node {self.number} has not been started")
        return self._process.pid

    def tail(self, lines: int = 20) -> str:
        """The end of the log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    # ---- Questions.

    @property
    def control(self) -> Control:
        """Raises RuntimeError while the node is down."""
        if self._control is None:
            raise RuntimeError(f"node {self.number} is down")
        return self._control

    @property
    def control_address(self) -> str:
        """Of the control API, as `tomboloctl --node` and `tombolo.node.Client` take it."""
        return f"unix:{self._socket}"

    def client(self) -> Client:
        """A `tombolo.node.Client` of this node. Raises ImportError without gRPC."""
        from tombolo.node import Client

        return Client(self.control_address)

    def status(self) -> Reply:
        return self.control.ask("status")

    def topology(self) -> Reply:
        return self.control.ask("topology")

    def peers(self) -> set[str]:
        """Ids of the nodes that it has a connection to."""
        return {peer["id"] for peer in self.control.ask("peers")["peers"]}

    def joined(self) -> bool:
        status = self.status()
        return status["state"] == "JOINED" and status["contacts"] > 0

    def log_lines(self) -> list[Reply]:
        """The log as objects; lines that are none (a crash) as {"text": line}."""
        lines: list[Reply] = []
        for line in self.log.read_text(errors="replace").splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:
                lines.append({"text": line})
        return lines

    def _take(self, event: Reply, subscribed: threading.Event) -> None:
        if "subscribed" in event:
            subscribed.set()
        elif "broadcast" in event:
            told = event["broadcast"]
            self.received[told["origin"], told["sequence"]] += 1
        elif "message" in event:
            told = event["message"]
            payload = told["payload"] if "payload" in told else told["payload_hex"]
            self.messages.append((told["origin"], payload))
        elif "missed" in event:
            self.missed_events += event["missed"]["events"]
