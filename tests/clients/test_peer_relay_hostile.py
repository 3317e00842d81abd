"""What should not be said to a node, or through it to others."""

import json

import pytest
from gateway import RawSocket, cluster, counter, frame, new_id, url
from original import Originals
from tombolo.cluster import until


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with cluster(1, tmp_path_factory.mktemp("node"), "--peer-relay-queue-bytes", "65536") as one:
        yield one[0]


@pytest.fixture(scope="module")
def clients(node, packages):
    with Originals(packages) as process:
        process.open("a", url(node))
        process.open("b", url(node))
        yield process


@pytest.fixture
def pair(clients):
    """Two originals that have to reach each other after each attempt; what they hear begins anew."""
    clients.events.clear()
    yield clients
    clients.exchange("a", "b", "unharmed")


def heard(pair):
    """What `a` has heard, without what the two say after each attempt."""
    return [message for message in pair.received("a") if message[1] != "unharmed"]


def greeted(node):
    raw = RawSocket(url(node))
    own_id = new_id()
    assert raw.greet(own_id) == node.id
    return raw, own_id


@pytest.mark.parametrize(
    "greeting",
    [
        b"5",
        b"null",
        b'""',
        b'"12"',
        b"{}",
        b"[]",
        b"nonsense",
        b'{"type":"Buffer","data":[1,2]}',
        b"",
        b"[" * 1000,
        json.dumps([256] * 20).encode(),
        b"\xff\xfe",
    ],
)
def test_bad_greetings(node, pair, greeting):
    raw = RawSocket(url(node))
    raw.say_frame(greeting)
    assert raw.close_code() in (1007, 1008)


@pytest.mark.parametrize("form", ["hex", "buffer", "array"])
def test_good_greetings(node, pair, form):
    raw = RawSocket(url(node))
    own_id = new_id()
    numbers = list(bytes.fromhex(own_id))
    raw.say({"hex": own_id, "buffer": {"type": "Buffer", "data": numbers}, "array": numbers}[form])
    assert raw.hear() == node.id
    raw.settle()
    pair.send("a", own_id, "hello")
    assert raw.hear()["data"]["data"] == "hello"
    raw.close()


@pytest.mark.parametrize(
    "text",
    ["null", "5", "nonsense", "[]", "{}", "{", '{"to":1}', "[" * 3000 + "]" * 3000, "\x00", ""],
)
def test_garbage_ends_the_session_only(node, pair, text):
    raw, _ = greeted(node)
    raw.say_frame(text.encode())
    assert raw.close_code() in (1007, 1008)


def spoiled(own_id, target):
    """Frames that would end an original peer, or that are none."""
    good = frame(target, own_id, {"type": "user", "data": "x"})
    for key in good:
        yield {name: value for name, value in good.items() if name != key}
    for key, value in (("to", "12"), ("from", None), ("path", "x"), ("path", [1]), ("nonce", {})):
        yield {**good, key: value}
    yield {**good, "path": [new_id()] * 21}
    for data in (
        None,
        [],
        "user",
        {"type": 5},
        {"type": "findPeers"},
        {"type": "findPeers", "data": 7},
        {"type": "foundPeers"},
        {"type": "foundPeers", "data": 5},
        {"type": "foundPeers", "data": [5]},
        {"type": "foundPeers", "data": [new_id()] * 1000},
        {"type": "handshake-answer", "data": {"ws": "ws://"}},
        {"type": "handshake-answer", "data": {"ws": "ws://x:99999"}},
        {"type": "handshake-answer", "data": {"ws": "http://x"}},
        {"type": "handshake-answer", "data": {"ws": 5}},
        {"type": "handshake-answer", "data": 5},
        {"type": "signal"},
        {"type": "signal", "data": None},
    ):
        yield {**good, "data": data}


def test_frames_that_would_end_an_original_client(node, pair):
    for target in (pair.ids["a"], node.id, new_id()):
        for bad in spoiled("", target):
            raw, own_id = greeted(node)
            raw.say({**bad, **({"from": own_id} if bad.get("from") == "" else {})})
            assert raw.close_code() in (1007, 1008), bad
    assert heard(pair) == []


def test_escaped_names_hide_nothing(node, pair):
    raw, own_id = greeted(node)
    good = frame(pair.ids["a"], own_id, {"type": "user", "data": 1})
    text = json.dumps(good).replace('"data": 1', '"data": 1, "t\\u0079pe": "findPeers"')
    raw.say_frame(text.encode())
    assert raw.close_code() == 1008


