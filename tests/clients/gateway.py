"""Nodes with a peer-relay gateway, and a raw WebSocket that says whatever a test wants."""

from __future__ import annotations

import json
import os
import re
import socket
import struct
from pathlib import Path

from tombolo.cluster import Cluster, NodeProcess, until

FLAGS = ("--peer-relay-listen", "127.0.0.1:0")


def url(node: NodeProcess) -> str:
    """Where the gateway of a node listens, from its log."""

    def said() -> str | None:
        found = re.findall(r"peer-relay clients at ([\d.:\[\]]+)", Path(node.log).read_text())
        return found[-1] if found else None

    return "ws://" + until("the gateway listens", said)


def cluster(count: int, folder: Path, *flags: str) -> Cluster:
    nodes = Cluster(count, folder, flags=(*FLAGS, *flags))
    if count > 1:
        nodes.wait_joined()
    return nodes


def counter(node: NodeProcess, name: str) -> int:
    return node.status()["counters"]["peer_relay_" + name]


class RawSocket:
    """A WebSocket client that masks, and otherwise sends what it is told to."""

    def __init__(
        self, address: str, path: str = "/", upgrade: bool = True, headers: str = ""
    ) -> None:
        host, _, port = address.removeprefix("ws://").rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        self.buffer = b""
        self.early: list[tuple[int, bytes]] = []  # came while a pong was awaited
        self.path = path
        self.headers = headers
        self.response = b""
        if upgrade:
            self.upgrade()

    def upgrade(self) -> None:
        self.say_bytes(
            f"GET {self.path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"{self.headers}\r\n".encode()
        )
        self.response = self._until(b"\r\n\r\n")

    def say_bytes(self, data: bytes) -> None:
        self.socket.sendall(data)

    def say_frame(self, payload: bytes, opcode: int = 1, final: bool = True) -> None:
        mask = os.urandom(4)
        length = len(payload)
        head = bytes([(0x80 if final else 0) | opcode])
        if length < 126:
            head += bytes([0x80 | length])
        elif length < 65536:
            head += bytes([0x80 | 126]) + struct.pack(">H", length)
        else:
            head += bytes([0x80 | 127]) + struct.pack(">Q", length)
        self.say_bytes(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    def say(self, value: object) -> None:
        self.say_frame(json.dumps(value).encode())

    def _more(self) -> bytes:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        return data

    def _until(self, end: bytes) -> bytes:
        while end not in self.buffer:
            self.buffer += self._more()
        found, _, self.buffer = self.buffer.partition(end)
        return found + end

    def _take(self, size: int) -> bytes:
        while len(self.buffer) < size:
            self.buffer += self._more()
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def frame(self) -> tuple[int, bytes]:
        """The next frame: opcode and payload. Raises EOFError at the end."""
        return self.early.pop(0) if self.early else self._next_frame()

    def _next_frame(self) -> tuple[int, bytes]:
        first, length = self._take(2)
        if length == 126:
            (length,) = struct.unpack(">H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self._take(8))
        return first & 15, self._take(length)

    def hear(self) -> object:
        """The next message as JSON."""
        opcode, payload = self.frame()
        while opcode != 1:
            if opcode == 8:
                raise EOFError
            opcode, payload = self.frame()
        return json.loads(payload)

    def close_code(self) -> int:
        """Reads until the server closes: the code that it gives, 0 for none."""
        code = 0
        try:
            while True:
                opcode, payload = self.frame()
                if opcode == 8:
                    code = int.from_bytes(payload[:2], "big")
                    self.say_frame(payload[:2], 8)
        except (EOFError, ConnectionError):
            return code
        finally:
            self.socket.close()

    def greet(self, own_id: str) -> str:
        """Exchanges ids, and waits until the node knows the new one; that of the node."""
        self.say(own_id)
        node_id = self.hear()
        self.settle()
        return node_id

    def settle(self) -> None:
        """Until the node has read all that was said: it answers a ping in its turn."""
        self.say_frame(b"read so far", 9)
        while True:
            opcode, payload = self._next_frame()
            if (opcode, payload) == (10, b"read so far"):
                return
            self.early.append((opcode, payload))

    def close(self) -> None:
        self.socket.close()


def frame(to: str, own_id: str, data: object, **more: object) -> dict:
    """A frame as an original peer would send it."""
    nonce = str(int.from_bytes(os.urandom(6), "big"))
    return {"to": to, "from": own_id, "path": [own_id], "nonce": nonce, "data": data, **more}


def new_id() -> str:
    return os.urandom(20).hex()
