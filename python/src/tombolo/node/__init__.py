"""Real nodes from Python: the verbs of `tombolo.World` over the control API of a `tombolo-node`.

    from tombolo.node import Client

    with Client("127.0.0.1:7401") as client:
        print(client.status().contacts)
        client.put(None, "a name", b"value")
        client.get(None, "a name").value

`AsyncClient` is the same for asyncio; `Socket` and `create_datagram_endpoint` are datagrams between
nodes. Needs gRPC: ``pip install './python[node]'`` in a clone.
"""

from tombolo.optional import require

require("grpc", "node")
require("google.protobuf", "node")

from tombolo.node._async_client import AsyncClient  # noqa: E402
from tombolo.node._attachment import Attachment  # noqa: E402
from tombolo.node._channel import (  # noqa: E402
    ChannelListener,
    ChannelResetError,
    ChannelWriter,
)
from tombolo.node._client import Client, SyncAttachment, SyncEventStream  # noqa: E402
from tombolo.node._datagram import DatagramTransport, create_datagram_endpoint  # noqa: E402
from tombolo.node._errors import (  # noqa: E402
    BusyError,
    CallTimeoutError,
    NodeError,
    UnauthenticatedError,
    UnreachableError,
)
from tombolo.node._events import EventStream  # noqa: E402
from tombolo.node._results import Reloaded, Status, Topology  # noqa: E402
from tombolo.node._socket import Socket  # noqa: E402
from tombolo.node._sync_channel import Channel, SyncChannelListener  # noqa: E402

__all__ = [
    "AsyncClient",
    "Attachment",
    "BusyError",
    "CallTimeoutError",
    "Channel",
    "ChannelListener",
    "ChannelResetError",
    "ChannelWriter",
    "Client",
    "DatagramTransport",
    "EventStream",
    "NodeError",
    "Reloaded",
    "Socket",
    "Status",
    "SyncAttachment",
    "SyncChannelListener",
    "SyncEventStream",
    "Topology",
    "UnauthenticatedError",
    "UnreachableError",
    "create_datagram_endpoint",
]
