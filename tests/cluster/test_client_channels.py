"""Channels of tombolo.node clients: streams of bytes between two real nodes."""

import asyncio
import contextlib
import hashlib
import os
import subprocess
import sys
import threading

import pytest
from tombolo.cluster import Cluster, until
from tombolo.node import AsyncClient, ChannelResetError

SOON_S = 20.0
MIB = 1 << 20


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(2, tmp_path_factory.mktemp("channels")) as nodes:
        nodes.wait_joined()
        nodes.wait_reachable(30)
        yield nodes


@pytest.fixture(scope="module")
def pair(cluster):
    with cluster[0].client() as near, cluster[1].client() as far:
        yield near, far


def connected(near, far, listener, service):
    """Both ends of a channel; the listener's call may not have reached its node yet."""

    def opened():
        try:
            return near.open_channel(far.id, service)
        except ChannelResetError as error:
            return None if error.reason == "no_service" else pytest.fail(str(error))

    channel = until("the service is there", opened, SOON_S)
    other = listener.accept(SOON_S)
    for end in (channel, other):
        end.settimeout(SOON_S)
    return channel, other


def test_bytes_pass_both_ways_and_halves_close(pair):
    near, far = pair
    with far.listen("echo") as listener:
        channel, other = connected(near, far, listener, "echo")
    assert (channel.peer, channel.service) == (far.id, "echo")
    assert (other.peer, other.service) == (near.id, "echo")
    channel.sendall(b"question")
    channel.shutdown()
    assert other.recv_all() == b"question"
    other.sendall(b"ans")
    other.sendall(b"wer")
    assert channel.recv_exactly(6) == b"answer"
    other.close()
    assert channel.recv() == b""
    channel.wait_closed()
    other.wait_closed()
    with pytest.raises(RuntimeError, match="closed"):
        channel.sendall(b"late")


def test_large_transfer_is_whole(pair):
    near, far = pair
    with far.listen("large") as listener:
        channel, other = connected(near, far, listener, "large")
    data = os.urandom(8 * MIB)
    sender = threading.Thread(target=lambda: (channel.sendall(data), channel.shutdown()))
    sender.start()
    got = hashlib.sha256(other.recv_all()).digest()
    sender.join()
    assert got == hashlib.sha256(data).digest()
    other.close()
    channel.wait_closed()


def test_reader_that_stalls_holds_the_writer_back(pair):
    near, far = pair
    with far.listen("slow") as listener:
        channel, other = connected(near, far, listener, "slow")
    channel.settimeout(1)
    with pytest.raises(TimeoutError):
        channel.sendall(bytes(64 * MIB))
    other.reset("enough")
    with pytest.raises(ChannelResetError) as caught:
        channel.recv_all()
    assert caught.value.text == "enough"


def test_nobody_listening_is_told(pair):
    near, far = pair
    with pytest.raises(ChannelResetError, match="no_service") as caught:
        near.open_channel(far.id, "nothing")
    assert isinstance(caught.value, ConnectionError)
    for service in ("", "x" * 65):
        with pytest.raises(ValueError, match="1 to 64 bytes"):
            near.open_channel(far.id, service)


def test_error_in_a_block_resets_the_channel(pair):
    near, far = pair
    with far.listen("break") as listener:
        channel, other = connected(near, far, listener, "break")
    with pytest.raises(KeyError), channel:
        raise KeyError
    with pytest.raises(ChannelResetError):
        other.recv()


def test_closed_listener_accepts_no_more(pair):
    _, far = pair
    listener = far.listen("short")
    listener.close()
    with pytest.raises(EOFError):
        listener.accept(SOON_S)
    assert list(listener) == []


# As docs/node.md has it. The service may not be there at once.
SNIPPET = """
import sys
from tombolo.node import ChannelResetError, Client

near, far = Client(sys.argv[1]), Client(sys.argv[2])
listener = far.listen("files")
channel = None
while channel is None:
    try:
        channel = near.open_channel(far.id, "files")
    except ChannelResetError:
        pass
channel.sendall(b"name")
channel.shutdown()
other = listener.accept()
assert other.recv_all() == b"name"
"""
ENDINGS = {
    "nothing is closed": "",
    "the ends are closed": "channel.close(); other.close(); listener.close()",
    "the clients are closed": "near.close(); far.close()",
    "nobody reads": """
other.settimeout(0.5)
try:
    other.sendall(bytes(64 << 20))
except TimeoutError:
    pass
""",
    "nobody accepts": "for _ in range(4): near.open_channel(far.id, 'files')",
    "threads wait": """
import threading
for wait in (channel.recv, listener.accept):
    threading.Thread(target=wait, daemon=True).start()
""",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_process_ends_without_a_complaint(cluster, ending):
    addresses = [node.control_address for node in (cluster[0], cluster[1])]
    done = subprocess.run([sys.executable, "-c", SNIPPET + ENDINGS[ending], *addresses],
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_closed_client_ends_its_channels(cluster):
    near, far = cluster[0].client(), cluster[1].client()
    listener = far.listen("left")
    channel, other = connected(near, far, listener, "left")
    near.close()
    with pytest.raises(ChannelResetError):
        channel.recv()
    with pytest.raises(ChannelResetError):
        other.recv()
    far.close()
    with pytest.raises(EOFError):
        listener.accept(SOON_S)


def test_closed_client_leaves_no_task_in_the_loop(cluster):
    async def main():
        async with (
            AsyncClient(cluster[0].control_address) as near,
            AsyncClient(cluster[1].control_address) as far,
        ):
            listener = await far.listen("tasks")
            streams = None
            while streams is None:
                with contextlib.suppress(ChannelResetError):
                    streams = await near.open_channel(far.id, "tasks")
            await asyncio.wait_for(listener.accept(), SOON_S)
        return [task for task in asyncio.all_tasks() if "tombolo" in repr(task)]

    assert asyncio.run(main()) == []


def test_asyncio_streams(cluster):
    async def serve(listener):
        async for reader, writer in listener:
            while line := await reader.readline():
                writer.write(line.upper())
                await writer.drain()
            writer.close()

    async def main():
        async with (
            AsyncClient(cluster[0].control_address) as near,
            AsyncClient(cluster[1].control_address) as far,
        ):
            listener = await far.listen("upper")
            server = asyncio.ensure_future(serve(listener))
            streams = None
            while streams is None:
                with contextlib.suppress(ChannelResetError):  # it is not there yet
                    streams = await near.open_channel(far.id, "upper")
            reader, writer = streams
            assert writer.get_extra_info("peername") == far.id
            writer.writelines([b"one\n", b"two\n"])
            await writer.drain()
            assert await reader.readline() == b"ONE\n"
            assert await reader.readline() == b"TWO\n"
            writer.write_eof()
            assert await asyncio.wait_for(reader.read(), SOON_S) == b""
            await asyncio.wait_for(writer.wait_closed(), SOON_S)
            listener.close()
            await asyncio.wait_for(server, SOON_S)

    asyncio.run(main())
