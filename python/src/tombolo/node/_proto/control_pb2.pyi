from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DEADLINE: Failure
DESCRIPTOR: _descriptor.FileDescriptor
LEFT: Failure
NONE: Failure
NO_LINKS: Failure
OVERLOAD: Failure
REFUSED: Failure
UNDIALABLE: Failure
UNREACHABLE: Failure

class AttachReply(_message.Message):
    __slots__ = ["attached", "holders", "home"]
    ATTACHED_FIELD_NUMBER: _ClassVar[int]
    HOLDERS_FIELD_NUMBER: _ClassVar[int]
    HOME_FIELD_NUMBER: _ClassVar[int]
    attached: bool
    holders: int
    home: bytes
    def __init__(self, attached: bool = ..., holders: _Optional[int] = ..., home: _Optional[bytes] = ...) -> None: ...

class AttachRequest(_message.Message):
    __slots__ = ["client", "sequence"]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    client: Key
    sequence: int
    def __init__(self, client: _Optional[_Union[Key, _Mapping]] = ..., sequence: _Optional[int] = ...) -> None: ...

class BroadcastEvent(_message.Message):
    __slots__ = ["hops", "origin", "payload", "sequence", "topic"]
    HOPS_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    hops: int
    origin: bytes
    payload: bytes
    sequence: int
    topic: int
    def __init__(self, origin: _Optional[bytes] = ..., payload: _Optional[bytes] = ..., hops: _Optional[int] = ..., topic: _Optional[int] = ..., sequence: _Optional[int] = ...) -> None: ...

class BroadcastReply(_message.Message):
    __slots__ = ["complete", "delivered", "failure"]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    complete: bool
    delivered: int
    failure: Failure
    def __init__(self, failure: _Optional[_Union[Failure, str]] = ..., delivered: _Optional[int] = ..., complete: bool = ...) -> None: ...

class BroadcastRequest(_message.Message):
    __slots__ = ["acknowledge", "deadline_ms", "max_hops", "payload", "topic", "ttl_ms"]
    ACKNOWLEDGE_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    MAX_HOPS_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    TTL_MS_FIELD_NUMBER: _ClassVar[int]
    acknowledge: bool
    deadline_ms: int
    max_hops: int
    payload: bytes
    topic: int
    ttl_ms: int
    def __init__(self, payload: _Optional[bytes] = ..., topic: _Optional[int] = ..., acknowledge: bool = ..., deadline_ms: _Optional[int] = ..., ttl_ms: _Optional[int] = ..., max_hops: _Optional[int] = ...) -> None: ...

class ChannelAccept(_message.Message):
    __slots__ = ["service"]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    service: str
    def __init__(self, service: _Optional[str] = ...) -> None: ...

