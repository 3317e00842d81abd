"""Runs the example of an embedded node twice: one founds a network, the other sends it a line.

usage: python3 run_talk.py PROGRAM FOLDER
"""

import re
import subprocess
import sys
from pathlib import Path

TEXT = "good morning"
LIMIT_S = 30


def listening_ports(pid: int) -> int:
    """TCP sockets of the process that listen (state 0A of /proc/net/tcp)."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        if found := re.fullmatch(r"socket:\[(\d+)\]", str(link.readlink())):
            inodes.add(found[1])
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    return len({row[1] for row in rows if row[3] == "0A" and row[9] in inodes})


def start(*words: str) -> subprocess.Popen:
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def main() -> None:
    program, folder = sys.argv[1], Path(sys.argv[2])
    founder = start(program, str(folder / "founder"))
    sender = None
    try:
        own_id, address = founder.stdout.readline().split()
        assert listening_ports(founder.pid) == 1, "an embedded node listens for links alone"
        sender = start(program, str(folder / "sender"), address, own_id, TEXT)
        sender_id, _ = sender.stdout.readline().split()
        assert founder.stdout.readline() == f"from {sender_id}: {TEXT}\n"
        assert sender.stdout.readline() == "delivered\n"
        for process in (sender, founder):
            process.stdin.close()
            assert process.wait(LIMIT_S) == 0, "it ends in order"
    finally:
        for process in filter(None, (founder, sender)):
            if process.poll() is None:
                process.kill()


main()