def test_signals_reach_only_who_can_use_them(node, pair):
    """A client without WebRTC would end with an exception."""
    raw, own_id = greeted(node)
    before = counter(node, "no_wrtc")
    raw.say(frame(pair.ids["a"], own_id, {"type": "signal", "data": {"type": "offer", "sdp": "x"}}))
    until("it is counted", lambda: counter(node, "no_wrtc") == before + 1)
    raw.close()


def test_nobody_speaks_for_somebody_else(node, pair):
    raw, _ = greeted(node)
    before = counter(node, "foreign")
    raw.say(frame(pair.ids["a"], pair.ids["b"], {"type": "user", "data": "forged"}))
    raw.say(frame(pair.ids["a"], node.id, {"type": "user", "data": "forged"}))
    until("both are counted", lambda: counter(node, "foreign") == before + 2)
    assert heard(pair) == []
    raw.close()


def test_same_nonce_passes_once(node, pair):
    raw, own_id = greeted(node)
    message = frame(pair.ids["a"], own_id, {"type": "user", "data": "once"})
    for _ in range(5):
        raw.say(message)
    raw.say(frame(pair.ids["a"], own_id, {"type": "user", "data": "end"}))
    pair.wait("message", "a", data="end")
    assert heard(pair) == [(own_id, "once"), (own_id, "end")]
    raw.close()


def test_same_id_twice_belongs_to_the_later_and_outlives_the_earlier(node, pair):
    first, own_id = greeted(node)
    second = RawSocket(url(node))
    second.greet(own_id)
    assert first.close_code() == 1000
    pair.send("a", own_id, "to the later")
    assert second.hear()["data"]["data"] == "to the later"
    second.close()


def test_nobody_is_the_node(node, pair):
    raw = RawSocket(url(node))
    raw.say(node.id)
    assert raw.close_code() == 1008


@pytest.mark.parametrize(
    ("bytes_", "code"),
    [
        (b"\x81\x05hello", 1002),  # not masked
        (b"\xf1\x80\x00\x00\x00\x00", 1002),  # reserved bits
        (b"\x83\x80\x00\x00\x00\x00", 1002),  # reserved opcode
        (b"\x80\x80\x00\x00\x00\x00", 1002),  # continues nothing
        (b"\x09\x80\x00\x00\x00\x00", 1002),  # a ping in pieces
        (b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", 1009),
        (b"\x81\xfe\x00\x05\x00\x00\x00\x00", 1002),  # a length in too many bytes
        (b"\x81\x81\x00\x00\x00\x00\xff", 1007),  # not UTF-8
    ],
)
def test_broken_frames(node, pair, bytes_, code):
    raw, _ = greeted(node)
    raw.say_bytes(bytes_)
    assert raw.close_code() == code


def test_pieces_pings_and_binary_are_fine(node, pair):
    raw, own_id = greeted(node)
    text = json.dumps(frame(pair.ids["a"], own_id, {"type": "user", "data": "in pieces"})).encode()
    raw.say_frame(text[:10], 1, final=False)
    raw.say_frame(b"are you there", 9)
    raw.say_frame(text[10:20], 0, final=False)
    raw.say_frame(text[20:], 0)
    assert raw.frame() == (10, b"are you there")
    raw.say_frame(json.dumps(frame(pair.ids["a"], own_id, {"type": "user", "data": 2})).encode(), 2)
    pair.wait("message", "a", data=2)
    assert heard(pair) == [(own_id, "in pieces"), (own_id, 2)]
    raw.say_frame(b"\x03\xe8", 8)
    assert raw.close_code() == 1000


def test_other_requests_are_answered_in_http(node, pair):
    for request, status in (
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"426"),
        (b"POST / HTTP/1.1\r\nHost: x\r\n\r\n", b"405"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n", b"431"),
    ):
        raw = RawSocket(url(node), upgrade=False)
        raw.say_bytes(request)
        assert raw._until(b"\r\n").split()[1] == status
        raw.close()


def test_reader_who_sleeps_costs_no_more_than_its_queue(node, pair):
    raw, own_id = greeted(node)
    before = counter(node, "queue_full")
    pair.send("a", own_id, "x" * 50_000, times=400)
    until("what does not fit is dropped", lambda: counter(node, "queue_full") > before, 30)
    raw.close()
