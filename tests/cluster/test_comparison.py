"""Real nodes do what simulated peers do: counts of one small scenario side by side."""

import pytest
from tombolo.cluster import Cluster, until

NODES = 24
SENDS = 240
# Of the extremes of the simulated runs: for what the core decides, and for messages of a kind.
DECIDED = 0.05
COUNTED = 0.25
FEW = 40  # kinds with fewer messages, which one late answer may double, are not compared


@pytest.fixture
def cluster(tmp_path):
    with Cluster(1, tmp_path) as nodes:
        for number in range(1, NODES):
            nodes.add()
            until(f"node {number} joined", nodes[number].joined)
        yield nodes


def within(figures, tolerance):
    real, _, least, most = figures
    return least * (1 - tolerance) <= real <= most * (1 + tolerance)


def test_joins_sends_and_hops_are_those_of_the_simulator(cluster, capsys, record_property):
    comparison = cluster.compare_with_simulation(SENDS)
    with capsys.disabled():
        print(f"\n{comparison}")
    counts = comparison.as_dict()
    record_property("comparison", counts)
    summary = counts["summary"]
    assert set(summary["peers"]) == {NODES}
    assert set(summary["delivered"]) == {SENDS}
    for name in ("contacts", "links", "hops"):
        assert within(summary[name], DECIDED), name
    compared = 0
    for part in ("joins", "sends"):
        for kind, figures in counts[part].items():
            if max(figures) >= FEW:
                assert within(figures, COUNTED), f"{part}: {kind}"
                compared += 1
    assert compared >= 4  # find_node, nodes, forward, hop_ack at least


def test_cluster_that_was_cut_is_not_compared(tmp_path):
    with Cluster(2, tmp_path) as pair:
        pair.wait_joined()
        pair.cut(0, 1)
        with pytest.raises(ValueError, match="has been cut"):
            pair.compare_with_simulation(1)
        pair.heal()
        pair.kill(1)
        pair.restart(1)
        with pytest.raises(ValueError, match="have ended"):
            pair.compare_with_simulation(1)
