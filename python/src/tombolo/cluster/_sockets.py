"""Which process is at the other end of a loopback connection, without any privilege.

The kernel lists every TCP socket with its inode in /proc/net/tcp and tcp6, and a process its own open
ones in /proc/PID/fd (proc(5)). Linux only.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterable

# An IPv6 socket that talks IPv4, as gRPC's do: ::ffff:a.b.c.d.
_TABLES = (("/proc/net/tcp6", "0000000000000000FFFF0000"), ("/proc/net/tcp", ""))


def _address(host: str, port: int) -> str:
    """As the tables write it: the bytes of the host in the machine's order, in hexadecimal."""
    native = int.from_bytes(socket.inet_aton(host), sys.byteorder)
    return f"{native:08X}:{port:04X}"


def inode_of(local: tuple[str, int], remote: tuple[str, int]) -> str | None:
    """The inode of the socket with these two IPv4 ends; None if there is none any more."""
    for file, prefix in _TABLES:
        ends = f" {prefix}{_address(*local)} {prefix}{_address(*remote)} "
        with open(file, encoding="ascii") as table:
            for line in table:
                if ends in line:
                    inode = line.split()[9]
                    return None if inode == "0" else inode
    return None


def owner_of(inode: str, pids: Iterable[int]) -> int | None:
    """Which of the processes has the socket open; None if none has, or it has just ended."""
    wanted = f"socket:[{inode}]"
    for pid in pids:
        folder = f"/proc/{pid}/fd"
        try:
            for descriptor in os.listdir(folder):
                try:
                    if os.readlink(f"{folder}/{descriptor}") == wanted:
                        return pid
                except FileNotFoundError:  # closed meanwhile
                    continue
        except (FileNotFoundError, PermissionError):  # the process has ended
            continue
    return None


def dialler(accepted: socket.socket, pids: Iterable[int]) -> int | None:
    """The process at the other end of an accepted IPv4 loopback connection, if it is one of `pids`."""
    inode = inode_of(accepted.getpeername(), accepted.getsockname())
    return None if inode is None else owner_of(inode, pids)
