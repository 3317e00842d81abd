"""The rules of the house, as a list: what is banned where, and what to use instead.

`check(root)` returns one line per violation, `file:line: banned X: use Y`, for the tree at `root`.
`test_house_rules.py` runs it on the repository, `test_rules_catch.py` proves that each rule bites.

Run as a program (`python tests/house/rules.py`) it prints the violations; with --shrink it also lowers
the figures of ratchet.json to what the tree needs today. It never raises one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parent))
from cpp_text import Reader, blank
from ratchet import check_lengths, shrink
from texts import check_texts

# Files that talk to a person or a clock: the command line and what it draws on a terminal.
SHELL = (
    "sim/bench_command.cc",
    "sim/command_line.cc",
    "sim/main.cc",
    "sim/progress.cc",
    "sim/progress.h",
)


@dataclass(frozen=True)
class Ban:
    """A pattern that must not occur in the code (comments and strings apart) of `folders`."""

    name: str
    pattern: str
    use: str
    folders: tuple[str, ...] = ("overlay", "sim")
    allowed: tuple[str, ...] = field(default=())


BANS = (
    Ban("<random>", r"#\s*include\s*<random>", "overlay/rng.h (library distributions differ)"),
    Ban(
        "library randomness",
        r"\brandom_device\b|\bmt19937|\b\w+_distribution\s*<|\bs?rand\s*\(|\bstd::(?:shuffle|sample)\b",
        "overlay/rng.h",
    ),
    Ban(
        "wall clock",
        r"#\s*include\s*<(?:chrono|ctime|time\.h|sys/time\.h)>"
        r"|\b(?:steady|system|high_resolution)_clock\b"
        r"|\b(?:clock_gettime|gettimeofday)\b|\bstd::(?:time|clock)\s*\(|(?<![\w.>:])time\s*\(\s*(?:NULL|nullptr|0|&)",
        "the time that each call carries (overlay/time.h)",
        allowed=SHELL,
    ),
    Ban(
        "threads and locks",
        r"#\s*include\s*<(?:thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier)>"
        r"|\bstd::j?thread\b|\bstd::(?:mutex|async)\b|\bthread_local\b",
        "one caller at a time; hosts bring the threads",
    ),
    Ban(
        "<atomic>", r"#\s*include\s*<atomic>", "plain values; hosts bring the threads", ("overlay",)
    ),
    Ban(
        "std::function",
        r"\bstd::(?:move_only_)?function\b|\bstd::bind\b",
        "a template parameter, or an entry in the Outbox",
        ("overlay",),
    ),
    Ban(
        "<iostream>",
        r"#\s*include\s*<iostream>",
        "a returned value that the caller prints",
        allowed=SHELL,
    ),
    Ban(
        "shared_ptr", r"\b(?:shared|weak)_ptr\b", "a value, an index or unique_ptr: one owner each"
    ),
    Ban("long", r"\blong\b", "std::int64_t or std::uint64_t (the width of long differs)"),
    Ban(
        "pointer as key",
        r"\b(?:\w+_)?(?:multi)?(?:map|set)\s*<\s*(?:const\s+)?[\w:]+(?:\s+const)?\s*\*",
        "NodeId, PeerRef or an index (addresses differ between runs)",
    ),
    Ban("std::hash", r"\bstd::hash\b", "Mix64 of overlay/rng.h (library hashes differ)"),
    Ban(
        "reinterpret_cast of a pointer to an integer",
        r"reinterpret_cast<\s*(?:std::)?u?intptr_t",
        "an index",
    ),
    Ban(
        "floating point",
        r"\b(?:float|double)\b",
        "integers: fixed point, shifts, or counts",
        ("overlay",),
        allowed=("overlay/time.h",),  # converts for printing
    ),
    Ban(
        "libm",
        r"\bstd::(?:log(?:2|10|1p)?|exp(?:2|m1)?|pow|sin|cos|tan|asin|acos|atan2?|sinh|cosh|tanh|cbrt|hypot"
        r"|[lt]gamma|erfc?)\b\s*\(|#\s*include\s*<math\.h>",
        "sim/math.h (the system's functions differ between machines)",
    ),
    Ban("throw", r"\bthrow\b", "a returned error; programmer errors are asserted"),
    Ban("try", r"\btry\s*\{", "a returned error", ("overlay",)),
    Ban("goto", r"\bgoto\b", "a function that returns"),
    Ban(
        "using namespace",
        r"\busing\s+namespace\b",
        "qualified names",
        ("node", "overlay", "sim", "python", "tests"),
    ),
    Ban(
        "sleep",
        r"\b(?:u|nano)?sleep(?:_for|_until)?\s*\(",
        "simulated time, a timer, or polling with a deadline",
        ("node", "overlay", "sim", "tests"),
    ),
)

# Parts of the core, and how their files begin: `relay.h` and `relay_acks.cc` both belong to relay.
PARTS = {
    "attach": ("attach",),
    "gossip": ("gossip",),
    "healing": ("healing",),
    "links": ("links",),
    "lookup": ("lookup",),
    "relay": ("relay",),
    "ring": ("ring",),
    "routing table": ("routing_table",),
    "store": ("put_get", "record"),
}

_STD = set((Path(__file__).parent / "std_headers.txt").read_text().split())  # of C++20
_EDGE = ("toml++/", "nlohmann/", "absl/status/")  # of tombolo::scenario and tombolo-sim
_MAIN = ("CLI/", "unistd.h", "signal.h", "sys/resource.h", "sys/ioctl.h", "sys/prctl.h", "malloc.h")
_INCLUDE = re.compile(r'^[ \t]*#\s*include\s*(?:<([^>]+)>|"([^"]+)")', re.MULTILINE)


def cpp_files(root: Path, *folders: str) -> list[str]:
    """Paths of C++ files below `folders`, relative to `root`, sorted."""
    found = (path for folder in folders for path in (root / folder).rglob("*"))
    return sorted(
        path.relative_to(root).as_posix() for path in found if path.suffix in (".h", ".cc")
    )


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def check_bans(root: Path) -> Iterator[str]:
    for name in cpp_files(root, "overlay", "sim", "python", "tests"):
        code = blank((root / name).read_text())
        for ban in BANS:
            if name.split("/")[0] not in ban.folders or name in ban.allowed:
                continue
            for match in re.finditer(ban.pattern, code):
                yield f"{name}:{line_of(code, match.start())}: banned {ban.name}: use {ban.use}"


_NO_VARIABLE = re.compile(
    r"^(?:using|typedef|template|friend|class|struct|enum|union|extern|static_assert|namespace|concept|return)\b"
)
_STATIC = re.compile(r"^(?:inline\s+)?(?:static|thread_local)\b")
_VARIABLE = re.compile(r"^[\w:<>,\s*&]+[\s*&]\w+\s*(?:\[[^\]]*\]\s*)?(?:=|\{|$)")


def _is_mutable(statement: str) -> bool:
    declared = re.split(r"[={(]", statement)[0]
    if re.search(r"\bconstexpr\b", declared):
        return False
    return not re.search(r"\bconst\b", declared.rsplit("*", 1)[-1])


# A signal handler is given nothing: what it is to write has to be in a static.
_STATICS_ALLOWED = ("sim/progress.cc",)


def check_mutable_statics(root: Path) -> Iterator[str]:
    for name in cpp_files(root, "overlay", "sim"):
        if name in _STATICS_ALLOWED:
            continue
        for statement in Reader((root / name).read_text()).statements:
            text = statement.text
            function = "(" in text and "=" not in text.split("(")[0]
            shared = _STATIC.match(text) or (
                statement.scope == "namespace"
                and _VARIABLE.match(text)
                and not _NO_VARIABLE.match(text)
            )
            if shared and not function and _is_mutable(text):
                yield f"{name}:{statement.line}: banned mutable static: use a member of the world or peer"


def check_unordered_iteration(root: Path) -> Iterator[str]:
    declared = re.compile(
        r"\b(?:unordered|flat_hash|node_hash)_(?:multi)?(?:map|set)\s*<[^;()]*>[\s&]*(\w+)"
    )
    for name in cpp_files(root, "overlay", "sim"):
        code = blank((root / name).read_text())
        header = (root / name).with_suffix(".h")
        names = set(declared.findall(code + (blank(header.read_text()) if header.exists() else "")))
        for variable in sorted(names):
            loops = rf"\bfor\s*\([^;()]*:\s*(?:\w+(?:\.|->))*{variable}\s*\)|\b{variable}(?:\.|->)c?begin\s*\("
            for match in re.finditer(loops, code):
                line = line_of(code, match.start())
                yield (
                    f"{name}:{line}: banned iteration over unordered container '{variable}': "
                    "use a sorted vector, std::map, or sort the keys first"
                )


def part_of(name: str) -> str | None:
    stem = Path(name).stem
    for part, starts in PARTS.items():
        if any(stem == start or stem.startswith(start + "_") for start in starts):
            return part
    return None


def target_files(root: Path, target: str) -> set[str]:
    """The files that sim/CMakeLists.txt lists for `target`."""
    lists = root / "sim" / "CMakeLists.txt"
    text = lists.read_text() if lists.exists() else ""
    blocks = re.findall(
        rf"(?:target_sources|add_executable)\(\s*{target}\s(.*?)\)", text, re.DOTALL
    )
    return {f"sim/{name}" for block in blocks for name in re.findall(r"[\w/-]+\.(?:cc|h)\b", block)}


def _wrong_include(
    name: str, include: str, system: bool, edge: set[str], main: set[str]
) -> str | None:
    """Says what is allowed, or None if `name` may include `include`."""
    folder = name.split("/")[0]
    if include in _STD:
        return None
    if folder == "overlay":
        if system or not include.startswith("overlay/"):
            return "overlay/ may include the standard library and overlay/ only"
        mine, theirs = part_of(name), part_of(include)
        if mine and theirs and mine != theirs:
            return "parts of the core do not include each other; they meet in overlay/peer"
        return None
    if folder == "sim":
        if not system and include.startswith(("overlay/", "sim/")):
            if include in edge and name not in edge | main:
                return "tombolo::sim may not include the edges (files of tombolo_scenario)"
            return None
        if include.startswith(_EDGE) and name in edge | main:
            return None
        if include.startswith(_MAIN) and name in main | set(SHELL):
            return None
        return (
            "sim/ may include overlay/, sim/ and the standard library; files of tombolo_scenario also toml++, "
            "nlohmann and absl/status; sim/main.cc also CLI and the system"
        )
    if folder == "node":
        return _wrong_include_of_node(name, include)
    if folder == "python":
        local = not system and (
            include.startswith(("overlay/", "sim/", "python/")) or "/" not in include
        )
        if local or include.startswith("pybind11/") or include == "Python.h":
            return None if include not in edge else "python/ binds tombolo::sim, not the edges"
        return "python/ may include pybind11, sim/, overlay/ and the standard library"
    return None


def _wrong_include_of_node(name: str, include: str) -> str | None:
    file = Path(name).name
    if include.startswith(("sim/", "python/")):
        return "node/ may include overlay/, proto/ and libraries; what both hosts need belongs in overlay/"
    if include == "messages.pb.h" and not file.startswith("codec"):
        return "node/codec is the only place that knows both the core's messages and the wire"
    grpc = include.startswith(("grpc/", "grpcpp/")) or include.endswith(".grpc.pb.h")
    if grpc and not file.startswith(("grpc_", "control_", "tomboloctl")):
        return "nothing above the transport and the control API knows gRPC"
    return None


def check_includes(root: Path) -> Iterator[str]:
    edge, main = target_files(root, "tombolo_scenario"), target_files(root, "tombolo-sim")
    for name in cpp_files(root, "node", "overlay", "sim", "python"):
        text = (root / name).read_text()
        for match in _INCLUDE.finditer(text):
            include = match.group(1) or match.group(2)
            reason = _wrong_include(name, include, match.group(1) is not None, edge, main)
            if include.startswith("tests/"):
                reason = "nothing includes tests/"
            if reason:
                yield f"{name}:{line_of(text, match.start())}: banned include of {include}: {reason}"


def check_headers(root: Path) -> Iterator[str]:
    for name in cpp_files(root, "node", "overlay", "sim"):
        if not name.endswith(".h"):
            continue
        text = (root / name).read_text()
        if not text.startswith("//"):
            yield f"{name}:1: header without opening comment: say what it is, units, ownership, threads"
        if not re.search(r"^#pragma once$", text, re.MULTILINE):
            yield f"{name}:1: header without '#pragma once'"


def check_listed(root: Path) -> Iterator[str]:
    """Every C++ file is named in a CMakeLists.txt: no dead files, and every header gets compiled alone."""
    for folder in ("node", "overlay", "sim", "tests"):
        lists = root / folder / "CMakeLists.txt"
        listed = lists.read_text() if lists.exists() else ""
        for name in cpp_files(root, folder):
            inner = name.removeprefix(folder + "/")
            own_project = (root / name).parent / "CMakeLists.txt"
            if own_project.exists() and own_project != lists:
                listed_here, inner = own_project.read_text(), Path(name).name
            else:
                listed_here = listed
            header_beside_tests = folder == "tests" and name.endswith(".h")
            if not header_beside_tests and not re.search(
                rf"(?<![\w/]){re.escape(inner)}(?!\w)", listed_here
            ):
                yield f"{name}:1: not listed in {folder}/CMakeLists.txt: add it, or remove the file"


CHECKS = (
    check_bans,
    check_mutable_statics,
    check_unordered_iteration,
    check_includes,
    check_headers,
    check_listed,
    check_texts,
    check_lengths,
)


def check(root: Path) -> list[str]:
    return [violation for rule in CHECKS for violation in rule(root)]


def main() -> int:
    root = Path(__file__).resolve().parents[2]
    if "--shrink" in sys.argv[1:]:
        shrink(root)
    violations = check(root)
    print("\n".join(violations) or "the house is in order")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
