"""Every rule bites: a planted violation in a small tree is named, with its line; its good twin is not."""

import json
from pathlib import Path

import pytest
import rules
from cpp_text import Reader, blank

LISTS = """target_sources(tombolo_overlay PRIVATE {overlay})
target_sources(
  tombolo_scenario
  PRIVATE
    scenario.cc
    scenario.h
)
add_executable(tombolo-sim main.cc)
"""
HEADER = "// What it is.\n#pragma once\n"


def plant(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def violations(root: Path, files: dict[str, str]) -> list[str]:
    """Plants `files` in a tree that lists them all in its CMakeLists."""
    plant(root, files)
    for folder in ("node", "overlay", "sim", "tests"):
        names = [name.removeprefix(folder + "/") for name in rules.cpp_files(root, folder)]
        plant(root, {f"{folder}/CMakeLists.txt": LISTS.format(overlay=" ".join(names))})
    return rules.check(root)


# Rule by rule: file, offending line, words of the message.
BANNED = [
    ("overlay/a.cc", "#include <random>", "banned <random>: use overlay/rng.h"),
    ("sim/a.cc", "std::random_device seed;", "banned library randomness: use overlay/rng.h"),
    ("sim/a.cc", "void F() { std::uniform_int_distribution<int> d; }", "banned library randomness"),
    ("sim/a.cc", "int x() { return rand(); }", "banned library randomness"),
    ("sim/a.cc", "void F() { std::shuffle(a, b, c); }", "banned library randomness"),
    ("overlay/a.cc", "#include <chrono>", "banned wall clock: use the time that each call carries"),
    ("sim/a.cc", "auto F() { return std::time(nullptr); }", "banned wall clock"),
    ("sim/a.cc", "auto F() { return time(NULL); }", "banned wall clock"),
    ("sim/a.cc", "auto F() { return steady_clock::now(); }", "banned wall clock"),
    ("overlay/a.cc", "#include <mutex>", "banned threads and locks: use one caller at a time"),
    ("sim/a.cc", "void F(std::thread& t);", "banned threads and locks"),
    ("overlay/a.cc", "#include <atomic>", "banned <atomic>"),
    (
        "overlay/a.cc",
        "void F(std::function<void()> f);",
        "banned std::function: use a template parameter",
    ),
    ("sim/a.cc", "#include <iostream>", "banned <iostream>: use a returned value"),
    ("sim/a.cc", "void F(std::shared_ptr<int> p);", "banned shared_ptr: use a value"),
    ("overlay/a.cc", "unsigned long F();", "banned long: use std::int64_t"),
    ("sim/a.cc", "void F(std::map<Peer*, int>& m);", "banned pointer as key: use NodeId"),
    ("sim/a.cc", "void F(std::unordered_set<const sim::Peer*>& m);", "banned pointer as key"),
    ("sim/a.cc", "using H = std::hash<int>;", "banned std::hash: use Mix64"),
    (
        "sim/a.cc",
        "auto F(int* p) { return reinterpret_cast<std::uintptr_t>(p); }",
        "banned reinterpret_cast",
    ),
    ("overlay/a.cc", "double F();", "banned floating point: use integers"),
    ("sim/a.cc", "double F() { return std::log(2.0); }", "banned libm: use sim/math.h"),
    ("sim/a.cc", "double F() { return std::pow (2.0, 3.0); }", "banned libm"),
    ("overlay/a.cc", "void F() { throw 1; }", "banned throw: use a returned error"),
    (
        "overlay/a.cc",
        "void F() { try { G(); } catch (...) {} }",
        "banned try: use a returned error",
    ),
    ("sim/a.cc", "void F() { goto end; }", "banned goto"),
    ("sim/a.cc", "using namespace std;", "banned using namespace: use qualified names"),
    (
        "tests/sim/a_test.cc",
        "void F() { std::this_thread::sleep_for(d); }",
        "banned sleep: use simulated time",
    ),
    ("tests/sim/a_test.cc", "void F() { usleep(10); }", "banned sleep"),
    ("overlay/a.cc", "static int counter = 0;", "banned mutable static: use a member"),
    ("overlay/a.cc", "int counter = 0;", "banned mutable static"),
    ("overlay/a.cc", "namespace n { std::vector<int> cache; }", "banned mutable static"),
    ("overlay/a.cc", "static const char* name = nullptr;", "banned mutable static"),
    ("overlay/a.cc", "int F() { static int calls; return ++calls; }", "banned mutable static"),
    ("overlay/a.cc", "struct S { inline static int shared = 0; };", "banned mutable static"),
    (
        "sim/a.cc",
        "std::unordered_map<int, int> M(); void F(std::unordered_map<int, int>& seen) { for (auto& s : seen) {} }",
        "banned iteration over unordered container 'seen': use a sorted vector",
    ),
    (
        "sim/a.cc",
        "void F(std::unordered_set<int>& s) { G(s.begin()); }",
        "banned iteration over unordered",
    ),
    (
        "overlay/a.cc",
        "#include <gtest/gtest.h>",
        "overlay/ may include the standard library and overlay/ only",
    ),
    (
        "overlay/a.cc",
        '#include "sim/world.h"',
        "overlay/ may include the standard library and overlay/ only",
    ),
    (
        "overlay/relay.cc",
        '#include "overlay/routing_table.h"',
        "parts of the core do not include each other",
    ),
    (
        "sim/a.cc",
        "#include <toml++/toml.h>",
        "sim/ may include overlay/, sim/ and the standard library",
    ),
    ("sim/a.cc", "#include <absl/strings/str_cat.h>", "sim/ may include overlay/"),
    ("sim/a.cc", '#include "sim/scenario.h"', "tombolo::sim may not include the edges"),
    ("sim/scenario.cc", "#include <CLI/CLI.hpp>", "sim/ may include overlay/"),
    ("sim/a.cc", '#include "tests/sim/helpers.h"', "nothing includes tests/"),
    ("python/src/a.cc", '#include "node/codec.h"', "python/ may include pybind11"),
    ("node/a.cc", '#include "sim/world.h"', "node/ may include overlay/, proto/ and libraries"),
    ("node/a.cc", '#include "messages.pb.h"', "node/codec is the only place that knows both"),
    ("node/a.cc", "#include <grpcpp/grpcpp.h>", "nothing above the transport and the control API"),
    ("node/a.cc", '#include "link.grpc.pb.h"', "nothing above the transport and the control API"),
    ("docs/a.md", "TO" + "DO: write this", "banned open task marker"),
    ("docs/a.md", "see /ho" + "me/ada/tombolo", "banned path of one machine: use a path relative"),
    (
        "docs/a.md",
        "from https://py" + "pi.org/simple",
        "banned registry host: use the package's name",
    ),
    ("tests/python/test_a.py", "time.sle" + "ep(1)", "banned sleep: use simulated time"),
]


@pytest.mark.parametrize(("name", "line", "message"), BANNED, ids=lambda text: text[:50])
def test_violation_is_named(tmp_path, name, line, message):
    comment = "# comment\n" if name.endswith((".py", ".md")) else "// comment\n"
    found = violations(tmp_path, {name: comment + line + "\n"})
    assert found, "nothing found"
    assert all(text.startswith(f"{name}:2: ") for text in found), found
    assert any(message in text for text in found), found


GOOD = [
    ("overlay/a.cc", "// double, long, rand(), <random>, throw: words of a comment\n"),
    ("overlay/a.cc", 'const char* F() { return "long double throw"; }\n'),
    ("overlay/a.cc", "#include <array>\n#include <cstdint>\nstatic constexpr int kSize = 3;\n"),
    (
        "overlay/a.cc",
        "static int F(int a, int b = 3);\nconst int kTable[] = {1, 2};\ninline constexpr int kN{3};\n",
    ),
    (
        "overlay/a.cc",
        "using A = int;\nextern const int kB;\nstruct S { int member = 0; static S Make(); };\n",
    ),
    ("sim/progress.cc", "std::array<char, 9> said{};\n"),
    ("overlay/time.h", HEADER + "constexpr double F() { return 1e-6; }\n"),
    ("overlay/peer.cc", '#include "overlay/relay.h"\n#include "overlay/routing_table.h"\n'),
    ("overlay/routing_table_split.cc", '#include "overlay/routing_table.h"\n'),
    ("sim/a.cc", "double F() { return std::sqrt(2.0); }\nTime time() { return now_; }\n"),
    ("sim/a.cc", "bool F(std::unordered_map<int, int>& m) { return m.find(3) != m.end(); }\n"),
    ("sim/a.cc", "int F(std::vector<int>& list) { for (int x : list) return x; return 0; }\n"),
    (
        "sim/scenario.cc",
        '#include <toml++/toml.h>\n#include "absl/status/status.h"\n#include "sim/scenario.h"\n',
    ),
    ("sim/main.cc", '#include <chrono>\n#include <CLI/CLI.hpp>\n#include "sim/scenario.h"\n'),
    (
        "python/src/a.cc",
        '#include <pybind11/pybind11.h>\n#include "bind.h"\n#include "sim/world.h"\n',
    ),
    ("node/codec.cc", '#include "messages.pb.h"\n#include "overlay/message.h"\n'),
    ("node/grpc_transport.cc", '#include "link.grpc.pb.h"\n#include <grpcpp/grpcpp.h>\n'),
    ("docs/a.md", "./dev test, hash(root, point), https://example.org/home/x, build/work\n"),
]


@pytest.mark.parametrize(("name", "text"), GOOD, ids=lambda text: text[:50])
def test_good_code_passes(tmp_path, name, text):
    assert violations(tmp_path, {name: text}) == []


@pytest.mark.parametrize("name", ["build/a.md", ".pytest_cache/v/nodeids", "docs/.cache/a.md"])
def test_made_files_are_no_texts_of_the_project(tmp_path, name):
    assert violations(tmp_path, {name: "TO" + "DO\n"}) == []
    assert violations(tmp_path, {".ci/run": "TO" + "DO\n"}) != []


def test_headers_need_a_comment_and_pragma_once(tmp_path):
    found = violations(tmp_path, {"overlay/a.h": "int F();\n"})
    assert any("header without opening comment" in text for text in found)
    assert any("header without '#pragma once'" in text for text in found)
    assert violations(tmp_path, {"overlay/a.h": HEADER + "int F();\n"}) == []


@pytest.mark.parametrize("name", ["overlay/a.cc", "overlay/a.h", "sim/a.cc", "tests/sim/a_test.cc"])
def test_files_must_be_listed(tmp_path, name):
    plant(tmp_path, {name: HEADER, "overlay/CMakeLists.txt": "b_a.cc aa.h\n"})
    folder = name.split("/")[0]
    assert rules.check(tmp_path) == [
        f"{name}:1: not listed in {folder}/CMakeLists.txt: add it, or remove the file"
    ]


def test_notebooks_hold_no_output(tmp_path):
    def notebook(**cell):
        return {
            "notebooks/01.ipynb": json.dumps(
                {"cells": [{"cell_type": "code", "source": [], **cell}]}
            )
        }

    assert violations(tmp_path, notebook(outputs=[], execution_count=None)) == []
    for bad in ({"outputs": [{"text": "3"}]}, {"outputs": [], "execution_count": 1}):
        assert "cell 1 has stored output" in violations(tmp_path, notebook(**bad))[0]


def function(lines: int) -> str:
    return "int F() {\n" + "  G();\n" * (lines - 2) + "}\n"


def ratchet(root: Path, **granted: int) -> list[str]:
    plant(
        root,
        {
            "tests/house/ratchet.json": json.dumps(
                {key.replace("__", "/"): n for key, n in granted.items()}
            )
        },
    )
    return rules.check(root)


def test_long_files_and_functions_are_named(tmp_path):
    assert violations(tmp_path, {"overlay/a.cc": function(60), "sim/b.cc": "//\n" * 400}) == []
    found = violations(tmp_path, {"overlay/a.cc": "//\n" + function(61), "sim/b.cc": "//\n" * 401})
    assert found == [
        "overlay/a.cc:2: function F has 61 lines, limit 60: split it",
        "sim/b.cc:1: file has 401 lines, limit 400: split it",
    ]


def test_peer_has_its_own_limit_and_python_counts(tmp_path):
    body = "def f():\n" + "    g()\n" * 60
    found = violations(tmp_path, {"overlay/peer.cc": "//\n" * 301, "python/a.py": body})
    assert found == [
        "overlay/peer.cc:1: file has 301 lines, limit 300: split it",
        "python/a.py:1: function f has 61 lines, limit 60: split it",
    ]


def test_ratchet_only_turns_one_way(tmp_path):
    violations(tmp_path, {"sim/b.cc": "//\n" * 450})
    assert ratchet(tmp_path, **{"sim/b.cc": 450}) == []
    assert ratchet(tmp_path, **{"sim/b.cc": 449}) == [
        "sim/b.cc:1: file has 450 lines, limit 449: split it"
    ]
    assert "shrank to 450 lines" in ratchet(tmp_path, **{"sim/b.cc": 451})[0]
    assert (
        "needs no exception any more"
        in ratchet(tmp_path, **{"sim/b.cc": 450, "sim/gone.cc": 500})[0]
    )


def test_shrink_lowers_and_removes_but_never_raises(tmp_path):
    violations(tmp_path, {"sim/a.cc": "//\n" * 420, "sim/b.cc": "//\n" * 450})
    ratchet(tmp_path, **{"sim/a.cc": 500, "sim/b.cc": 440, "sim/gone.cc": 500})
    rules.shrink(tmp_path)
    assert json.loads((tmp_path / "tests/house/ratchet.json").read_text()) == {
        "sim/a.cc": 420,
        "sim/b.cc": 440,
    }


FUNCTIONS = """
namespace a { namespace {
template <class T = int> class B : public C<T> {
 public:
  explicit B(int n, int m = f(3)) : n_{n}, m_(m), list_{{1, 2}} {
    if (n) { n = 1; } else { n = 2; }
  }
  int size() const noexcept { return n_; }
  bool operator==(const B& other) const {
    return true;
  }
 private:
  int n_{3};
  std::array<int, 2> list_ = {1, 2};
};
constexpr int kTable[] = {F(1), F(2)};
enum class E { kA, kB };
}  // namespace
auto Trailing(std::vector<int> x = {}) -> int {
  auto lambda = [](int y) { return y; };
  return lambda(x[0]);
}
TEST(Suite, Name) {
}
}
"""


def test_reader_finds_functions():
    found = [(f.name, f.line, f.length) for f in Reader(FUNCTIONS).functions]
    assert found == [
        ("B", 5, 3),
        ("size", 8, 1),
        ("operator==", 9, 3),
        ("Trailing", 19, 4),
        ("TEST(Suite, Name)", 23, 2),
    ]


def test_blank_keeps_lines_and_code():
    text = 'a // "x"\n/* b\n*/ c = "d{" + R"(e\n{)" + \'{\' + 1\'000;\n'
    result = blank(text)
    assert result.count("\n") == text.count("\n")
    assert "{" not in result
    assert "b" not in result
    assert result.startswith("a ")
    assert result.endswith(" + 1'000;\n")
