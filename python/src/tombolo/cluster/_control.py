"""One `tomboloctl script` per node: any number of commands side by side, answered as JSON."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Reply = dict[str, Any]


class ControlError(RuntimeError):
    """A command came to nothing: the node is gone, stopping, or could not do it."""


@dataclass(frozen=True)
class Answer:
    """Of a command: the last reply ({} if there was none) and how it ended."""

    reply: Reply
    status: int  # as tomboloctl's exit status: 0 done, 1 failed, 2 bad usage
    error: str


@dataclass
class _Pending:
    words: tuple[str, ...]
    on_reply: Callable[[Reply], None] | None
    ended: Future[Answer] = field(default_factory=Future)
    last: Reply = field(default_factory=dict)


def _quoted(word: str) -> str:
    for quote in "\"'`":
        if quote not in word and "\n" not in word and "\\" not in word:
            return f"{quote}{word}{quote}"
    raise ValueError(f"{word!r}: a text may have no line end or backslash, nor all kinds of quotes")


class Control:
    """The control API of one node. Methods may be called from any thread.

    Ends when the node does: what is under way then fails with status 1.
    """

    def __init__(self, program: Path, address: str) -> None:
        self._process = subprocess.Popen(
            [program, "--node", address, "--timeout", "60", "script"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._numbers = itertools.count(1)
        self._pending: dict[int, _Pending] = {}
        self._lock = threading.Lock()
        self._over = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def begin(self, *words: str, on_reply: Callable[[Reply], None] | None = None) -> Future[Answer]:
        """Sends a command; `on_reply` hears each reply, on a thread of this object.

        Raises ValueError for words that cannot be said on one line.
        """
        pending = _Pending(words, on_reply)
        line = " ".join(map(_quoted, words)) + "\n"
        assert self._process.stdin is not None
        with self._lock:
            if not self._over:
                number = next(self._numbers)
                self._pending[number] = pending
                try:
                    self._process.stdin.write(line)
                    return pending.ended
                except OSError:
                    self._pending.pop(number, None)
        pending.ended.set_result(Answer({}, 1, "the node has ended"))
        return pending.ended

    def ask(self, *words: str, timeout_s: float = 60.0) -> Reply:
        """The reply to a command. Raises ControlError if it failed, TimeoutError after `timeout_s`."""
        answer = self.begin(*words).result(timeout_s)
        if answer.status != 0:
            raise ControlError(f"{' '.join(words)}: {answer.error}")
        return answer.reply

    def close(self) -> None:
        """Gives up whatever is under way."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # what was not written
                pipe.close()  # type: ignore[union-attr]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._take(json.loads(line))
        with self._lock:
            self._over = True
            left = list(self._pending.values())
            self._pending.clear()
        for pending in left:
            pending.ended.set_result(Answer({}, 1, "the node has ended"))

    def _take(self, said: Reply) -> None:
        number = said["line"]
        with self._lock:
            pending = self._pending[number]
            if "status" in said:
                del self._pending[number]
        if "status" in said:
            pending.ended.set_result(Answer(pending.last, said["status"], said.get("error", "")))
            return
        pending.last = said["reply"]
        if pending.on_reply is not None:
            pending.on_reply(said["reply"])
