"""Real nodes on loopback that split and heal: the verbs of `tombolo.World`, with processes.

    from tombolo.cluster import Cluster

    with Cluster(24, bootstrap=3) as cluster:
        cluster.wait_joined()
        cluster.partition([0.5, 0.5])
        ...
        cluster.heal()
        print(cluster.wait_reachable(limit_s=15))

Linux, the programs `tombolo-node` and `tomboloctl`, and nothing else: no privilege, and no compiled
module but for comparisons with the simulator. What can be cut and how, and where it differs from a real network: `tombolo.cluster._proxy`.
"""

from tombolo.cluster._cluster import Cluster, find_programs
from tombolo.cluster._comparison import Comparison
from tombolo.cluster._control import Control, ControlError
from tombolo.cluster._netns import NetworkUnavailableError
from tombolo.cluster._process import DeadlineError, NodeDiedError, NodeProcess, until
from tombolo.cluster._results import Sent, Traffic

__all__ = [
    "Cluster",
    "Comparison",
    "Control",
    "ControlError",
    "DeadlineError",
    "NetworkUnavailableError",
    "NodeDiedError",
    "NodeProcess",
    "Sent",
    "Traffic",
    "find_programs",
    "until",
]