class ChannelHalfClose(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class ChannelInput(_message.Message):
    __slots__ = ["accept", "data", "half_close", "open", "reset"]
    ACCEPT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    HALF_CLOSE_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    RESET_FIELD_NUMBER: _ClassVar[int]
    accept: ChannelAccept
    data: bytes
    half_close: ChannelHalfClose
    open: ChannelOpen
    reset: ChannelReset
    def __init__(self, open: _Optional[_Union[ChannelOpen, _Mapping]] = ..., accept: _Optional[_Union[ChannelAccept, _Mapping]] = ..., data: _Optional[bytes] = ..., half_close: _Optional[_Union[ChannelHalfClose, _Mapping]] = ..., reset: _Optional[_Union[ChannelReset, _Mapping]] = ...) -> None: ...

class ChannelOpen(_message.Message):
    __slots__ = ["id", "service"]
    ID_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    service: str
    def __init__(self, id: _Optional[bytes] = ..., service: _Optional[str] = ...) -> None: ...

class ChannelOpened(_message.Message):
    __slots__ = ["id", "service"]
    ID_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    service: str
    def __init__(self, id: _Optional[bytes] = ..., service: _Optional[str] = ...) -> None: ...

class ChannelOutput(_message.Message):
    __slots__ = ["data", "half_close", "opened", "reset"]
    DATA_FIELD_NUMBER: _ClassVar[int]
    HALF_CLOSE_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    RESET_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    half_close: ChannelHalfClose
    opened: ChannelOpened
    reset: ChannelReset
    def __init__(self, opened: _Optional[_Union[ChannelOpened, _Mapping]] = ..., data: _Optional[bytes] = ..., half_close: _Optional[_Union[ChannelHalfClose, _Mapping]] = ..., reset: _Optional[_Union[ChannelReset, _Mapping]] = ...) -> None: ...

class ChannelReset(_message.Message):
    __slots__ = ["reason", "text"]
    class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    CANCELLED: ChannelReset.Reason
    LEAVING: ChannelReset.Reason
    NO_SERVICE: ChannelReset.Reason
    OVERLOAD: ChannelReset.Reason
    PROTOCOL: ChannelReset.Reason
    REASON_FIELD_NUMBER: _ClassVar[int]
    REFUSED: ChannelReset.Reason
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT: ChannelReset.Reason
    UNKNOWN: ChannelReset.Reason
    UNSPECIFIED: ChannelReset.Reason
    reason: ChannelReset.Reason
    text: str
    def __init__(self, reason: _Optional[_Union[ChannelReset.Reason, str]] = ..., text: _Optional[str] = ...) -> None: ...

class ConnectReply(_message.Message):
    __slots__ = ["failure"]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    failure: Failure
    def __init__(self, failure: _Optional[_Union[Failure, str]] = ...) -> None: ...

class ConnectRequest(_message.Message):
    __slots__ = ["id"]
    ID_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    def __init__(self, id: _Optional[bytes] = ...) -> None: ...

class DisconnectReply(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class DisconnectRequest(_message.Message):
    __slots__ = ["id"]
    ID_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    def __init__(self, id: _Optional[bytes] = ...) -> None: ...

class DrainReply(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class DrainRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Event(_message.Message):
    __slots__ = ["broadcast", "joined", "leaving", "message", "missed", "peer_lost", "peer_up", "subscribed"]
    BROADCAST_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    LEAVING_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    PEER_LOST_FIELD_NUMBER: _ClassVar[int]
    PEER_UP_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBED_FIELD_NUMBER: _ClassVar[int]
    broadcast: BroadcastEvent
    joined: JoinedEvent
    leaving: LeavingEvent
    message: MessageEvent
    missed: MissedEvent
    peer_lost: PeerLostEvent
    peer_up: PeerUpEvent
    subscribed: SubscribedEvent
    def __init__(self, message: _Optional[_Union[MessageEvent, _Mapping]] = ..., broadcast: _Optional[_Union[BroadcastEvent, _Mapping]] = ..., peer_up: _Optional[_Union[PeerUpEvent, _Mapping]] = ..., peer_lost: _Optional[_Union[PeerLostEvent, _Mapping]] = ..., joined: _Optional[_Union[JoinedEvent, _Mapping]] = ..., missed: _Optional[_Union[MissedEvent, _Mapping]] = ..., subscribed: _Optional[_Union[SubscribedEvent, _Mapping]] = ..., leaving: _Optional[_Union[LeavingEvent, _Mapping]] = ...) -> None: ...

class GetReply(_message.Message):
    __slots__ = ["found", "hops", "sequence", "value"]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    HOPS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    found: bool
    hops: int
    sequence: int
    value: bytes
    def __init__(self, found: bool = ..., value: _Optional[bytes] = ..., sequence: _Optional[int] = ..., hops: _Optional[int] = ...) -> None: ...

class GetRequest(_message.Message):
    __slots__ = ["key"]
    KEY_FIELD_NUMBER: _ClassVar[int]
    key: Key
    def __init__(self, key: _Optional[_Union[Key, _Mapping]] = ...) -> None: ...

class JoinedEvent(_message.Message):
    __slots__ = ["contacts"]
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    contacts: int
    def __init__(self, contacts: _Optional[int] = ...) -> None: ...

class Key(_message.Message):
    __slots__ = ["id", "name"]
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    name: str
    def __init__(self, id: _Optional[bytes] = ..., name: _Optional[str] = ...) -> None: ...

class LeavingEvent(_message.Message):
    __slots__ = ["nodes"]
    class Node(_message.Message):
        __slots__ = ["address", "id"]
        ADDRESS_FIELD_NUMBER: _ClassVar[int]
        ID_FIELD_NUMBER: _ClassVar[int]
        address: str
        id: bytes
        def __init__(self, id: _Optional[bytes] = ..., address: _Optional[str] = ...) -> None: ...
    NODES_FIELD_NUMBER: _ClassVar[int]
    nodes: _containers.RepeatedCompositeFieldContainer[LeavingEvent.Node]
    def __init__(self, nodes: _Optional[_Iterable[_Union[LeavingEvent.Node, _Mapping]]] = ...) -> None: ...

class LookupReply(_message.Message):
    __slots__ = ["closest", "hops", "messages"]
    CLOSEST_FIELD_NUMBER: _ClassVar[int]
    HOPS_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    closest: _containers.RepeatedScalarFieldContainer[bytes]
    hops: int
    messages: int
    def __init__(self, closest: _Optional[_Iterable[bytes]] = ..., hops: _Optional[int] = ..., messages: _Optional[int] = ...) -> None: ...

class LookupRequest(_message.Message):
    __slots__ = ["key"]
    KEY_FIELD_NUMBER: _ClassVar[int]
    key: Key
    def __init__(self, key: _Optional[_Union[Key, _Mapping]] = ...) -> None: ...

class MessageEvent(_message.Message):
    __slots__ = ["hops", "origin", "payload"]
    HOPS_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    hops: int
    origin: bytes
    payload: bytes
    def __init__(self, origin: _Optional[bytes] = ..., payload: _Optional[bytes] = ..., hops: _Optional[int] = ...) -> None: ...

class MissedEvent(_message.Message):
    __slots__ = ["events"]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: int
    def __init__(self, events: _Optional[int] = ...) -> None: ...

class PeerLostEvent(_message.Message):
    __slots__ = ["id"]
    ID_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    def __init__(self, id: _Optional[bytes] = ...) -> None: ...

class PeerUpEvent(_message.Message):
    __slots__ = ["id"]
    ID_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    def __init__(self, id: _Optional[bytes] = ...) -> None: ...

class PeersReply(_message.Message):
    __slots__ = ["peers"]
    class Peer(_message.Message):
        __slots__ = ["address", "id", "kept", "outbound", "queued_bytes", "rtt_us", "since_ms"]
        ADDRESS_FIELD_NUMBER: _ClassVar[int]
        ID_FIELD_NUMBER: _ClassVar[int]
        KEPT_FIELD_NUMBER: _ClassVar[int]
        OUTBOUND_FIELD_NUMBER: _ClassVar[int]
        QUEUED_BYTES_FIELD_NUMBER: _ClassVar[int]
        RTT_US_FIELD_NUMBER: _ClassVar[int]
        SINCE_MS_FIELD_NUMBER: _ClassVar[int]
        address: str
        id: bytes
        kept: bool
        outbound: bool
        queued_bytes: int
        rtt_us: int
        since_ms: int
        def __init__(self, id: _Optional[bytes] = ..., address: _Optional[str] = ..., outbound: bool = ..., kept: bool = ..., rtt_us: _Optional[int] = ..., since_ms: _Optional[int] = ..., queued_bytes: _Optional[int] = ...) -> None: ...
    PEERS_FIELD_NUMBER: _ClassVar[int]
    peers: _containers.RepeatedCompositeFieldContainer[PeersReply.Peer]
    def __init__(self, peers: _Optional[_Iterable[_Union[PeersReply.Peer, _Mapping]]] = ...) -> None: ...

class PeersRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class PutReply(_message.Message):
    __slots__ = ["rejected", "stored"]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    STORED_FIELD_NUMBER: _ClassVar[int]
    rejected: int
    stored: int
    def __init__(self, stored: _Optional[int] = ..., rejected: _Optional[int] = ...) -> None: ...

class PutRequest(_message.Message):
    __slots__ = ["key", "sequence", "ttl_s", "value"]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TTL_S_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: Key
    sequence: int
    ttl_s: int
    value: bytes
    def __init__(self, key: _Optional[_Union[Key, _Mapping]] = ..., value: _Optional[bytes] = ..., sequence: _Optional[int] = ..., ttl_s: _Optional[int] = ...) -> None: ...

class ReloadReply(_message.Message):
    __slots__ = ["changed", "restart_required"]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    RESTART_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    changed: _containers.RepeatedScalarFieldContainer[str]
    restart_required: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, changed: _Optional[_Iterable[str]] = ..., restart_required: _Optional[_Iterable[str]] = ...) -> None: ...

class ReloadRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class SendReply(_message.Message):
    __slots__ = ["elapsed_us", "failure", "hops"]
    ELAPSED_US_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    HOPS_FIELD_NUMBER: _ClassVar[int]
    elapsed_us: int
    failure: Failure
    hops: int
    def __init__(self, failure: _Optional[_Union[Failure, str]] = ..., hops: _Optional[int] = ..., elapsed_us: _Optional[int] = ...) -> None: ...

class SendRequest(_message.Message):
    __slots__ = ["copies", "deadline_ms", "id", "no_receipt", "payload"]
    COPIES_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    NO_RECEIPT_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    copies: int
    deadline_ms: int
    id: bytes
    no_receipt: bool
    payload: bytes
    def __init__(self, id: _Optional[bytes] = ..., payload: _Optional[bytes] = ..., deadline_ms: _Optional[int] = ..., copies: _Optional[int] = ..., no_receipt: bool = ...) -> None: ...

class StatusReply(_message.Message):
    __slots__ = ["addresses", "connections", "contacts", "counters", "dialable", "http", "id", "links", "listening", "reachability", "state", "uptime_ms", "version"]
    class Reachability(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    class CountersEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    DIALABLE_FIELD_NUMBER: _ClassVar[int]
    HTTP_FIELD_NUMBER: _ClassVar[int]
    IDLE: StatusReply.State
    ID_FIELD_NUMBER: _ClassVar[int]
    JOINED: StatusReply.State
    JOINING: StatusReply.State
    LEFT: StatusReply.State
    LINKS_FIELD_NUMBER: _ClassVar[int]
    LISTENING_FIELD_NUMBER: _ClassVar[int]
    NO: StatusReply.Reachability
    REACHABILITY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN: StatusReply.Reachability
    UPTIME_MS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    YES: StatusReply.Reachability
    addresses: _containers.RepeatedScalarFieldContainer[str]
    connections: int
    contacts: int
    counters: _containers.ScalarMap[str, int]
    dialable: bool
    http: str
    id: bytes
    links: int
    listening: str
    reachability: StatusReply.Reachability
    state: StatusReply.State
    uptime_ms: int
    version: str
    def __init__(self, id: _Optional[bytes] = ..., version: _Optional[str] = ..., state: _Optional[_Union[StatusReply.State, str]] = ..., uptime_ms: _Optional[int] = ..., listening: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ..., dialable: bool = ..., connections: _Optional[int] = ..., links: _Optional[int] = ..., contacts: _Optional[int] = ..., counters: _Optional[_Mapping[str, int]] = ..., reachability: _Optional[_Union[StatusReply.Reachability, str]] = ..., http: _Optional[str] = ...) -> None: ...

class StatusRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class SubscribeRequest(_message.Message):
    __slots__ = ["topics"]
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    topics: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, topics: _Optional[_Iterable[int]] = ...) -> None: ...

class SubscribedEvent(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class TopologyReply(_message.Message):
    __slots__ = ["buckets", "links", "predecessors", "successors"]
    class Bucket(_message.Message):
        __slots__ = ["contacts", "level"]
        CONTACTS_FIELD_NUMBER: _ClassVar[int]
        LEVEL_FIELD_NUMBER: _ClassVar[int]
        contacts: _containers.RepeatedScalarFieldContainer[bytes]
        level: int
        def __init__(self, level: _Optional[int] = ..., contacts: _Optional[_Iterable[bytes]] = ...) -> None: ...
    BUCKETS_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    PREDECESSORS_FIELD_NUMBER: _ClassVar[int]
    SUCCESSORS_FIELD_NUMBER: _ClassVar[int]
    buckets: _containers.RepeatedCompositeFieldContainer[TopologyReply.Bucket]
    links: _containers.RepeatedScalarFieldContainer[bytes]
    predecessors: _containers.RepeatedScalarFieldContainer[bytes]
    successors: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, buckets: _Optional[_Iterable[_Union[TopologyReply.Bucket, _Mapping]]] = ..., successors: _Optional[_Iterable[bytes]] = ..., predecessors: _Optional[_Iterable[bytes]] = ..., links: _Optional[_Iterable[bytes]] = ...) -> None: ...

class TopologyRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Failure(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
