"""The table of limits in docs/operations.md: each key has a row, and each row counters that there are."""

import re

from cluster import ROOT, Cluster
from test_command_line import run
from test_http import get, parse_metrics


def rows() -> dict[str, list[str]]:
    """Counters by key, from the table."""
    section = (ROOT / "docs" / "operations.md").read_text().partition("\n## Limits\n")[2]
    found: dict[str, list[str]] = {}
    for line in section.partition("\n## ")[0].splitlines():
        cells = line.strip("|").split("|")
        if not line.startswith("| `"):
            continue
        keys, counters = (re.findall(r"`([\w.]+)`", cells[i]) for i in (0, -1))
        for key in keys:
            assert key not in found, f"{key} twice"
            assert counters, f"{key} has no counter"
            found[key] = counters
    return found


def limits() -> set[str]:
    """The keys that are limits, from the program."""
    keys = re.findall(r"\[([a-z_]+\.\w+), TOMBOLO_", run("--help").stdout.replace("\n", " "))
    gateway = "clients|clients_per_address|messages_per_s|bytes_per_s|message_bytes|queue_bytes"
    pattern = rf"limits\.\w+|http\.connections\w*|peer_relay\.({gateway}|handshake_s|idle_s)"
    return {key for key in keys if re.fullmatch(pattern, key)}


def test_every_limit_is_explained():
    assert len(limits()) > 20
    assert set(rows()) == limits()


def test_every_counter_of_a_limit_exists(tmp_path):
    with Cluster(1, tmp_path, "--peer-relay-listen", "127.0.0.1:0") as cluster:
        counters = set(cluster[0].ask("status")["counters"])
        counters |= set(parse_metrics(get(cluster[0], "/metrics")[2]))
    # Of messages that the core drops, the status has the reasons that there were; metrics have all.
    missing = {name for names in rows().values() for name in names} - counters
    assert not missing
