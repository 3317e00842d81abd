"""Callbacks, interrupts, threads, progress."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator

import pytest
import tombolo


def test_a_message_and_its_receipt_are_seen(world: tombolo.World) -> None:
    seen: list[tombolo.Event] = []

    @world.on("message")
    def arrived(event: tombolo.Event) -> None:
        seen.append(event)

    world.on("delivered", seen.append)
    world.send(1, 2, b"abc")
    message, receipt = seen
    assert (message.kind, message.peer, message.data, message.size) == ("message", 2, b"abc", 3)
    assert message.origin == world.id_of(1)
    assert (receipt.kind, receipt.peer, receipt.hops) == ("delivered", 1, message.hops)
    assert receipt.time_s > message.time_s
    with pytest.raises(AttributeError, match="'delivered' has no 'data'"):
        _ = receipt.data
    world.off("message", arrived)
    world.off("delivered", seen.append)
    world.send(1, 2)
    assert len(seen) == 2


def test_links_and_lookups_are_seen(world: tombolo.World) -> None:
    seen: dict[str, list[tombolo.Event]] = {"peer": [], "peer_lost": [], "lookup": [], "failed": []}
    for kind, events in seen.items():
        world.on(kind, events.append)
    world.connect(0, 150)
    assert {(e.peer, e.other) for e in seen["peer"]} >= {(0, 150)}
    world.disconnect(0, 150)
    world.run(1)
    assert {(e.peer, e.other) for e in seen["peer_lost"]} == {(0, 150), (150, 0)}
    key = world.lookup(3).key
    assert (seen["lookup"][-1].peer, seen["lookup"][-1].key) == (3, key)
    world.send(0, "00" * 20, deadline_s=5)
    assert seen["failed"][-1].reason in ("unreachable", "deadline")


def test_a_callback_may_act_on_its_world(world: tombolo.World) -> None:
    world.on("message", lambda event: world.crash(event.peer) if event.peer == 2 else None)
    world.send(1, 2)
    assert not world.peers()["up"][2]


def test_an_error_in_a_callback_stops_the_run_and_loses_nothing(world: tombolo.World) -> None:
    seen = []

    def picky(event: tombolo.Event) -> None:
        seen.append(event)
        if len(seen) == 1:
            raise KeyError("first")

    world.workload("send", 100)
    world.on("delivered", picky)
    with pytest.raises(KeyError, match="first"):
        world.run(5)
    world.run(5)
    assert len(seen) == world.metrics().to_pandas().loc["send", "succeeded"]


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C as Python has it: whoever was started in the background of a script ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_an_interrupt_stops_a_run_and_leaves_the_world_usable(
    world: tombolo.World, ctrl_c: None
) -> None:
    world.workload("lookup", 5000)
    slices = 0

    def interrupt() -> bool:
        nonlocal slices
        slices += 1
        if slices == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return world._core.run_slice(10**15, 1000)

    with pytest.raises(KeyboardInterrupt):
        world.drive(interrupt)
    assert slices <= 3
    now = world.now
    world.run(1)
    assert world.now == pytest.approx(now + 1)
    assert world.lookup(0).found


def test_other_threads_go_on_while_a_world_runs(world: tombolo.World) -> None:
    world.workload("lookup", 2000)
    counted, refusals = 0, set()
    thread = threading.Thread(target=world.run, args=(20,))
    thread.start()
    while thread.is_alive():
        counted += 1
        try:
            _ = world.live_count
        except RuntimeError as error:
            refusals.add(str(error))
    thread.join()
    assert counted > 10  # the GIL was free
    assert refusals == {"this world is running in another thread"}
    assert world.live_count == 300


def test_progress_goes_to_the_bar(world: tombolo.World, capsys: pytest.CaptureFixture[str]) -> None:
    world.run(5, progress=True)
    world.progress = True
    world.lookups(10)
    text = capsys.readouterr().err
    assert "5/5 s" in text
    assert "10/10 lookups" in text


def test_no_progress_by_default(world: tombolo.World, capsys: pytest.CaptureFixture[str]) -> None:
    world.run(5)
    assert capsys.readouterr().err == ""


def test_a_missing_package_is_named(world: tombolo.World, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, extra, call in (
        ("pandas", "pandas", lambda: world.peers().to_pandas()),
        ("networkx", "graph", world.graph),
        ("tqdm", "progress", lambda: world.run(1, progress=True)),
    ):
        for loaded in [name for name in sys.modules if name.split(".")[0] == module]:
            monkeypatch.setitem(sys.modules, loaded, None)
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(ImportError, match=rf"needs {module}.*\./python\[{extra}\]"):
            call()
