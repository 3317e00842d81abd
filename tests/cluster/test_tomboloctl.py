"""tomboloctl for people: the live view, lines without a terminal, completion, help, and slips of the pen."""

import json
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import time

import pytest
from cluster import PROGRAMS, Cluster, until

CTL = PROGRAMS / "tomboloctl"


def ctl(*words) -> subprocess.CompletedProcess:
    return subprocess.run([CTL, *words], capture_output=True, text=True, timeout=30)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(2, tmp_path_factory.mktemp("ctl")) as nodes:
        nodes.wait_joined()
        yield nodes


class Terminal:
    """A program on a terminal of its own; `seen` is what it has written so far."""

    def __init__(self, *command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # Whoever was started in the background of a script ignores Ctrl-C, as do its children.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execv(command[0], [str(word) for word in command])
        self.seen = ""

    def read_until(self, what: str, holds) -> None:
        deadline = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < deadline, f"{what}: {self.seen!r}"
            if select.select([self.fd], [], [], 0.1)[0]:
                self.seen += os.read(self.fd, 4096).decode()

    def interrupt(self) -> None:
        os.write(self.fd, b"\x03")
        until("it ends", lambda: os.waitpid(self.pid, os.WNOHANG)[0] == self.pid)
        os.close(self.fd)


def test_watch_is_redrawn_in_place_on_a_terminal(cluster):
    node, other = cluster[0], cluster[1]
    terminal = Terminal(CTL, "--node", node.socket, "watch")
    terminal.read_until("it shows the node", lambda: node.id in terminal.seen)
    terminal.read_until("and its peer", lambda: other.id in terminal.seen)
    other.send(node.id, "good morning")
    terminal.read_until("and what comes", lambda: "good morning" in terminal.seen)
    terminal.interrupt()
    assert len(re.findall(r"\x1b\[\d+A", terminal.seen)) >= 1  # up again, over what was drawn
    assert "reachability" not in terminal.seen
    assert "dialable" in terminal.seen
    assert "subscribed" not in terminal.seen


def test_unknown_round_trip_is_no_number_for_people(tmp_path):
    with Cluster(2, tmp_path) as nodes:
        nodes.wait_joined()
        node, other = nodes[0], nodes[1]
        assert [peer["rtt_us"] for peer in node.ask("peers")["peers"]] == [0], "it is known"
        names, cells = (
            line.split() for line in ctl("--node", node.socket, "peers").stdout.splitlines()
        )
        assert cells[names.index("rtt_us")] == "-"
        terminal = Terminal(CTL, "--node", node.socket, "watch")
        terminal.read_until("it shows the peer", lambda: f"{other.id}  127" in terminal.seen)
        terminal.read_until("the whole line", lambda: "latest events" in terminal.seen)
        terminal.interrupt()
        assert re.search(rf"{other.id}  127\S+ +- +\d+\b", terminal.seen)


def test_watch_without_a_terminal_is_lines(cluster):
    command = [CTL, "--node", cluster[0].socket, "watch"]
    watcher = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert "subscribed" in watcher.stdout.readline()
        cluster[1].send(cluster[0].id, "in a line")
        lines = iter(watcher.stdout.readline, None)
        assert next(line for line in lines if "in a line" in line)
        assert "\x1b" not in line_of(watcher)
    finally:
        watcher.terminate()
        watcher.wait(timeout=10)


def test_watch_hears_the_topics_that_it_is_told(cluster):
    command = [CTL, "--json", "--node", cluster[0].socket, "watch", "--topic", "7", "--topic", "8"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watcher:
        try:
            assert "subscribed" in json.loads(watcher.stdout.readline())
            for topic in ("6", "7", "8"):
                cluster[1].ask("broadcast", f"of {topic}", "--topic", topic)
            events = (json.loads(line) for line in iter(watcher.stdout.readline, ""))
            told = (event["broadcast"] for event in events if "broadcast" in event)
            heard = [next(told)["payload"] for _ in range(2)]
            assert sorted(heard) == ["of 7", "of 8"]
        finally:
            watcher.terminate()


def test_send_over_several_ways_or_without_a_receipt(cluster):
    watcher = cluster[1].watch()
    try:
        reply = cluster[0].ask("send", cluster[1].id, "three", "--copies", "3")
        assert reply["failure"] == "NONE"
        assert cluster[0].ask("send", cluster[1].id, "and forget", "--no-receipt")["hops"] == 0
        assert ctl("--node", cluster[0].socket, "--json", "send", "0" * 40, "to nobody",
                   "--no-receipt").returncode == 0  # fmt: skip
        events = (json.loads(line) for line in iter(watcher.stdout.readline, ""))
        heard = (event["message"]["payload"] for event in events if "message" in event)
        assert [next(heard), next(heard)] == ["three", "and forget"]
    finally:
        watcher.terminate()
        watcher.wait(timeout=10)


def test_absent_key_is_no_fault_of_the_overlay(cluster):
    done = ctl("--node", cluster[0].socket, "get", "nothing here")
    assert done.returncode == 1
    assert done.stderr == "tomboloctl: nothing is stored under 'nothing here'\n"
    assert json.loads(cluster[0].ctl("get", "nothing here").stdout)["found"] is False


@pytest.mark.parametrize(
    ("payload", "shown", "field", "value"),
    [
        (b"gr\xc3\xbc\xc3\x9fe", "grüße", "value", "grüße"),
        (b"\xff\xfe", "hex:fffe", "value_hex", "fffe"),
        (b"two\nlines", "hex:74776f0a6c696e6573", "value", "two\nlines"),
        (b"\xc2\x9b2J", "hex:c29b324a", "value", "\x9b2J"),  # would clear the screen
        (b"hex:00", "hex:6865783a3030", "value", "hex:00"),
    ],
)
def test_bytes_are_told_from_text(cluster, payload, shown, field, value):
    node = cluster[0].socket
    assert ctl("--node", node, "put", f"bytes {shown}", payload).returncode == 0
    assert shown in ctl("--node", node, "get", f"bytes {shown}").stdout.split()
    reply = cluster[0].ask("get", f"bytes {shown}")
    assert reply[field] == value
    assert len({"value", "value_hex"} & set(reply)) == 1


def line_of(process) -> str:
    return process.stdout.readline() if select.select([process.stdout], [], [], 0)[0] else ""


def commands() -> list[str]:
    section = ctl("--help").stdout.partition("Subcommands:")[2].partition("\n\n")[0]
    return re.findall(r"(?m)^  (\w+)", section)


def complete(words: str, command_line_word: int) -> set[str]:
    script = f"""
        source <({shlex.quote(str(CTL))} completion bash)
        COMP_WORDS=({words}); COMP_CWORD={command_line_word}
        _tomboloctl; echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=30)
    assert done.stderr == ""
    return set(done.stdout.split())


def test_bash_completes_commands_and_flags():
    assert complete("tomboloctl st", 1) == {"status"}
    assert complete("tomboloctl re", 1) == {"reload"}
    assert set(commands()) <= complete('tomboloctl ""', 1)
    assert "--deadline" in complete("tomboloctl send --d", 2)
    assert complete("tomboloctl --json put --s", 3) == {"--sequence"}
    assert complete("tomboloctl completion z", 2) == {"zsh"}


def test_zsh_script_names_every_command():
    script = ctl("completion", "zsh").stdout
    assert script.startswith("#compdef tomboloctl\n")
    for command in commands():
        assert f"'{command}:" in script


@pytest.mark.parametrize("command", [*commands(), ""])
def test_help_explains_every_command_and_argument(command):
    done = ctl(*command.split(), "--help")
    assert done.returncode == 0
    # What has no explanation is followed by the next option, or by nothing.
    entries = re.split(r"\n  (?=\S)", done.stdout.partition(":\n")[2])
    for entry in entries:
        words = re.sub(r"\(Env:\w+\)|:\w+|[A-Z{},]+\b|--?\w[\w-]*", "", entry)
        assert len(re.findall(r"[a-z]{2,}", words)) >= 2, f"unexplained: {entry}"


def test_help_names_environment_exit_status_and_examples_that_can_be_parsed():
    text = ctl("--help").stdout
    for variable in ("TOMBOLO_NODE", "TOMBOLO_CA", "TOMBOLO_TOKEN_FILE"):
        assert variable in text.partition("Environment:")[2]
    assert "Exit status: 0 done; 1 " in text
    assert "default 127.0.0.1:7401" in text
    examples = re.findall(r"^  tomboloctl (.*)$", text.partition("Examples:")[2], re.MULTILINE)
    assert len(examples) >= 4
    for example in examples:
        for line in example.split(" && tomboloctl "):
            words = re.sub(r"--node \S+ ", "", line.partition(" > ")[0])
            done = ctl(*shlex.split(words), "--node", "127.0.0.1:1", "--timeout", "1")
            good = done.returncode == 1 or "cannot read ca.pem" in done.stderr
            assert good, f"{example}: {done.stderr}"


@pytest.mark.parametrize(
    "option", ["send --deadline", "send --copies", "broadcast --ttl", "broadcast --max-hops",
               "broadcast --topic", "put --ttl", "put --sequence", " --timeout", " --node", " --ca"],
)  # fmt: skip
def test_help_of_an_option_says_its_default(option):
    command, _, flag = option.partition(" ")
    text = ctl(*command.split(), "--help").stdout
    entry = re.search(rf"\n  {flag}\b.*?(?=\n  -|\n\n)", text, re.DOTALL)
    assert "default" in entry[0]


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["stats"], "status"),
        (["--json", "brodcast", "x"], "broadcast"),
        (["--node", "a:1", "pears"], "peers"),
    ],
)
def test_mistyped_command_is_named_with_the_one_that_was_meant(words, meant):
    done = ctl(*words)
    assert done.returncode == 2
    assert f"did you mean '{meant}'?" in done.stderr


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "a command is missing; see --help"),
        (
            ["--tokn-file", "x", "status"],
            "unknown argument '--tokn-file'; did you mean '--token-file'?",
        ),
        (["--control=x", "status"], "unknown argument '--control=x'; see --help"),
        (["peers", "--jsn"], "peers: unknown argument '--jsn'; did you mean '--json'?"),
        (["peers", "all"], "peers: unknown argument 'all'; see --help"),
        (["send"], "send: ID is required"),
        (["send", "abc", "x"], "send: ID: an id has 40 hexadecimal digits"),
        (["put", "k", "v", "--sequence", "-1"], "put: --sequence: '-1' is no number from 0 on"),
        (["broadcast", "x", "--topic=-1"], "broadcast: --topic: '-1' is no number from 0 on"),
        (["put", "k", "x" * 70_000], "put: TEXT: it has 70000 bytes; 65536 are allowed"),
        (
            ["--node", "127.0.0.1", "status"],
            "status: --node: '127.0.0.1' is neither HOST:PORT nor unix:PATH",
        ),
        (["send", "a" * 40, "x", "--copies", "9"], "send: --copies: Value 9 not in range 1 to 8"),
        (["--timeout", "0", "status"], "status: --timeout: Value 0 not in range 1 to 86400"),
        (["--timeout=-1", "status"], "status: --timeout: Value -1 not in range 1 to 86400"),
    ],
)
def test_bad_usage_is_one_line_that_names_command_and_argument(words, complaint):
    done = ctl(*words)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"tomboloctl: {complaint}\n")


def test_without_a_node_the_answer_says_where_none_was_found():
    done = ctl("--node", "127.0.0.1:1", "status")
    assert done.returncode == 1
    assert done.stderr.startswith("tomboloctl: no node answers; ")
    assert "127.0.0.1:1" in done.stderr


def test_general_options_are_understood_before_and_after_the_command(cluster):
    node = cluster[0].socket
    for words in (["--node", node, "--json", "status"], ["status", "--json", "--node", node]):
        assert cluster[0].id in json.loads(ctl(*words).stdout).values()


def test_mistyped_line_of_a_script_is_told_too(cluster):
    done = subprocess.run([CTL, "--node", cluster[0].socket, "script"], input="stats\n",
                          capture_output=True, text=True, timeout=30)  # fmt: skip
    assert "did you mean 'status'?" in done.stdout


def test_queued_bytes_are_those_of_now(cluster):
    cluster[0].send(cluster[1].id, "x" * 60_000)
    until(
        "all is written",
        lambda: all(peer["queued_bytes"] == 0 for peer in cluster[0].ask("peers")["peers"]),
    )


def test_status_says_whether_a_name_can_be_dialled(tmp_path):
    with Cluster(4, tmp_path) as cluster:
        cluster.wait_joined()
        hidden = cluster.add("--links-advertise", "localhost:1")  # where nobody listens
        until("it knows", lambda: hidden.ask("status")["reachability"] == "NO", 60)


def test_name_that_nobody_finds_is_a_warning(tmp_path):
    with Cluster(1, tmp_path) as cluster:
        node = cluster.add("--links-advertise", "relay.invalid:7400")  # RFC 2606: is never found
        wanted = "links.advertise: relay.invalid is not found"
        until("it is told", lambda: wanted in (node.folder / "log").read_text(), 60)


def test_status_says_whether_it_can_be_dialled(cluster):
    until("the first is dialled", lambda: cluster[0].ask("status")["reachability"] == "YES")
    until("the second, too", lambda: cluster[1].ask("status")["reachability"] == "YES")
