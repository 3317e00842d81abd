"""Network namespaces for the nodes of a cluster: a kernel's own network, cut by its own routing.

Every node has a namespace with one interface, a wire to a hub namespace that forwards. A cut path is
a routing rule of the hub that drops what goes from one node to the other without a word; TCP then
does what it does in a real network, its retransmissions after the heal included. Delays are those of
`tc netem`, everywhere the same.

Needs Linux with user namespaces (or root), and the programs ip, nsenter, unshare and, for delays, tc
with the kernel's netem. What is missing is said by `NetworkUnavailableError`, never passed over.

Bounds: 16,384 nodes. Ownership: the namespaces end with the processes that hold them, which end with
this object or, since they read a pipe of it, with the program.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable

Wish = Callable[[int, int], tuple[bool, float]]  # (from, to) -> (open, seconds one way)

_PORT = 7400
_ANSWER_S = 10.0


class NetworkUnavailableError(OSError):
    """This system does not allow the network that was asked for; says what is missing."""


def _run(command: list[str], text: str = "") -> str:
    """The output of a command; raises NetworkUnavailableError with what it complained of."""
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=_ANSWER_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NetworkUnavailableError(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        complaint = (done.stderr or done.stdout).strip().splitlines()
        said = complaint[0] if complaint else f"status {done.returncode}"
        raise NetworkUnavailableError(f"{' '.join(command)}: {said}")
    return done.stdout


class _Space:
    """A namespace, held by a process that waits for the end of its input."""

    def __init__(self, command: list[str]) -> None:
        try:
            self._holder = subprocess.Popen(
                [*command, "sh", "-c", "echo ready; exec cat"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        except OSError as error:
            raise NetworkUnavailableError(f"network namespaces: {error}") from error
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != "ready\n":
            _, complaint = self._holder.communicate(timeout=_ANSWER_S)
            raise NetworkUnavailableError(f"network namespaces: {complaint.strip()}")

    @property
    def pid(self) -> int:
        return self._holder.pid

    @property
    def prefix(self) -> list[str]:
        """What a command begins with to run here."""
        return ["nsenter", "-t", str(self.pid), "-U", "-n", "--preserve-credentials", "--"]

    def close(self) -> None:
        self._holder.communicate(timeout=_ANSWER_S)


class Namespaces:
    """The network of a cluster, as `tombolo.cluster._proxy.Proxy`, with namespaces."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._hub = _Space(["unshare", "--user", "--map-root-user", "--net"])
        self._spaces: dict[int, _Space] = {}
        self._blocked: set[tuple[int, int]] = set()
        self._delay_s = 0.0
        self._wish: Wish = lambda _a, _b: (True, 0.0)
        try:
            _run([*self._hub.prefix, "sysctl", "-qw", "net.ipv4.ip_forward=1"])
        except BaseException:
            self._hub.close()
            raise

    @staticmethod
    def _host(node: int, end: int) -> str:
        """The wire of a node has four addresses: 1 is the hub's end of it, 2 the node's."""
        place = 4 * node + end
        return f"10.77.{place >> 8}.{place & 255}"

    def open(self, node: int) -> str:
        """Makes the node's namespace; returns the address that it has, HOST:PORT."""
        enter = ["nsenter", "-t", str(self._hub.pid), "-U", "--preserve-credentials", "--"]
        space = _Space([*enter, "unshare", "--net"])
        self._spaces[node] = space
        near, far = self._host(node, 1), self._host(node, 2)
        wire = f"link add v{node} type veth peer name eth0 netns {space.pid}\n"
        wire += f"addr add {near}/30 dev v{node}\nlink set v{node} up\n"
        _run([*self._hub.prefix, "ip", "-batch", "-"], wire)
        inside = f"link set lo up\naddr add {far}/30 dev eth0\nlink set eth0 up\n"
        inside += f"route add default via {near}\n"
        _run([*space.prefix, "ip", "-batch", "-"], inside)
        if self._delay_s > 0:
            self._slow(node, self._delay_s)
        self.shape(self._wish)
        return f"{far}:{_PORT}"

    def listen_at(self, node: int) -> str:
        """Where the process of the node is to listen."""
        return f"{self._host(node, 2)}:{_PORT}"

    def prefix(self, node: int) -> list[str]:
        """What the command of the node begins with."""
        return self._spaces[node].prefix

    def check_delay(self, of_pair: bool) -> None:
        """Raises ValueError for delays of single pairs, NetworkUnavailableError without netem."""
        if of_pair:
            raise ValueError("delays of single pairs need network='proxy'")
        try:
            wanted = "replace dev lo root netem delay 1ms"
            _run([*self._hub.prefix, "tc", "qdisc", *wanted.split()])
        except NetworkUnavailableError as error:
            raise NetworkUnavailableError(
                f"delays: this system has no netem, use network='proxy' ({error})"
            ) from error

    def starts(self, node: int, pid: int) -> None:
        """Nothing to do: where a process runs says which node it is."""

    def listens(self, node: int, port: int) -> None:
        """Nothing to do: the kernel delivers."""

    def ends(self, node: int) -> None:
        """Nothing to do: the kernel refuses."""

    def shape(self, wish: Wish) -> None:
        """From now on paths are as `wish` says."""
        self._wish = wish
        pairs = [(a, b) for a in self._spaces for b in self._spaces if a != b]
        blocked = {pair for pair in pairs if not wish(*pair)[0]}
        changes = [("add", pair) for pair in sorted(blocked - self._blocked)]
        changes += [("del", pair) for pair in sorted(self._blocked - blocked)]
        if changes:
            rules = "".join(
                f"rule {what} from {self._host(a, 2)} to {self._host(b, 2)} blackhole\n"
                for what, (a, b) in changes
            )
            _run([*self._hub.prefix, "ip", "-batch", "-"], rules)
        self._blocked = blocked
        delay_s = max((wish(*pair)[1] for pair in pairs), default=0.0)
        if delay_s != self._delay_s:
            for node in self._spaces:
                self._slow(node, delay_s)
            self._delay_s = delay_s

    def _slow(self, node: int, delay_s: float) -> None:
        """What goes to the node takes so long from the hub on."""
        command = [*self._hub.prefix, "tc", "qdisc"]
        if delay_s > 0:
            wanted = f"replace dev v{node} root netem delay {delay_s * 1e6:.0f}us limit 100000"
            _run([*command, *wanted.split()])
        else:
            _run([*command, "del", "dev", f"v{node}", "root"])

    def close(self) -> None:
        """Ends the namespaces, and with them every wire."""
        for space in self._spaces.values():
            space.close()
        self._spaces.clear()
        self._hub.close()
