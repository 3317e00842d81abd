"""What can go wrong between a program and its node."""

from __future__ import annotations

import grpc


class NodeError(RuntimeError):
    """A call to a node came to nothing. Those below are more precise."""


class UnreachableError(NodeError, ConnectionError):
    """Nobody answers at the address, or the connection broke, or the node is stopping."""


class CallTimeoutError(NodeError, TimeoutError):
    """The node has not answered in time."""


class UnauthenticatedError(NodeError, PermissionError):
    """The node wants a token, or another one, or TLS."""


class BusyError(NodeError):
    """Too many requests are under way at the node."""


_KINDS: dict[grpc.StatusCode, type[Exception]] = {
    grpc.StatusCode.UNAVAILABLE: UnreachableError,
    grpc.StatusCode.CANCELLED: UnreachableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: CallTimeoutError,
    grpc.StatusCode.UNAUTHENTICATED: UnauthenticatedError,
    grpc.StatusCode.PERMISSION_DENIED: UnauthenticatedError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: BusyError,
    grpc.StatusCode.INVALID_ARGUMENT: ValueError,
}

_TLS_FAILED = (
    "TLS failed; does ca belong to its certificate? (gRPC of Python takes no Ed25519 certificates)"
)
# The first that fits holds.
_CAUSES = {
    "Connection refused": "connection refused",
    "No such file or directory": "no such file or directory",
    "CERTIFICATE_VERIFY_FAILED": "its certificate is not trusted; give the ca that has signed it",
    "WRONG_VERSION_NUMBER": "it does not speak TLS",
    "Hostname Verification": "its certificate is for another name or address",
    "Peer name": "its certificate is for another name or address",
    "Handshake read failed": _TLS_FAILED,
    "Tls handshake failed": _TLS_FAILED,
    "Failed to create security handshaker": "TLS failed; ca is no certificate in PEM",
    # With the address before it: while connecting, and not over TLS.
    ": Socket closed": "connection closed; does it want TLS (ca, or tls=True)?",
    "Socket closed": "connection closed",
}


def translate(error: grpc.RpcError, what: str, address: str) -> Exception:
    """The exception for a failed call, with a text that names the call and the address."""
    code: grpc.StatusCode = error.code()  # type: ignore[attr-defined]
    detail = (error.details() or "").strip()  # type: ignore[attr-defined]
    kind = _KINDS.get(code, NodeError)
    if kind is ValueError:
        return ValueError(f"{what}: {detail}")
    if code is grpc.StatusCode.UNAVAILABLE:
        return kind(f"{what}: no answer from the node at {address}: {_cause(detail)}")
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return kind(f"{what}: the node at {address} has not answered in time")
    return kind(f"{what}: the node at {address} says {code.name}: {detail}")


def _cause(detail: str) -> str:
    """gRPC packs the system's words into its own: the last part is what a reader wants."""
    for known, said in _CAUSES.items():
        if known.lower() in detail.lower():
            return said
    return detail
