"""Who may link to a real node: network keys and deny lists, as an operator sets them."""

from cluster import Cluster, until


def key_flags(folder, byte: str) -> list[str]:
    path = folder / f"network-{byte}.key"
    path.write_text(byte * 32 + "\n")
    path.chmod(0o600)
    return ["--security-network-key", str(path)]


def counter(node, name: str) -> int:
    return node.ask("status")["counters"][name]


def test_only_nodes_with_the_key_are_let_in(tmp_path):
    with Cluster(3, tmp_path, *key_flags(tmp_path, "k")) as cluster:
        cluster.wait_joined()
        assert cluster[1].send(cluster[2].id, "among us")["failure"] == "NONE"
        for flags in ([], key_flags(tmp_path, "o")):
            outsider = cluster.add(*flags)
            until(
                "its dial has failed",
                lambda node=outsider: counter(node, "transport_dials_failed") > 0,
            )
            assert outsider.peers() == set()
            assert outsider.id not in cluster[0].peers()
            outsider.kill()


def test_denied_id_is_kept_out(tmp_path, tmp_path_factory):
    with Cluster(1, tmp_path) as single:
        denied, folder = single[0].id, single[0].folder
    with Cluster(1, tmp_path_factory.mktemp("warden"), "--security-deny", denied) as cluster:
        stranger = cluster.add(folder=folder.rename(tmp_path / "stranger"))
        assert stranger.id == denied
        until("it is refused", lambda: counter(cluster[0], "transport_refused_list") > 0)
        assert cluster[0].peers() == set()
