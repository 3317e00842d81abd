"""Records survive kill -9: what a Put has acknowledged is there again, whenever the process dies."""

import random
import threading

from cluster import Cluster, until


def test_acknowledged_records_survive_the_death_of_all_nodes(tmp_path):
    with Cluster(3, tmp_path) as cluster:
        cluster.wait_joined()
        for i in range(10):
            assert cluster[i % 3].ask("put", f"key {i}", f"value {i}")["stored"] == 3
        for node in cluster.nodes:
            node.kill()
        for node in cluster.nodes:  # ports are new, so that only the first can be a way in
            node.bootstrap = [cluster[0].address] if node is not cluster[0] else []
            node.start()
        cluster.wait_joined()
        for i in range(10):
            assert cluster[(i + 1) % 3].ask("get", f"key {i}")["value"] == f"value {i}"


def test_later_put_wins_without_a_sequence(tmp_path):
    with Cluster(2, tmp_path) as cluster:
        cluster.wait_joined()
        for value in ("blue", "red"):
            assert cluster[0].ask("put", "colour", value)["stored"] == 2
            assert cluster[1].ask("get", "colour")["value"] == value


def test_put_beyond_the_limit_says_which_limit_it_was(tmp_path):
    with Cluster(2, tmp_path, "--limits-records", "1") as cluster:
        cluster.wait_joined()
        assert cluster[0].ask("put", "first", "value")["stored"] >= 1
        refused = cluster[0].ctl("put", "second", "value")
        assert refused.returncode == 1
        assert "limits.records" in refused.stderr
        assert cluster[0].ask("put", "first", "another value")["stored"] >= 1
        assert cluster[0].ask("status")["counters"]["puts_refused"] == 1


class Writer(threading.Thread):
    """Puts one record after the other until the node dies; `acknowledged` are those that it answered for."""

    def __init__(self, node, first: int):
        super().__init__()
        self.node, self.first, self.acknowledged = node, first, []

    def run(self) -> None:
        for i in range(self.first, self.first + 10_000):
            if self.node.ctl("put", f"k{i}", f"v{i}").returncode != 0:
                return
            self.acknowledged.append(i)


def test_kill_at_any_moment_loses_nothing_that_was_acknowledged(tmp_path):
    random.seed(7)
    with Cluster(1, tmp_path, "--limits-records", "100000") as cluster:
        node = cluster[0]
        acknowledged: list[int] = []
        for life in range(8):
            writers = [Writer(node, life * 1_000_000 + k * 10_000) for k in range(2)]
            for writer in writers:
                writer.start()
            enough = random.randrange(1, 40)
            until("some are written", lambda w=writers, n=enough: len(w[0].acknowledged) >= n)
            node.kill()
            for writer in writers:
                writer.join(timeout=30)
                acknowledged += writer.acknowledged
            node.start()
            assert "was damaged" not in (node.folder / "log").read_text()
        until("joined", lambda: node.ask("status")["state"] == "JOINED")
        for i in acknowledged:
            assert node.ask("get", f"k{i}")["value"] == f"v{i}"


def test_damaged_file_is_set_aside_and_said_so(tmp_path):
    with Cluster(1, tmp_path) as cluster:
        node = cluster[0]
        assert node.ask("put", "colour", "blue")["stored"] == 1
        node.kill()
        for part in ("", "-wal", "-shm"):
            path = node.folder / f"records.db{part}"
            if path.exists():
                path.write_bytes(b"no database" * 1000)
        node.start()
        assert "was damaged: it is now" in (node.folder / "log").read_text()
        assert (node.folder / "records.db.corrupt-1").read_bytes().startswith(b"no database")
        assert node.ctl("get", "colour").returncode == 1
        assert node.ask("put", "colour", "green")["stored"] == 1
