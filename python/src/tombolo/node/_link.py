"""The connection of a client to the control API of a node."""

from __future__ import annotations

import ipaddress
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

import grpc
import grpc.aio

from tombolo.node._errors import translate
from tombolo.node._proto import control_pb2 as control

_SERVICE = control.DESCRIPTOR.services_by_name["Control"]
_MAX_RECEIVE = 4 << 20  # bytes; replies with long lists
_OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.max_receive_message_length", _MAX_RECEIVE),
    ("grpc.enable_http_proxy", 0),  # the node is asked, not a proxy of the surroundings
)


def _is_local(address: str) -> bool:
    if address.startswith("unix:"):
        return True
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _credentials(ca: str | PathLike[str] | bytes | None) -> grpc.ChannelCredentials:
    roots = ca if ca is None or isinstance(ca, bytes) else Path(ca).read_bytes()
    return grpc.ssl_channel_credentials(roots)


class Part(Protocol):
    """What lives as long as the connection at most."""

    async def end(self) -> None: ...


class Link:
    """Calls of the service by name. Belongs to the event loop that it was made in."""

    def __init__(
        self,
        address: str,
        token: str | None,
        ca: str | PathLike[str] | bytes | None,
        tls: bool,
        timeout_s: float,
    ) -> None:
        if not isinstance(address, str) or not (
            address.startswith("unix:") or address.rpartition(":")[2].isdigit()
        ):
            raise ValueError(f"address = {address!r}: allowed are HOST:PORT and unix:PATH")
        secure = tls or ca is not None
        if token is not None and not secure and not _is_local(address):
            raise ValueError(f"token: would travel to {address} in the clear; give ca, or tls=True")
        self.address = address
        self.timeout_s = timeout_s
        self._parts: set[Part] = set()
        self._metadata = () if token is None else (("authorization", f"Bearer {token}"),)
        self._channel = (
            grpc.aio.secure_channel(address, _credentials(ca), options=_OPTIONS)
            if secure
            else grpc.aio.insecure_channel(address, options=_OPTIONS)
        )

    def _method(self, name: str) -> tuple[str, Any]:
        method = _SERVICE.methods_by_name[name]
        reply = getattr(control, method.output_type.name)
        return f"/{_SERVICE.full_name}/{name}", reply.FromString

    async def ask(self, name: str, request: Any, timeout_s: float | None = None) -> Any:
        """The reply to a call. Raises what `translate` says."""
        path, parse = self._method(name)
        call = self._channel.unary_unary(
            path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=parse,
        )
        limit = self.timeout_s if timeout_s is None else timeout_s
        try:
            return await call(request, timeout=limit, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            raise translate(error, name, self.address) from None

    def stream(self, name: str, request: Any) -> grpc.aio.UnaryStreamCall[Any, Any]:
        """Begins a call that answers more than once; its errors are for `translate`."""
        path, parse = self._method(name)
        call = self._channel.unary_stream(
            path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=parse,
        )
        return call(request, metadata=self._metadata)

    def both_ways(self, name: str) -> grpc.aio.StreamStreamCall[Any, Any]:
        """Begins a call that is written to as well."""
        path, parse = self._method(name)
        call = self._channel.stream_stream(
            path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=parse,
        )
        return call(metadata=self._metadata)

    def keep(self, part: Part) -> None:
        """To be ended before the connection is, unless it is dropped before."""
        self._parts.add(part)

    def drop(self, part: Part) -> None:
        self._parts.discard(part)

    async def close(self) -> None:
        while self._parts:
            await self._parts.pop().end()
        await self._channel.close(None)
